/*
 * replayer: reads the log on a thread of its own after a start, while the loop takes in what was
 * read: half of the work is Berkeley DB's checksums, half is waiting for memory.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_REPLAYER_H
#define STORAGE_REPLAYER_H

#include "storage/backlog.h"
#include "storage/wal.h"

struct replayer;

/* Begins to read the batches after number `after`, whose place is given. */
struct replayer *replayer_start(struct wal *w, uint64_t after, struct wal_place place);

/* The next run of batches, which the caller frees with chunks_free; NULL at the end. */
struct chunk *replayer_next(struct replayer *r);

/* Once replayer_next gave NULL: frees it. -1: the log is damaged, with the reason logged. */
int replayer_finish(struct replayer *r);

#endif
