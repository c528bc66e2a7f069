/* readers: the threads that read keys from the tables while the loop goes on. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_READERS_H
#define STORAGE_READERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define READERS_MAX 16

struct storage;
struct storage_read;

struct readers {
    pthread_t threads[READERS_MAX];
    int nthreads;
    pthread_mutex_t mutex;
    pthread_cond_t changed;  /* something is asked for */
    pthread_cond_t finished; /* a read is done */
    /* Under the mutex: */
    struct storage_read *asked, **asked_end;
    struct storage_read *done;
    int nbusy; /* threads with a read in hand */
    bool stop;
    /* For everyone: */
    _Atomic uint64_t keys; /* read so far */
};

void readers_start(struct storage *s, int nthreads);

/* Waits until everything that was asked for is read. */
void readers_finish(struct readers *r);

/* Ends the threads; nothing is asked for any more. */
void readers_stop(struct storage *s);

void readers_ask(struct readers *r, struct storage_read *read);
struct storage_read *readers_take_done(struct readers *r);

#endif
