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
#define TURN          100 /* changes after which waiting readers have their turn, */
#define TURN_BYTES    (256 * 1024) /* or so many bytes of records */
#define LOOK_AHEAD    8            /* changes whose effects are asked for from memory */
#define LINE          64           /* bytes of memory that come at once */
#define FIRST_TRY     4096 /* bytes of room for a record whose size is not known yet */
#define RECORD_KEEP   (1024 * 1024) /* bytes of memory kept for the next patched record */

/* A piece on its way into the tables. */
struct piece {
    struct storage *storage;
    struct buf record; /* that is patched */
    DB_TXN *txn;
    struct table *tables[PIECE_TABLES]; /* so many as the extent says */
    DBC *cursor;                        /* on the last of them, whose pages are held */
    struct extent extent;
    struct extent turn; /* as of the last turn that readers had */
};

static int
leave_table(struct piece *p)
{
    if (p->cursor == NULL)
        return 0;
    int code = p->cursor->close(p->cursor);
    p->cursor = NULL;
    pthread_rwlock_unlock(&p->tables[p->extent.tables - 1]->pages);
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
    assert(acquired == t && p->extent.tables < PIECE_TABLES);
    p->tables[p->extent.tables++] = t;

    code = tables_note_file(s->catalog, p->txn, t, t->file);
    if (code == 0)
        code = db->cursor(db, p->txn, &p->cursor, DB_CURSOR_BULK);
    if (code == 0)
        pthread_rwlock_wrlock(&t->pages);
    p->turn = p->extent;
    return code;
}

/* Lets readers that wait for the table have their turn, every now and then. */
static void
pause_for_readers(struct piece *p)
{
    struct table *t = p->tables[p->extent.tables - 1];

    if (p->extent.changes - p->turn.changes < TURN
        && p->extent.bytes - p->turn.bytes < TURN_BYTES)
        return;
    pthread_rwlock_unlock(&t->pages);
    pthread_rwlock_wrlock(&t->pages);
    p->turn = p->extent;
}

/* Commits a piece, or takes it back where code is not 0. */
static int
finish_piece(struct piece *p, int code)
{
    int left = leave_table(p);

    if (code == 0)
        code = left;
    if (code != 0) {
        for (int i = 0; i < p->extent.tables; i++)
            pthread_rwlock_wrlock(&p->tables[i]->pages);
    }
    int ended = tables_env_end(p->txn, code);
    for (int i = 0; i < p->extent.tables; i++) {
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

    p->extent.bytes += key.len + record.len;
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
    DBT data = {.flags = DB_DBT_USERMEM};
    int code = DB_BUFFER_SMALL;

    for (size_t room = FIRST_TRY; code == DB_BUFFER_SMALL; room = data.size) {
        data.data = buf_reserve(&p->record, room);
        data.ulen = (uint32_t)p->record.cap;
        code = p->cursor->get(p->cursor, &name, &data, DB_SET);
    }
    p->record.len = code == 0 ? data.size : 0;
    return code == DB_NOTFOUND ? 0 : code;
}

static int
unreadable(void)
{
    log_line(LOG_WARNING, "A change of a part of a record cannot be read");
    return EINVAL;
}

/* Carries patches out on the record. Each gets the head it has in the end: with every
 * other head the whole value would move. */
static int
patch(struct piece *p, const struct change *c, size_t count)
{
    struct patch last, each;

    if (patch_decode(change_effect(&c[count - 1]).record, &last) != 0)
        return unreadable();
    for (size_t i = 0; i < count; i++) {
        if (patch_decode(change_effect(&c[i]).record, &each) != 0)
            return unreadable();
        each.type = last.type;
        each.deadline = last.deadline;
        if (patch_record(&p->record, &each) != 0)
            return unreadable();
    }
    return 0;
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
    size_t whole = c->patch ? 0 : 1;
    if (code == 0)
        code = patch(p, c + whole, count - whole);
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

static bool
is_on(const struct piece *p, const struct table *t)
{
    return p->extent.tables > 0 && p->tables[p->extent.tables - 1] == t;
}

static bool
is_full(const struct piece *p, const struct change *next)
{
    return p->extent.changes >= PIECE_CHANGES || p->extent.bytes >= PIECE_BYTES
           || (p->extent.tables == PIECE_TABLES && !is_on(p, next->table));
}

int
piece_apply(struct storage *s, const struct change *changes, size_t count,
            struct extent *out)
{
    struct piece p = {.storage = s};
    int code = s->env->txn_begin(s->env, NULL, &p.txn, 0);

    if (code != 0)
        return code;
    for (size_t at = 0; at < count && code == 0; at = p.extent.changes) {
        const struct change *c = &changes[at];
        if (is_full(&p, c))
            break;
        if (at + LOOK_AHEAD < count)
            fetch_ahead(c + LOOK_AHEAD);
        if (is_on(&p, c->table))
            pause_for_readers(&p);
        else
            code = enter_table(&p, c->table);
        size_t together = count_together(c, count - at);
        if (code == 0)
            code = carry_out(&p, c, together);
        p.extent.changes += together;
    }
    buf_deinit(&p.record);
    *out = p.extent;
    return finish_piece(&p, code);
}
