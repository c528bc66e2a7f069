/* See replayer.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/replayer.h"
#include "base/mem.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define READ_AHEAD 4 /* chunks */

struct replayer {
    struct wal *wal;
    uint64_t after;
    struct wal_place place;
    pthread_t thread;
    struct chunks filling; /* thread only */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    struct chunk *ready[READ_AHEAD]; /* a ring */
    size_t first, nready;
    bool ended;
    int failed;
};

/* Gives the first chunk away, whether it is full or not. */
static void
hand_over(struct replayer *r)
{
    struct chunk *c = r->filling.first;

    r->filling.first = c->next;
    if (c->next == NULL)
        r->filling.last = NULL;
    c->next = NULL;
    pthread_mutex_lock(&r->mutex);
    while (r->nready == READ_AHEAD)
        pthread_cond_wait(&r->changed, &r->mutex);
    r->ready[(r->first + r->nready++) % READ_AHEAD] = c;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
}

static int
gather(void *arg, uint64_t number, struct wal_place place, struct bytes effects)
{
    struct replayer *r = arg;

    chunks_add(&r->filling, number, place, effects);
    if (r->filling.first != r->filling.last)
        hand_over(r);
    return 0;
}

static void *
run(void *arg)
{
    struct replayer *r = arg;
    int failed = wal_replay(r->wal, r->after, r->place, gather, r);

    if (r->filling.first != NULL)
        hand_over(r);
    pthread_mutex_lock(&r->mutex);
    r->failed = failed;
    r->ended = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

struct replayer *
replayer_start(struct wal *w, uint64_t after, struct wal_place place)
{
    struct replayer *r = xcalloc(1, sizeof *r);

    r->wal = w;
    r->after = after;
    r->place = place;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->changed, NULL);
    if (pthread_create(&r->thread, NULL, run, r) != 0)
        panic("the replayer cannot be started");
    return r;
}

struct chunk *
replayer_next(struct replayer *r)
{
    struct chunk *c = NULL;

    pthread_mutex_lock(&r->mutex);
    while (r->nready == 0 && !r->ended)
        pthread_cond_wait(&r->changed, &r->mutex);
    if (r->nready > 0) {
        c = r->ready[r->first];
        r->first = (r->first + 1) % READ_AHEAD;
        r->nready--;
        pthread_cond_signal(&r->changed);
    }
    pthread_mutex_unlock(&r->mutex);
    return c;
}

int
replayer_finish(struct replayer *r)
{
    pthread_join(r->thread, NULL);
    int failed = r->failed;
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->mutex);
    free(r);
    return failed;
}
