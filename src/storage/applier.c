/* See applier.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/applier.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/dberr.h"
#include "storage/piece.h"
#include "storage/storage_priv.h"
#include "storage/sweep.h"
#include "storage/tables_env.h"
#include <sys/resource.h>

#define RETRY_MS 1000 /* after a failure */
#define NICENESS 10   /* the loop goes first: it is the one clients wait for */

/* --- what comes first --- */

static bool
loses_its_file(const struct table *t)
{
    return t->flushed && t->file[0] != '\0';
}

/* Notes how far the tables may be from now on, and which of them lose their files. */
static int
announce(struct storage *s, struct sweep *sweep)
{
    DB_TXN *txn;
    int code = s->env->txn_begin(s->env, NULL, &txn, 0);

    if (code != 0)
        return code;
    code = catalog_put_reach(s->catalog, txn, sweep->number);
    for (struct table *t = sweep->touched; t != NULL && code == 0; t = t->next_touched) {
        if (loses_its_file(t))
            code = tables_note_file(s->catalog, txn, t, "");
    }
    return tables_env_end(txn, code);
}

static void
drop_flushed_files(struct storage *s, struct sweep *sweep)
{
    char file[FILENAME_MAX_LEN];

    for (struct table *t = sweep->touched; t != NULL; t = t->next_touched) {
        if (!loses_its_file(t))
            continue;
        tables_drop_file(s->tables, t, file);
        /* What stays behind here is removed at the next start. */
        int left = s->env->dbremove(s->env, NULL, file, NULL, DB_AUTO_COMMIT);
        if (left != 0)
            dberr_log(left, file);
    }
}

/* --- the changes --- */

/* No piece begins before the checkpoint that is due: where that cannot be made, the logs
 * would grow without end. */
static int
apply_changes(struct storage *s, struct sweep *sweep)
{
    size_t from = 0;

    while (from < sweep->nchanges) {
        struct extent done;
        int code = checkpoint_when_due(s);

        if (code == 0)
            code = piece_apply(s, sweep->changes + from, sweep->nchanges - from, &done);
        if (code != 0)
            return code;
        checkpoint_note(s, &done);
        atomic_fetch_add(&s->transactions, 1);
        from += done.changes;
        backlog_step(&s->backlog, from, sweep->nchanges);
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
    return tables_env_end(txn, code);
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
    int code = announce(s, sweep);
    if (code == 0) {
        drop_flushed_files(s, sweep);
        code = apply_changes(s, sweep);
    }
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

/* However often it takes to make it, while there is time. */
static void
checkpoint(struct storage *s)
{
    bool stop = false;

    while (!stop && checkpoint_when_due(s) != 0) {
        atomic_store(&s->apply_failing, true);
        stop = backlog_pause(&s->backlog, RETRY_MS);
    }
    if (!stop && atomic_exchange(&s->apply_failing, false))
        log_line(LOG_WARNING, "The tables can be checkpointed again");
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
        s->wake(s->wake_arg);
        checkpoint(s);
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
