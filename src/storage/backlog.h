/*
 * backlog: what is in the log and not yet in the tables, as it waits for the applier. The
 * loop adds batches, the applier takes all or the oldest half; it is the mutex between
 * them.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_BACKLOG_H
#define STORAGE_BACKLOG_H

#include "base/bytes.h"
#include "storage/wal.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define CHUNK_SIZE (4 * 1024 * 1024) /* bytes of effects; a larger batch has its own */

/* A run of whole batches. */
struct chunk {
    struct chunk *next;
    size_t len, cap;
    uint64_t number;        /* of its last batch, */
    struct wal_place place; /* and where that begins in the log */
    char data[];
};

/* A list of chunks as it grows. */
struct chunks {
    struct chunk *first, *last;
};

/* Copies a batch to its end. */
void chunks_add(struct chunks *c, uint64_t number, struct wal_place place,
                struct bytes effects);

struct backlog {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    struct chunks chunks;
    int64_t since_us; /* when the first batch of it was added */
    int64_t delay_us; /* a batch may wait so long for others */
    int64_t distance; /* bytes that may wait and be under way together */
    bool hurry, stop;
    /* For everyone: */
    _Atomic int64_t waiting;   /* bytes in it */
    _Atomic int64_t under_way; /* bytes the applier has taken */
    _Atomic int64_t done_ppm;  /* how much of what is under way is applied */
};

void backlog_init(struct backlog *b, int64_t distance, int64_t delay_ms);
void backlog_deinit(struct backlog *b);
void backlog_tune(struct backlog *b, int64_t distance, int64_t delay_ms);

/* Copies a batch in. Loop only. */
void backlog_add(struct backlog *b, uint64_t number, struct wal_place place,
                 struct bytes effects);

/* So many bytes are in the log from before and wait too, though not here: the applier
 * reads them back itself. */
void backlog_owe(struct backlog *b, int64_t bytes);

/* So many of the bytes that waited are under way from now on. backlog_take says it
 * itself; what is owed, whoever reads it back. */
void backlog_begin(struct backlog *b, int64_t bytes);

/* How many bytes are worth taking at once: half the distance, so that the other half can
 * fill. */
int64_t backlog_portion(struct backlog *b);

/* Waits until there is enough, or until it is old enough, and takes it; NULL: stopped,
 * and nothing is left. The caller frees the chunks with chunks_free. Applier only. */
struct chunk *backlog_take(struct backlog *b);
void chunks_free(struct chunk *chunks);

/* What was taken is applied. */
void backlog_done(struct backlog *b);

/* Waits for at most ms or until it is to stop. True: it is to stop. Applier only. */
bool backlog_pause(struct backlog *b, int64_t ms);

void backlog_hurry(struct backlog *b);
void backlog_stop(struct backlog *b);

/* Whether more may be added. Three eighths of the distance may wait at any time; up to
 * half of it only as fast as what is under way is applied: so writers slow down by and by
 * and do not wait for a whole sweep. */
bool backlog_has_room(struct backlog *b);

#endif
