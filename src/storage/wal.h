/*
 * wal: the log, which is the promise. Batches one behind the other, in files of about
 * WAL_FILE_SIZE:
 *
 *   a file          8 bytes   WAL_MAGIC
 *                   4 bytes   version, 2
 *                   4 bytes   number of the file; the next has the next
 *                   8 bytes   number of its first batch
 *                   8 bytes   what was durable as it was begun: a batch's number
 *                   8 bytes   checksum of the above
 *                   batches
 *
 *   a batch         8 bytes   checksum of the rest, seeded with the file's number
 *                   8 bytes   the batch's number; the next has the next
 *                   5 bytes   bytes of effects
 *                   3 bytes   how far ahead of the disk it was appended: its number, less
 *                             the last one that was durable then; 0: further (and in
 *                             version 1)
 *                   the effects
 *
 * Integers are little endian. A batch whose checksum is wrong was not written whole: the
 * log ends before it, unless the next file goes on with its number (then an earlier start
 * ended it there), or a later file's head or a whole batch behind it says that it was
 * durable (then it is damaged). A whole batch that does not say so may well stand behind
 * one that is not: the system writes what is not flushed in any order.
 *
 * One thread, the loop, appends. Any thread reads, flushes, removes.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_WAL_H
#define STORAGE_WAL_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

#define WAL_DIR       "wal"
#define WAL_FILE_SIZE (32 * 1024 * 1024) /* bytes; a larger batch has a file of its own */
#define WAL_CHUNK     (4 * 1024 * 1024) /* bytes read at once; a larger batch is one chunk */

struct wal;

/* Opens the log below home, NULL with the reason logged where it cannot be. */
struct wal *wal_open(const char *home);
void wal_close(struct wal *w);

/* The log ends behind batch number, as a reader found: what lies behind it goes. Up to
 * batch durable the disk has it. Before the first wal_append. -1: what lies behind cannot
 * go, with the reason logged. */
int wal_start(struct wal *w, uint64_t number, uint64_t durable);

/* Appends a batch to what the kernel keeps, or with flush to what the disk keeps. Its
 * number is one more than the last one's. Loop only. -1: it is not in the log, and this
 * number is to be appended again before any other; the first of several failures is
 * logged. */
int wal_append(struct wal *w, uint64_t number, struct bytes effects, bool flush);

/* Brings everything that was appended to the disk, also what an earlier process had left
 * to the kernel. -1 with the reason logged; for good, where the disk has failed
 * (disk.h). */
int wal_flush(struct wal *w);

/* The last batch of which the disk has everything. */
uint64_t wal_durable(const struct wal *w);

/* Removes the files in which every batch is below number, which is durable: its own stays
 * and tells how far the log reaches. */
void wal_remove(struct wal *w, uint64_t number);

/* Bytes its files have. */
int64_t wal_size(struct wal *w);

struct wal_batch {
    uint64_t number;
    struct bytes effects;
};

/* A run of whole batches as they were read. */
struct chunk {
    struct chunk *next;   /* its owner's; NULL as it is given */
    uint64_t number;      /* of its last batch */
    int64_t len;          /* bytes of effects in it */
    struct bytes batches; /* for chunk_next */
    size_t cap;           /* bytes of data */
    char data[];
};

void chunks_free(struct chunk *first);

/* Takes a batch from the front of *batches of a chunk. False at their end. */
bool chunk_next(struct bytes *batches, struct wal_batch *out);

/* Reads the batches after number `after`, in order. NULL: the log has none of them and
 * does not reach as far; the reason is logged. Used by one thread at a time. */
struct wal_reader;
struct wal_reader *wal_reader_new(struct wal *w, uint64_t after);
void wal_reader_free(struct wal_reader *r);

/* The next batches, up to number `most`, which is in the log, or with WAL_END all there
 * are. 1: *out has some and is the caller's to free; 0: there are no more; -1: the log is
 * damaged, with the reason logged. */
#define WAL_END UINT64_MAX
int wal_reader_next(struct wal_reader *r, uint64_t most, struct chunk **out);

/* Takes chunks back, whose memory is used for the next ones: what is fresh from the
 * kernel has to be cleared first, page by page. */
void wal_reader_reuse(struct wal_reader *r, struct chunk *first);

/* Frees what was taken back. */
void wal_reader_trim(struct wal_reader *r);

#endif
