/* See applier.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/applier.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/dberr.h"
#include "storage/storage_priv.h"
#include "storage/sweep.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#define PIECE_CHANGES 50000
#define PIECE_BYTES   (64 * 1024 * 1024)
#define PIECE_TABLES  64   /* open at once for a piece */
#define TURN          100  /* changes after which waiting readers have their turn */
#define LOOK_AHEAD    8    /* changes whose effects are asked for from memory */
#define LINE          64   /* bytes of memory that come at once */
#define RETRY_MS      1000 /* after a failure */
#define PPM           1000000
#define NICENESS      10 /* the loop goes first: it is the one clients wait for */

/* --- what was flushed --- */

/* Notes a table's file in its row. A table that has none yet waits for the mark: until
 * then its name may be another's. A file that is in no row is removed at a start, and
 * what was in it is still in the log. */
static int
put_file(struct storage *s, DB_TXN *txn, const struct table *t, const char *file)
{
    struct catalog_row row = {t->id, t->name, t->count, t->expires, ""};

    if (!t->has_row)
        return 0;
    memcpy(row.file, file, strlen(file) + 1);
    return catalog_put(s->catalog, txn, &row);
}

static bool
loses_its_file(const struct table *t)
{
    return t->flushed && t->file[0] != '\0';
}

static int
commit_or_abort(DB_TXN *txn, int code)
{
    if (code == 0)
        return txn->commit(txn, DB_TXN_NOSYNC);
    txn->abort(txn);
    return code;
}

static int
forget_files(struct storage *s, struct sweep *sweep)
{
    DB_TXN *txn;
    int code = s->env->txn_begin(s->env, NULL, &txn, 0);

    if (code != 0)
        return code;
    for (struct table *t = sweep->touched; t != NULL && code == 0; t = t->next_touched) {
        if (loses_its_file(t))
            code = put_file(s, txn, t, "");
    }
    return commit_or_abort(txn, code);
}

static int
drop_flushed_files(struct storage *s, struct sweep *sweep)
{
    char file[FILENAME_MAX_LEN];
    int code = forget_files(s, sweep);

    for (struct table *t = sweep->touched; t != NULL && code == 0; t = t->next_touched) {
        if (!loses_its_file(t))
            continue;
        tables_drop_file(s->tables, t, file);
        /* What stays behind here is removed at the next start. */
        int left = s->env->dbremove(s->env, NULL, file, NULL, DB_AUTO_COMMIT);
        if (left != 0)
            dberr_log(left, file);
    }
    return code;
}

/* --- the changes --- */

/* A piece on its way into the tables. */
struct piece {
    struct storage *storage;
    DB_TXN *txn;
    struct table *tables[PIECE_TABLES];
    int ntables; /* the pages of the last of them are held */
    DBC *cursor; /* on it */
};

/* How far a piece reaches that begins at from, and how many tables it comes to. */
static size_t
piece_end(const struct sweep *sweep, size_t from, int *ntables)
{
    size_t bytes = 0, at = from;
    const struct table *table = NULL;

    *ntables = 0;
    for (; at < sweep->nchanges && at - from < PIECE_CHANGES; at++) {
        const struct change *c = &sweep->changes[at];
        bytes += c->len;
        if ((c->table != table && *ntables == PIECE_TABLES)
            || (bytes > PIECE_BYTES && at > from))
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

    code = put_file(s, p->txn, t, t->file);
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
    int ended = commit_or_abort(p->txn, code);
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
carry_out(struct piece *p, const struct change *c)
{
    struct effect e = change_effect(c);
    DBT key = {.data = (void *)e.key.data, .size = (uint32_t)e.key.len};
    DBT data = {.data = (void *)e.record.data, .size = (uint32_t)e.record.len};

    if (e.kind == EFFECT_PUT)
        return p->cursor->put(p->cursor, &key, &data, DB_KEYFIRST);

    DBT nothing = {.flags = DB_DBT_USERMEM | DB_DBT_PARTIAL};
    int code = p->cursor->get(p->cursor, &key, &nothing, DB_SET);
    if (code == 0)
        code = p->cursor->del(p->cursor, 0);
    return code == DB_NOTFOUND ? 0 : code;
}

static int
put_piece(struct storage *s, const struct change *changes, size_t count)
{
    struct piece p = {.storage = s};
    struct table *table = NULL;
    int code = s->env->txn_begin(s->env, NULL, &p.txn, 0);

    if (code != 0)
        return code;
    for (size_t i = 0; i < count && code == 0; i++) {
        if (i + LOOK_AHEAD < count)
            fetch_ahead(&changes[i + LOOK_AHEAD]);
        if (changes[i].table != table)
            code = enter_table(&p, changes[i].table);
        else if (i % TURN == 0)
            pause_for_readers(&p);
        table = changes[i].table;
        if (code == 0)
            code = carry_out(&p, &changes[i]);
    }
    return finish_piece(&p, code);
}

static int
apply_changes(struct storage *s, struct sweep *sweep)
{
    size_t from = 0;

    while (from < sweep->nchanges) {
        int ntables;
        size_t to = piece_end(sweep, from, &ntables);
        int code = put_piece(s, sweep->changes + from, to - from);

        if (code != 0)
            return code;
        checkpoint_note(s, to - from, ntables);
        atomic_fetch_add(&s->transactions, 1);
        from = to;
        atomic_store(&s->backlog.done_ppm, (int64_t)(from * PPM / sweep->nchanges));
    }
    return 0;
}

/* --- the mark --- */

/* All old names go before the first new one comes: it may be one of them. */
static int
put_rows(struct storage *s, DB_TXN *txn, struct sweep *sweep)
{
    int code = 0;

    for (struct table *t = sweep->touched; t != NULL && code == 0; t = t->next_touched) {
        if (t->has_row && (t->new_count == 0 || !bytes_eq(t->name, t->new_name)))
            code = catalog_delete(s->catalog, txn, t->name);
    }
    for (struct table *t = sweep->touched; t != NULL && code == 0; t = t->next_touched) {
        struct catalog_row row = {t->id, t->new_name, t->new_count, t->new_expires, ""};
        memcpy(row.file, t->file, sizeof row.file);
        if (t->new_count > 0)
            code = catalog_put(s->catalog, txn, &row);
    }
    return code;
}

static int
move_mark(struct storage *s, struct sweep *sweep)
{
    DB_TXN *txn;
    int code = s->env->txn_begin(s->env, NULL, &txn, 0);

    if (code != 0)
        return code;
    s->mark.number = sweep->number;
    if (sweep->max_id >= s->mark.next_id)
        s->mark.next_id = sweep->max_id + 1;
    code = put_rows(s, txn, sweep);
    if (code == 0)
        code = catalog_put_mark(s->catalog, txn, &s->mark);
    return commit_or_abort(txn, code);
}

/* The rows that were written are the tables' own from now on; empty tables go. */
static void
settle(struct storage *s, struct sweep *sweep)
{
    struct table *next;

    for (struct table *t = sweep->touched; t != NULL; t = next) {
        next = t->next_touched;
        t->touched = false;
        t->has_row = true;
        t->count = t->new_count;
        t->expires = t->new_expires;
        if (!bytes_eq(t->name, t->new_name))
            tables_rename(t, t->new_name);
        if (t->count == 0)
            tables_forget(s->tables, t);
    }
    sweep->touched = NULL;
}

/* --- the thread --- */

static int
try_sweep(struct storage *s, struct sweep *sweep)
{
    if (storage_flush(s) != 0)
        return -1;
    int code = drop_flushed_files(s, sweep);
    if (code == 0)
        code = apply_changes(s, sweep);
    if (code == 0)
        code = move_mark(s, sweep);
    return code == 0 ? 0 : dberr_log(code, "The tables cannot be written");
}

/* Until it is done, or until it fails while there is no time left. */
static int
apply(struct storage *s, const struct chunk *chunks)
{
    struct sweep sweep;

    if (sweep_build(&sweep, s->tables, chunks) != 0)
        return -1;
    while (try_sweep(s, &sweep) != 0) {
        atomic_store(&s->apply_failing, true);
        if (backlog_pause(&s->backlog, RETRY_MS)) {
            sweep_free(&sweep);
            return -1;
        }
    }
    if (atomic_exchange(&s->apply_failing, false))
        log_line(LOG_WARNING, "The tables can be written again");
    settle(s, &sweep);
    atomic_store(&s->applied, sweep.number);
    sweep_free(&sweep);
    return 0;
}

/* A portion of the log up to batch last, from where the reader is. NULL: it cannot be
 * read now. */
static struct chunk *
read_portion(struct storage *s, uint64_t last)
{
    int64_t portion = backlog_portion(&s->backlog), bytes = 0;
    struct chunk *first = NULL, **end = &first;
    int more = 1;

    while (bytes < portion
           && (more = wal_reader_next(s->applier.reader, last, end)) == 1) {
        bytes += (*end)->len;
        end = &(*end)->next;
    }
    if (more < 0) {
        wal_reader_reuse(s->applier.reader, first);
        return NULL;
    }
    backlog_begin(&s->backlog, bytes);
    return first;
}

/* A reader that stands behind the mark. */
static bool
seek(struct storage *s)
{
    if (s->applier.reader == NULL)
        s->applier.reader = wal_reader_new(s->wal, s->mark.number);
    return s->applier.reader != NULL;
}

/* What is to be applied next, however often it takes to read it; the caller frees it.
 * NULL: there is no more, or no time. */
static struct chunk *
take(struct storage *s)
{
    struct chunk *chunks;
    uint64_t last;

    if (!backlog_take(&s->backlog, &last))
        return NULL;
    while (!seek(s) || (chunks = read_portion(s, last)) == NULL) {
        if (s->applier.reader != NULL)
            wal_reader_free(s->applier.reader);
        s->applier.reader = NULL;
        atomic_store(&s->apply_failing, true);
        if (backlog_pause(&s->backlog, RETRY_MS))
            return NULL;
    }
    return chunks;
}

static void *
run(void *arg)
{
    struct storage *s = arg;
    struct chunk *chunks;
    int failed = 0;

    setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread: Linux has it so */
    while (!failed && (chunks = take(s)) != NULL) {
        failed = apply(s, chunks);
        wal_reader_reuse(s->applier.reader, chunks);
        if (failed) {
            atomic_store(&s->apply_failing, true);
            break;
        }
        if (!backlog_done(&s->backlog))
            wal_reader_trim(s->applier.reader);
        checkpoint_note(s, 0, 0);
        s->wake(s->wake_arg);
    }
    return NULL;
}

void
applier_start(struct storage *s)
{
    if (pthread_create(&s->applier.thread, NULL, run, s) != 0)
        panic("the applier cannot be started");
}

void
applier_stop(struct storage *s)
{
    backlog_stop(&s->backlog);
    pthread_join(s->applier.thread, NULL);
    if (s->applier.reader != NULL)
        wal_reader_free(s->applier.reader);
}
