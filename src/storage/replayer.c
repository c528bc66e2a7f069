/*
 * See replayer.h. Runs go round in a ring: the thread fills one after another, the loop
 * takes them in behind it. Their memory is used again and again. While all are full, the
 * thread has memory made ready for what the loop loads.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/replayer.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pages.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define RUNS        4
#define TOUCH_FROM  (6 * 1024 * 1024)  /* bytes a run takes in memory, or about so many */
#define TOUCH_AHEAD (32 * 1024 * 1024) /* at most, behind these */

struct replayer {
    struct wal *wal;
    uint64_t after;
    pthread_t thread;
    struct replay_run runs[RUNS];
    uintptr_t touched; /* memory is ready up to here; the thread's */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    size_t nfilled, ntaken; /* so many runs were, since the start */
    bool taking;            /* the loop has one in hand */
    uintptr_t fresh;        /* memory the loop takes next, as it came for that one */
    bool ended;
    int failed;
};

/* --- the thread --- */

static void
add_change(struct replay_run *run, const struct replayed *change)
{
    if (run->count == run->cap) {
        run->cap = run->cap == 0 ? 1024 : 2 * run->cap;
        run->changes = xrealloc(run->changes, run->cap * sizeof *run->changes);
    }
    run->changes[run->count++] = *change;
    if (change->effect.store > run->max_store)
        run->max_store = change->effect.store;
}

static void
take_apart(struct replay_run *run)
{
    struct bytes batches = run->chunk->batches;
    struct wal_batch batch;

    run->count = 0;
    while (!run->damaged && chunk_next(&batches, &batch)) {
        struct replayed change = {0};
        int more;
        while ((more = effect_next(&batch.effects, &change.effect)) == 1) {
            change.hash = map_hash(change.effect.key);
            add_change(run, &change);
        }
        run->damaged = more < 0;
    }
}

/* Has some of the memory made ready that the loop will take after the run it has in hand.
 * False: it is far enough ahead. */
static bool
touch_ahead(struct replayer *r)
{
    uintptr_t next = (r->fresh + TOUCH_FROM) / PAGES_TOUCHED * PAGES_TOUCHED;
    uintptr_t at = r->touched > next ? r->touched : next;

    if (r->fresh == 0 || at >= next + TOUCH_AHEAD)
        return false;
    pthread_mutex_unlock(&r->mutex);
    bool is_ready = pages_touch_fresh(at);
    pthread_mutex_lock(&r->mutex);
    if (is_ready)
        r->touched = at + PAGES_TOUCHED;
    return is_ready;
}

/* Waits for a run the loop is done with. */
static struct replay_run *
next_empty(struct replayer *r)
{
    pthread_mutex_lock(&r->mutex);
    while (r->nfilled - r->ntaken == RUNS) {
        if (!touch_ahead(r) && r->nfilled - r->ntaken == RUNS)
            pthread_cond_wait(&r->changed, &r->mutex);
    }
    struct replay_run *run = &r->runs[r->nfilled % RUNS];
    pthread_mutex_unlock(&r->mutex);
    return run;
}

static int
read_log(struct replayer *r, struct wal_reader *reader)
{
    for (;;) {
        struct replay_run *run = next_empty(r);

        wal_reader_reuse(reader, run->chunk);
        run->chunk = NULL;
        int more = wal_reader_next(reader, WAL_END, &run->chunk);
        if (more != 1)
            return more;
        take_apart(run);
        pthread_mutex_lock(&r->mutex);
        r->nfilled++;
        pthread_cond_signal(&r->changed);
        pthread_mutex_unlock(&r->mutex);
    }
}

static void *
run(void *arg)
{
    struct replayer *r = arg;
    struct wal_reader *reader = wal_reader_new(r->wal, r->after);
    int failed = reader == NULL ? -1 : read_log(r, reader);

    if (reader != NULL)
        wal_reader_free(reader);
    pthread_mutex_lock(&r->mutex);
    r->failed = failed;
    r->ended = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* --- the loop --- */

struct replayer *
replayer_start(struct wal *w, uint64_t after)
{
    struct replayer *r = xcalloc(1, sizeof *r);

    r->wal = w;
    r->after = after;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->changed, NULL);
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        panic("the replayer cannot be started");
    return r;
}

struct replay_run *
replayer_next(struct replayer *r)
{
    struct replay_run *next = NULL;
    uintptr_t fresh = pages_fresh();

    pthread_mutex_lock(&r->mutex);
    r->fresh = fresh;
    if (r->taking) {
        r->ntaken++;
        pthread_cond_signal(&r->changed);
    }
    while (r->ntaken == r->nfilled && !r->ended)
        pthread_cond_wait(&r->changed, &r->mutex);
    r->taking = r->ntaken < r->nfilled;
    if (r->taking)
        next = &r->runs[r->ntaken % RUNS];
    /* Not before: malloc would have as large an area for the thread, which is the applier's
     * next, and never gives it back. */
    if (r->taking && r->ntaken == 0)
        pages_load_begin();
    pthread_mutex_unlock(&r->mutex);
    return next;
}

int
replayer_finish(struct replayer *r)
{
    pthread_join(r->thread, NULL);
    pages_load_end();
    int failed = r->failed;
    for (size_t i = 0; i < RUNS; i++) {
        chunks_free(r->runs[i].chunk);
        free(r->runs[i].changes);
    }
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->mutex);
    free(r);
    return failed;
}
