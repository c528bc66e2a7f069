/* flusher: the thread that brings the log to the disk once a second, for appendfsync
 * everysec, and whenever it is asked to. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_FLUSHER_H
#define STORAGE_FLUSHER_H

#include <pthread.h>
#include <stdbool.h>

struct storage;

struct flusher {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    bool active; /* appendfsync is everysec */
    bool asked;  /* the log is to be flushed at once */
    bool stop;
};

void flusher_start(struct storage *s, bool active);
void flusher_set_active(struct storage *s, bool active);
void flusher_ask(struct storage *s);
void flusher_stop(struct storage *s);

#endif
