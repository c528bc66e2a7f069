/*
 * wal: the log, which is the promise. A Berkeley DB environment with nothing but a log,
 * so that no other thread's records stand between a batch and the disk.
 *
 * A batch is one log record, or a chain of records where it is larger than WAL_PIECE:
 *
 *   4 bytes   record type, WAL_RECTYPE, as Berkeley DB wants it of an application
 *   1 byte    version, 1
 *   1 byte    flags: WAL_FIRST, WAL_LAST of its chain
 *   2 bytes   0
 *   8 bytes   the batch's number
 *   the effects, or a piece of them
 *
 * A chain counts only when its last record is there. Numbers have no gaps.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_WAL_H
#define STORAGE_WAL_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

#define WAL_DIR       "wal"
#define WAL_PIECE     (1024 * 1024)      /* bytes of effects in one record */
#define WAL_FILE_SIZE (32 * 1024 * 1024) /* bytes */

struct wal;

/* Where a batch begins in the log; 0,0 for nowhere. */
struct wal_place {
    uint32_t file;
    uint32_t offset;
};

/* Opens the log below home, NULL with the reason logged where it cannot be. */
struct wal *wal_open(const char *home);
void wal_close(struct wal *w);

/* Gives each whole batch after number `after`, whose place is given (0,0: from the
 * front), in order. effects is borrowed. A visit that does not give 0 ends it, and that
 * is given back. -1: the log is damaged or has a gap; the reason is logged. From any
 * thread. */
typedef int wal_batch_fn(void *arg, uint64_t number, struct wal_place place,
                         struct bytes effects);
int wal_replay(struct wal *w, uint64_t after, struct wal_place place, wal_batch_fn *visit,
               void *arg);

/* Appends a batch to what the kernel keeps, or with flush to what the disk keeps. Loop
 * only. -1: it is to be appended again, the same, before any other, for what Berkeley DB
 * has in its buffer may yet reach the file. The first of several failures is logged. */
int wal_append(struct wal *w, uint64_t number, struct bytes effects, bool flush,
               struct wal_place *place);

/* Brings everything that was appended to the disk, also what an earlier process had left
 * to the kernel. From any thread. */
int wal_flush(struct wal *w);

/* Removes the files in which every batch is at or below number. From any thread. */
void wal_remove(struct wal *w, uint64_t number);

/* Bytes its files take on the disk. From any thread. */
int64_t wal_size(struct wal *w);

#endif
