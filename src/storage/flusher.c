/* See flusher.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/flusher.h"
#include "base/clock.h"
#include "base/mem.h"
#include "storage/storage_priv.h"
#include <time.h>

#define FLUSH_EVERY_US 1000000

/* Waits for a second, less where it is asked for something. */
static void
wait_a_second(struct flusher *f)
{
    int64_t until_us = clock_mono_us() + FLUSH_EVERY_US;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    while (!f->stop && !f->asked && clock_mono_us() < until_us)
        pthread_cond_timedwait(&f->changed, &f->mutex, &until);
}

static void *
run(void *arg)
{
    struct storage *s = arg;
    struct flusher *f = &s->flusher;
    bool owed = false;

    pthread_mutex_lock(&f->mutex);
    while (!f->stop) {
        bool active = f->active;
        owed = owed || f->asked;
        f->asked = false;
        pthread_mutex_unlock(&f->mutex);
        if (active || owed)
            owed = storage_durable(s) < storage_written(s) && storage_flush(s) != 0;
        pthread_mutex_lock(&f->mutex);
        wait_a_second(f);
    }
    pthread_mutex_unlock(&f->mutex);
    return NULL;
}

void
flusher_start(struct storage *s, bool active)
{
    struct flusher *f = &s->flusher;
    pthread_condattr_t attributes;

    f->active = active;
    pthread_mutex_init(&f->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&f->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&f->thread, NULL, run, s) != 0)
        panic("the flusher cannot be started");
}

void
flusher_set_active(struct storage *s, bool active)
{
    pthread_mutex_lock(&s->flusher.mutex);
    s->flusher.active = active;
    pthread_mutex_unlock(&s->flusher.mutex);
}

void
flusher_ask(struct storage *s)
{
    struct flusher *f = &s->flusher;

    pthread_mutex_lock(&f->mutex);
    f->asked = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->mutex);
}

void
flusher_stop(struct storage *s)
{
    struct flusher *f = &s->flusher;

    pthread_mutex_lock(&f->mutex);
    f->stop = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->mutex);
    pthread_join(f->thread, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->mutex);
}
