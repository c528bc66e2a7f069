/* See checkpointer.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/checkpointer.h"
#include "base/clock.h"
#include "base/mem.h"
#include "storage/dberr.h"
#include "storage/storage_priv.h"

#define ENOUGH_CHANGES 40000
#define LONG_AGO_US    (10 * 1000 * 1000)

static bool
is_due(const struct checkpointer *c)
{
    return c->changes >= ENOUGH_CHANGES
           || (c->dirty && clock_mono_us() - c->last_us >= LONG_AGO_US);
}

/* The mark is read first: what is above it may not be in this checkpoint. */
static int
checkpoint(struct storage *s)
{
    uint64_t applied = atomic_load(&s->applied);
    int code = s->env->txn_checkpoint(s->env, 0, 0, 0);

    if (code != 0)
        return dberr_log(code, "The tables cannot be checkpointed");
    wal_remove(s->wal, applied);
    return 0;
}

static void *
run(void *arg)
{
    struct storage *s = arg;
    struct checkpointer *c = &s->checkpointer;

    pthread_mutex_lock(&c->mutex);
    for (;;) {
        while (!c->stop && !is_due(c))
            pthread_cond_wait(&c->changed, &c->mutex);
        if (c->stop)
            break;
        c->changes = 0;
        c->dirty = false;
        c->busy = true;
        c->last_us = clock_mono_us();
        pthread_mutex_unlock(&c->mutex);
        checkpoint(s);
        pthread_mutex_lock(&c->mutex);
        c->busy = false;
        c->count++;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

void
checkpointer_start(struct storage *s)
{
    struct checkpointer *c = &s->checkpointer;

    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->last_us = clock_mono_us();
    if (pthread_create(&c->thread, NULL, run, s) != 0)
        panic("the checkpointer cannot be started");
}

int
checkpointer_stop(struct storage *s)
{
    struct checkpointer *c = &s->checkpointer;

    pthread_mutex_lock(&c->mutex);
    c->stop = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    return checkpoint(s);
}

void
checkpointer_note(struct checkpointer *c, size_t changes)
{
    pthread_mutex_lock(&c->mutex);
    c->changes += changes;
    c->dirty = true;
    if (is_due(c))
        pthread_cond_broadcast(&c->changed);
    while (c->busy && c->changes >= ENOUGH_CHANGES)
        pthread_cond_wait(&c->changed, &c->mutex);
    pthread_mutex_unlock(&c->mutex);
}

uint64_t
checkpointer_count(struct checkpointer *c)
{
    pthread_mutex_lock(&c->mutex);
    uint64_t count = c->count;
    pthread_mutex_unlock(&c->mutex);
    return count;
}
