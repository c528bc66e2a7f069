/*
 * checkpointer: the thread that brings the tables' pages to the disk, so that recovery
 * has little to redo, and then removes the log's files that nothing needs any more.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_CHECKPOINTER_H
#define STORAGE_CHECKPOINTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct storage;

struct checkpointer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    size_t changes;  /* applied since the last checkpoint began */
    int64_t last_us; /* when that was */
    bool dirty;      /* something was applied since */
    bool busy, stop;
    uint64_t count;
};

void checkpointer_start(struct storage *s);

/* Ends the thread after a last checkpoint. -1: it failed, with the reason logged. */
int checkpointer_stop(struct storage *s);

/* So many changes more were applied. Starts a checkpoint when there are enough of them,
 * or when the last is long ago; waits while the one before is still on its way and there
 * are enough for another. Applier only. */
void checkpointer_note(struct checkpointer *c, size_t changes);

uint64_t checkpointer_count(struct checkpointer *c);

#endif
