/* See piece.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/piece.h"
#include "base/log.h"
#include "storage/storage_priv.h"
#include "storage/tables_env.h"
#include "value/patch.h"
#include <assert.h>
#include <errno.h>

#define PIECE_CHANGES 50000
#define PIECE_BYTES   (64 * 1024 * 1024)
#define PIECE_TABLES  64  /* open at once for a piece */
#define TURN          100 /* changes after which waiting readers have their turn */
#define LOOK_AHEAD    8   /* changes whose effects are asked for from memory */
#define LINE          64  /* bytes of memory that come at once */
#define RECORD_KEEP   (1024 * 1024) /* bytes of memory kept for the next patched record */

/* A piece on its way into the tables. */
struct piece {
    struct storage *storage;
    struct buf record; /* that is patched */
    DB_TXN *txn;
    struct table *tables[PIECE_TABLES];
    int ntables; /* the pages of the last of them are held */
    DBC *cursor; /* on it */
};

/* A key's patches are in one piece, for its record is written once. */
size_t
piece_end(const struct sweep *sweep, size_t from, int *ntables)
{
    size_t bytes = 0, at = from;
    const struct table *table = NULL;

    *ntables = 0;
    for (; at < sweep->nchanges; at++) {
        const struct change *c = &sweep->changes[at];
        bytes += c->len;
        if (!c->follows && at > from
            && (at - from >= PIECE_CHANGES || bytes > PIECE_BYTES
                || (c->table != table && *ntables == PIECE_TABLES)))
            break;
        *ntables += c->table != table;
        table = c->table;
    }
    return at;
}

static int
leave_table(struct piece *p)
{
    if (p->cursor == NULL)
        return 0;
    int code = p->cursor->close(p->cursor);
    p->cursor = NULL;
    pthread_rwlock_unlock(&p->tables[p->ntables - 1]->pages);
    return code;
}

/* Goes on to another table, which gets its file now if it has none. */
static int
enter_table(struct piece *p, struct table *t)
{
    struct storage *s = p->storage;
    struct table *acquired;
    DB *db;
    int code = leave_table(p);

    while (code == 0 && t->file[0] == '\0') {
        code = tables_create_file(s->tables, t, s->mark.next_generation++);
        /* Given before a death that came before the mark. */
        if (code == EEXIST)
            code = 0;
    }
    if (code == 0)
        code = tables_acquire(s->tables, t->id, &acquired, &db);
    if (code != 0)
        return code;
    assert(acquired == t && p->ntables < PIECE_TABLES);
    p->tables[p->ntables++] = t;

    code = tables_note_file(s->catalog, p->txn, t, t->file);
    if (code == 0)
        code = db->cursor(db, p->txn, &p->cursor, DB_CURSOR_BULK);
    if (code == 0)
        pthread_rwlock_wrlock(&t->pages);
    return code;
}

/* Lets readers that wait for the table have their turn. */
static void
pause_for_readers(struct piece *p)
{
    struct table *t = p->tables[p->ntables - 1];

    pthread_rwlock_unlock(&t->pages);
    pthread_rwlock_wrlock(&t->pages);
}

/* Commits a piece, or takes it back where code is not 0. */
static int
finish_piece(struct piece *p, int code)
{
    int left = leave_table(p);

    if (code == 0)
        code = left;
    if (code != 0) {
        for (int i = 0; i < p->ntables; i++)
            pthread_rwlock_wrlock(&p->tables[i]->pages);
    }
    int ended = tables_env_end(p->txn, code);
    for (int i = 0; i < p->ntables; i++) {
        if (code != 0)
            pthread_rwlock_unlock(&p->tables[i]->pages);
        tables_release(p->storage->tables, p->tables[i]);
    }
    return ended;
}

/* Asks for an effect from memory; a common one takes a few lines. */
static void
fetch_ahead(const struct change *c)
{
    __builtin_prefetch(c->at);
    __builtin_prefetch(c->at + LINE);
    __builtin_prefetch(c->at + c->len - 1);
}

static int
put(struct piece *p, struct bytes key, struct bytes record)
{
    DBT name = {.data = (void *)key.data, .size = (uint32_t)key.len};
    DBT data = {.data = (void *)record.data, .size = (uint32_t)record.len};

    return p->cursor->put(p->cursor, &name, &data, DB_KEYFIRST);
}

static int delete (struct piece *p, struct bytes key)
{
    DBT name = {.data = (void *)key.data, .size = (uint32_t)key.len};
    DBT nothing = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL};
    int code = p->cursor->get(p->cursor, &name, &nothing, DB_SET);

    if (code == 0)
        code = p->cursor->del(p->cursor, 0);
    return code == DB_NOTFOUND ? 0 : code;
}

/* A table that is ahead may have no such key any more: its deletion will come again. */
static int
get(struct piece *p, struct bytes key)
{
    DBT name = {.data = (void *)key.data, .size = (uint32_t)key.len};
    DBT data = {0};
    int code = p->cursor->get(p->cursor, &name, &data, DB_SET);

    if (code == 0)
        buf_append(&p->record, data.data, data.size);
    return code == DB_NOTFOUND ? 0 : code;
}

static int
patch(struct piece *p, struct bytes patch)
{
    if (patch_record(&p->record, patch) == 0)
        return 0;
    log_line(LOG_WARNING, "A change of a part of a record cannot be read");
    return EINVAL;
}

/* Carries out a key's last change and the patches behind it. */
static int
carry_out(struct piece *p, const struct change *c, size_t count)
{
    struct effect e = change_effect(c);
    int code = 0;

    if (e.kind == EFFECT_DELETE && count == 1)
        return delete (p, e.key);
    if (e.kind == EFFECT_PUT && count == 1)
        return put(p, e.key, e.record);

    buf_clear(&p->record, RECORD_KEEP);
    if (c->patch)
        code = get(p, e.key);
    else
        buf_append_bytes(&p->record, e.record);
    for (size_t i = c->patch ? 0 : 1; i < count && code == 0; i++)
        code = patch(p, change_effect(&c[i]).record);
    return code != 0 ? code : put(p, e.key, buf_bytes(&p->record));
}

/* How many of the changes are of the first one's key. */
static size_t
count_together(const struct change *changes, size_t count)
{
    size_t together = 1;

    while (together < count && changes[together].follows)
        together++;
    return together;
}

int
piece_apply(struct storage *s, const struct change *changes, size_t count)
{
    struct piece p = {.storage = s};
    struct table *table = NULL;
    int code = s->env->txn_begin(s->env, NULL, &p.txn, 0);

    if (code != 0)
        return code;
    for (size_t i = 0, n = 1; i < count && code == 0; i += n) {
        if (i + LOOK_AHEAD < count)
            fetch_ahead(&changes[i + LOOK_AHEAD]);
        if (changes[i].table != table)
            code = enter_table(&p, changes[i].table);
        else if (i % TURN < n)
            pause_for_readers(&p);
        table = changes[i].table;
        n = count_together(&changes[i], count - i);
        if (code == 0)
            code = carry_out(&p, &changes[i], n);
    }
    buf_deinit(&p.record);
    return finish_piece(&p, code);
}
