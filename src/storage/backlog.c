/* See backlog.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/backlog.h"
#include "base/clock.h"
#include <time.h>

#define PPM         1000000
#define REST        3 /* times as long as the work took, */
#define REST_MAX_US (60 * INT64_C(1000000))

void
backlog_init(struct backlog *b, int64_t distance, int64_t delay_ms)
{
    pthread_condattr_t attributes;

    *b = (struct backlog){.distance = distance, .delay_us = delay_ms * 1000};
    b->done_ppm = PPM;
    pthread_mutex_init(&b->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void
backlog_deinit(struct backlog *b)
{
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->mutex);
}

void
backlog_tune(struct backlog *b, int64_t distance, int64_t delay_ms)
{
    pthread_mutex_lock(&b->mutex);
    b->distance = distance;
    b->delay_us = delay_ms * 1000;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

/* Bytes that may wait before the applier is busy: with so many a sweep is worth
 * starting. */
static int64_t
slack(const struct backlog *b)
{
    return b->distance / 8 * 3;
}

static bool
is_enough(struct backlog *b)
{
    return atomic_load(&b->waiting) >= slack(b);
}

void
backlog_add(struct backlog *b, uint64_t number, int64_t bytes)
{
    pthread_mutex_lock(&b->mutex);
    bool was_empty = atomic_load(&b->waiting) == 0, was_enough = is_enough(b);

    b->last = number;
    atomic_fetch_add(&b->waiting, bytes);
    if (was_empty)
        b->since_us = clock_mono_us();
    if (was_empty || (!was_enough && is_enough(b)))
        pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

void
backlog_begin(struct backlog *b, int64_t bytes)
{
    pthread_mutex_lock(&b->mutex);
    b->since_us = b->begun_us = b->stepped_us = clock_mono_us();
    b->done_ppm = 0;
    atomic_store(&b->under_way, bytes);
    atomic_fetch_sub(&b->waiting, bytes);
    pthread_mutex_unlock(&b->mutex);
}

int64_t
backlog_portion(struct backlog *b)
{
    pthread_mutex_lock(&b->mutex);
    int64_t portion = b->distance / 2;
    pthread_mutex_unlock(&b->mutex);
    return portion;
}

static void
wait_until(struct backlog *b, int64_t at_us)
{
    struct timespec at = {at_us / 1000000, at_us % 1000000 * 1000};

    pthread_cond_timedwait(&b->changed, &b->mutex, &at);
}

bool
backlog_take(struct backlog *b, uint64_t *last)
{
    pthread_mutex_lock(&b->mutex);
    for (;;) {
        int64_t ripe_us = b->since_us + b->delay_us;

        if (ripe_us < b->rest_us)
            ripe_us = b->rest_us;
        if (atomic_load(&b->waiting) == 0) {
            if (b->stop)
                break;
            pthread_cond_wait(&b->changed, &b->mutex);
        } else if (b->stop || b->hurry || is_enough(b) || clock_mono_us() >= ripe_us) {
            break;
        } else {
            wait_until(b, ripe_us);
        }
    }
    bool taken = atomic_load(&b->waiting) > 0;
    b->hurry = false;
    *last = b->last;
    pthread_mutex_unlock(&b->mutex);
    return taken;
}

static void
step(struct backlog *b, int64_t done_ppm, int64_t now_us)
{
    b->before_ppm = b->done_ppm;
    b->done_ppm = done_ppm;
    b->step_us = now_us - b->stepped_us;
    b->stepped_us = now_us;
}

void
backlog_step(struct backlog *b, size_t done, size_t all)
{
    pthread_mutex_lock(&b->mutex);
    step(b, (int64_t)(done * PPM / all), clock_mono_us());
    pthread_mutex_unlock(&b->mutex);
}

bool
backlog_done(struct backlog *b)
{
    pthread_mutex_lock(&b->mutex);
    int64_t now_us = clock_mono_us(), rest_us = REST * (now_us - b->begun_us);
    bool enough = is_enough(b);

    if (b->done_ppm < PPM)
        step(b, PPM, now_us);
    b->rest_us = now_us + (rest_us < REST_MAX_US ? rest_us : REST_MAX_US);
    pthread_mutex_unlock(&b->mutex);

    atomic_store(&b->under_way, 0);
    return enough;
}

bool
backlog_pause(struct backlog *b, int64_t ms)
{
    int64_t until_us = clock_mono_us() + ms * 1000;

    pthread_mutex_lock(&b->mutex);
    while (!b->stop && clock_mono_us() < until_us)
        wait_until(b, until_us);
    bool stop = b->stop;
    pthread_mutex_unlock(&b->mutex);
    return stop;
}

void
backlog_hurry(struct backlog *b)
{
    pthread_mutex_lock(&b->mutex);
    b->hurry = atomic_load(&b->waiting) > 0;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

void
backlog_stop(struct backlog *b)
{
    pthread_mutex_lock(&b->mutex);
    b->stop = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

/* What is applied, as far as it counts for the room there is. */
static int64_t
granted_ppm(struct backlog *b)
{
    pthread_mutex_lock(&b->mutex);
    int64_t granted = b->done_ppm, since_us = clock_mono_us() - b->stepped_us;

    if (since_us < b->step_us)
        granted = b->before_ppm + (granted - b->before_ppm) * since_us / b->step_us;
    pthread_mutex_unlock(&b->mutex);
    return granted;
}

bool
backlog_has_room(struct backlog *b)
{
    int64_t most = b->distance / 2, least = slack(b);
    int64_t waiting = atomic_load(&b->waiting);

    return waiting < least
           || (waiting < most && waiting < least + (most - least) * granted_ppm(b) / PPM);
}
