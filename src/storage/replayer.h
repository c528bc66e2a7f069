/*
 * replayer: reads the log on a thread of its own after a start, checks it and takes it
 * apart, while the loop takes in what was read before.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_REPLAYER_H
#define STORAGE_REPLAYER_H

#include "storage/storage.h"
#include "storage/wal.h"

/* A chunk of the log, and its changes. */
struct replay_run {
    struct chunk *chunk; /* effects point into it */
    struct replayed *changes;
    size_t count, cap;
    uint32_t max_store; /* the largest id it names */
    bool damaged;       /* behind its changes there are bytes that are none */
};

struct replayer;

/* Begins to read the batches after number `after`. */
struct replayer *replayer_start(struct wal *w, uint64_t after);

/* The next run, which is the caller's until the next call; NULL at the end. */
struct replay_run *replayer_next(struct replayer *r);

/* Once replayer_next gave NULL: frees it. -1: the log is damaged, with the reason logged. */
int replayer_finish(struct replayer *r);

#endif
