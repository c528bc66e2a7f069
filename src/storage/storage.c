/* See storage.h. The face of the room: opening, closing, and what the loop asks for. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/storage.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/dberr.h"
#include "storage/disk.h"
#include "storage/home.h"
#include "storage/replayer.h"
#include "storage/storage_priv.h"
#include "storage/tables_env.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- opening --- */

static void
add_table(void *arg, const struct catalog_row *row)
{
    struct storage *s = arg;
    struct table *t = tables_add(s->tables, row->id, row->name);

    t->has_row = true;
    t->count = row->count;
    t->expires = row->expires;
    memcpy(t->file, row->file, sizeof t->file);
}

static int
open_tables(struct storage *s, const struct storage_options *options)
{
    int64_t begin_us = clock_mono_us();
    int code = tables_env_open(s->dir, options->cache, &s->env);

    if (code != 0)
        return dberr_log(code, "The tables cannot be recovered from " HOME_TXN);
    log_line(LOG_NOTICE, "Tables recovered: %.3f seconds",
             (double)(clock_mono_us() - begin_us) / 1e6);
    s->catalog = catalog_open(s->env);
    if (s->catalog == NULL || catalog_read_mark(s->catalog, &s->mark) != 0)
        return -1;
    s->tables = tables_new(s->env, options->max_open_tables);
    return catalog_rows(s->catalog, add_table, s);
}

/* Frees what is there of it; the threads are gone. */
static void
release(struct storage *s)
{
    backlog_deinit(&s->backlog);
    if (s->tables != NULL)
        tables_free(s->tables);
    if (s->catalog != NULL)
        catalog_close(s->catalog);
    if (s->env != NULL)
        s->env->close(s->env, 0);
    if (s->wal != NULL)
        wal_close(s->wal);
    if (s->lock >= 0)
        close(s->lock);
    free(s->dir);
    free(s);
}

struct storage *
storage_open(const struct storage_options *options, char error[STORAGE_ERROR_MAX])
{
    struct storage *s = xcalloc(1, sizeof *s);

    disk_begin();
    s->dir = bytes_dup(bytes_str(options->dir));
    s->wake = options->wake;
    s->wake_arg = options->wake_arg;
    s->sync = options->sync;
    backlog_init(&s->backlog, options->distance, options->apply_delay);
    s->readers.nthreads = options->read_threads;
    s->lock = home_open(s->dir, error, STORAGE_ERROR_MAX);
    if (s->lock >= 0) {
        snprintf(error, STORAGE_ERROR_MAX, "%s: cannot be used; the lines above say why",
                 s->dir);
        s->wal = wal_open(s->dir);
    }
    if (s->wal == NULL || open_tables(s, options) != 0) {
        release(s);
        return NULL;
    }
    s->next = s->mark.number + 1;
    s->next_store = s->mark.next_id;
    s->applied = s->mark.number;
    s->checkpointed = s->mark.number; /* recovery ends with one */
    s->written = s->mark.number;
    return s;
}

struct rows {
    storage_row_fn *visit;
    void *arg;
};

static void
visit_row(void *arg, const struct catalog_row *row)
{
    struct rows *r = arg;
    struct storage_row out = {row->id, row->name, row->count, row->expires};

    r->visit(r->arg, &out);
}

int
storage_rows(struct storage *s, storage_row_fn *visit, void *arg)
{
    struct rows rows = {visit, arg};

    return catalog_rows(s->catalog, visit_row, &rows);
}

static int
take_run(struct storage *s, const struct replay_run *run, storage_replay_fn *take,
         void *arg)
{
    uint64_t number = run->chunk->number;
    size_t count;

    for (size_t at = 0; at < run->count; at += count) {
        count = run->count - at < REPLAY_GROUP ? run->count - at : REPLAY_GROUP;
        take(arg, number, run->changes + at, count);
    }
    if (run->damaged) {
        log_line(
            LOG_WARNING,
            "The log is damaged: batch %llu, or one before it, has what is no effect",
            (unsigned long long)number);
        return -1;
    }
    if (run->max_store >= s->next_store)
        s->next_store = run->max_store + 1;
    backlog_add(&s->backlog, number, run->chunk->len);
    s->next = number + 1;
    atomic_store(&s->written, number);
    return 0;
}

/* Each sweep is in the log before a table has any of it. */
static int
check_reach(struct storage *s)
{
    uint64_t reach;

    if (catalog_read_reach(s->catalog, &reach) != 0)
        return -1;
    if (reach <= atomic_load(&s->written))
        return 0;
    log_line(
        LOG_WARNING,
        "The log is damaged: it ends behind batch %llu, and the tables may have %llu",
        (unsigned long long)atomic_load(&s->written), (unsigned long long)reach);
    return -1;
}

int
storage_replay(struct storage *s, storage_replay_fn *take, void *arg)
{
    struct replayer *r = replayer_start(s->wal, s->mark.number);
    struct replay_run *run;
    int failed = 0;

    assert(!s->started);
    while ((run = replayer_next(r)) != NULL) {
        failed = failed || take_run(s, run, take, arg) != 0;
    }
    if (replayer_finish(r) != 0 || failed || check_reach(s) != 0
        || tables_env_remove_strays(s->env, s->dir, s->catalog) != 0)
        return -1;
    if (wal_start(s->wal, atomic_load(&s->written), s->mark.number) != 0)
        return -1;
    /* What a process that was killed had left to the kernel has to be safe before it is
     * told. */
    return s->sync == SYNC_ALWAYS ? storage_flush(s) : 0;
}

void
storage_start(struct storage *s)
{
    s->started = true;
    s->checkpoint.last_us = clock_mono_us();
    applier_start(s);
    flusher_start(s, s->sync == SYNC_EVERYSEC);
    readers_start(s, s->readers.nthreads);
}

int
storage_close(struct storage *s)
{
    int failed = 0;

    if (s->started) {
        readers_stop(s);
        applier_stop(s);
        flusher_stop(s);
        if (checkpoint_make(s) != 0 || storage_flush(s) != 0
            || atomic_load(&s->applied) != atomic_load(&s->written))
            failed = -1;
    }
    release(s);
    return failed;
}

/* --- writing --- */

uint32_t
storage_new_store(struct storage *s)
{
    return s->next_store++;
}

uint64_t
storage_next(const struct storage *s)
{
    return s->next;
}

int
storage_append(struct storage *s, struct bytes effects)
{
    bool flush = s->sync == SYNC_ALWAYS;

    if (disk_has_failed() || wal_append(s->wal, s->next, effects, flush) != 0) {
        atomic_store(&s->log_failing, true);
        return -1;
    }
    atomic_store(&s->log_failing, false);
    backlog_add(&s->backlog, s->next, (int64_t)effects.len);
    atomic_store(&s->written, s->next);
    if (flush)
        atomic_store(&s->last_sync_ms, clock_ms());
    s->next++;
    return 0;
}

int
storage_flush(struct storage *s)
{
    if (wal_flush(s->wal) != 0)
        return -1;
    atomic_store(&s->last_sync_ms, clock_ms());
    return 0;
}

void
storage_flush_soon(struct storage *s)
{
    flusher_ask(s);
}

bool
storage_may_write(struct storage *s)
{
    return backlog_has_room(&s->backlog);
}

bool
storage_is_stuck(struct storage *s)
{
    return disk_has_failed() || (atomic_load(&s->apply_failing) && !storage_may_write(s));
}

void
storage_hurry(struct storage *s)
{
    backlog_hurry(&s->backlog);
}

void
storage_tune(struct storage *s, const struct storage_options *options)
{
    s->sync = options->sync;
    if (s->sync == SYNC_ALWAYS)
        storage_flush(s);
    flusher_set_active(s, options->sync == SYNC_EVERYSEC);
    backlog_tune(&s->backlog, options->distance, options->apply_delay);
    tables_set_max_open(s->tables, options->max_open_tables);
}

/* --- reading --- */

uint64_t
storage_written(const struct storage *s)
{
    return atomic_load(&s->written);
}

uint64_t
storage_durable(const struct storage *s)
{
    return wal_durable(s->wal);
}

uint64_t
storage_applied(const struct storage *s)
{
    return atomic_load(&s->applied);
}

uint64_t
storage_checkpointed(const struct storage *s)
{
    return atomic_load(&s->checkpointed);
}

uint64_t
storage_promised(const struct storage *s)
{
    return s->sync == SYNC_ALWAYS ? storage_durable(s) : storage_written(s);
}

void
storage_submit(struct storage *s, struct storage_read *r)
{
    readers_ask(&s->readers, r);
}

void
storage_finish_reads(struct storage *s)
{
    if (s->started)
        readers_finish(&s->readers);
}

struct storage_read *
storage_completed(struct storage *s)
{
    return s->started ? readers_take_done(&s->readers) : NULL;
}

void
storage_table(struct storage *s, uint32_t store, struct storage_table *out)
{
    char path[4096];
    struct stat file;

    *out = (struct storage_table){0};
    tables_file(s->tables, store, out->file);
    if (out->file[0] == '\0')
        return;
    snprintf(path, sizeof path, "%s/%s", s->dir, out->file);
    if (stat(path, &file) == 0)
        out->bytes = file.st_size;
}

void
storage_stats(struct storage *s, struct storage_stats *out)
{
    out->log_ahead =
        atomic_load(&s->backlog.waiting) + atomic_load(&s->backlog.under_way);
    out->log_bytes = wal_size(s->wal);
    out->last_sync_ms = atomic_load(&s->last_sync_ms);
    out->transactions = atomic_load(&s->transactions);
    out->checkpoints = atomic_load(&s->checkpoint.count);
    out->reads = atomic_load(&s->readers.keys);
    out->open_tables = tables_open_count(s->tables);
    out->failing = disk_has_failed() || atomic_load(&s->log_failing)
                   || atomic_load(&s->apply_failing);
}
