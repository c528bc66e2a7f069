/*
 * backlog: how much is in the log and not yet in the tables. The loop adds batches, the
 * applier takes them, a portion at a time; it is the mutex between them. The batches
 * themselves are in the log.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_BACKLOG_H
#define STORAGE_BACKLOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct backlog {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    uint64_t last;    /* the last batch that was added */
    int64_t since_us; /* since when something waits */
    int64_t begun_us; /* when the applier took the last portion, */
    int64_t rest_us;  /* and until when it rests from it */
    int64_t delay_us; /* a batch may wait so long for others */
    int64_t distance; /* bytes that may wait and be under way together */
    int64_t done_ppm; /* how much of what is under way is applied; */
    int64_t before_ppm, stepped_us, step_us; /* before the last step, when it ended, and
                                                how long it took */
    bool hurry, stop;
    /* For everyone: */
    _Atomic int64_t waiting;   /* bytes in it */
    _Atomic int64_t under_way; /* bytes the applier has taken */
};

void backlog_init(struct backlog *b, int64_t distance, int64_t delay_ms);
void backlog_deinit(struct backlog *b);
void backlog_tune(struct backlog *b, int64_t distance, int64_t delay_ms);

/* Batch number is in the log, with so many bytes of effects. Loop only. */
void backlog_add(struct backlog *b, uint64_t number, int64_t bytes);

/* Waits until there is enough, or until it is old enough; then also until the applier has
 * rested three times as long as its last portion took, a minute at the most: little log may
 * be much work, where it changes large values. True: batches up to *last wait; false: it is
 * to stop, and nothing is left. Applier only. */
bool backlog_take(struct backlog *b, uint64_t *last);

/* How many bytes are worth taking at once: half the distance, so that the other half can
 * fill. */
int64_t backlog_portion(struct backlog *b);

/* So many of the bytes that waited are under way. Applier only. */
void backlog_begin(struct backlog *b, int64_t bytes);

/* So many of all the changes under way are applied. Applier only. */
void backlog_step(struct backlog *b, size_t done, size_t all);

/* What was taken is applied. True: there is enough for more already. */
bool backlog_done(struct backlog *b);

/* Waits for at most ms or until it is to stop. True: it is to stop. Applier only. */
bool backlog_pause(struct backlog *b, int64_t ms);

void backlog_hurry(struct backlog *b);
void backlog_stop(struct backlog *b);

/* Whether more may be added. Three eighths of the distance may wait at any time; up to
 * half of it only as fast as what is under way is applied: so writers slow down by and by
 * and do not wait for a whole sweep. Nor for a step of it: the room that one makes is given
 * out evenly, over as long as the step took. Loop only. */
bool backlog_has_room(struct backlog *b);

#endif
