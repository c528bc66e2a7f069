/*
 * storage: Berkeley DB behind one face. What was appended is in the log; the tables
 * follow.
 *
 * Three marks move up, each a batch number:
 *   written   the kernel has the log up to here: it survives the death of the process
 *   durable   the disk has it: it survives a power cut
 *   applied   the tables give it back
 * applied <= written, durable <= written.
 *
 * One thread, the loop, calls everything here; wake alone is called from other threads.
 * Functions that can fail give 0 or -1, after the reason has been logged once.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "storage/effect.h"
#include <stdbool.h>
#include <stdint.h>

#define STORAGE_ERROR_MAX 512 /* bytes of an error text, its NUL included */

struct storage;

enum storage_sync { SYNC_ALWAYS, SYNC_EVERYSEC, SYNC_NO };

struct storage_options {
    const char *dir;     /* made if it is not there */
    int64_t cache;       /* bytes of Berkeley DB's page cache */
    int64_t distance;    /* bytes the log may be ahead of the tables */
    int64_t apply_delay; /* ms a change may wait for others before it is applied */
    int64_t max_open_tables;
    int read_threads;
    enum storage_sync sync;
    /* Called from any thread when the applied mark moved or a read is done; must not
     * block. */
    void (*wake)(void *arg);
    void *wake_arg;
};

/* Opens the directory and recovers it. NULL: error says why, in words for the
 * operator. */
struct storage *storage_open(const struct storage_options *options,
                             char error[STORAGE_ERROR_MAX]);

/* What the catalog knows of a store, as of the applied mark. */
struct storage_row {
    uint32_t id;       /* never 0, never given again */
    struct bytes name; /* borrowed for the call */
    int64_t count;     /* records */
    int64_t expires;   /* records with a deadline */
};

typedef void storage_row_fn(void *arg, const struct storage_row *row);
int storage_rows(struct storage *s, storage_row_fn *visit, void *arg);

/* A change of the log on its way into memory after a start. */
struct replayed {
    struct effect effect;
    uint32_t hash; /* of its key: map_hash */
};

/* Gives every change of the log that the tables do not have yet, in order; some at once,
 * so that they can be looked up together. number is that of their batch or of a later
 * one: what is applied or durable up to there includes them. Once, before
 * storage_start. */
#define REPLAY_GROUP 32 /* changes given at once, at most */
typedef void storage_replay_fn(void *arg, uint64_t number, const struct replayed *changes,
                               size_t count);
int storage_replay(struct storage *s, storage_replay_fn *take, void *arg);

/* Starts the threads: the applier, the flusher and the readers. */
void storage_start(struct storage *s);

/* Applies all that was written, checkpoints and closes. -1: the tables could not be
 * brought up to date; the log still has everything. No read is on its way
 * (storage_finish_reads). */
int storage_close(struct storage *s);

/* An id for a store that is written to for the first time. A name that had one before may
 * get another only when the batch that emptied its store is checkpointed: a start that
 * read of both would take the one for the other. */
uint32_t storage_new_store(struct storage *s);

/* The number the next batch will have. */
uint64_t storage_next(const struct storage *s);

/* Appends effects (see effect.h) as batch storage_next to the log, and with SYNC_ALWAYS
 * flushes it. The bytes are copied. -1: it is to be appended again, the same, before any
 * other. */
int storage_append(struct storage *s, struct bytes effects);

uint64_t storage_written(const struct storage *s);
uint64_t storage_durable(const struct storage *s);
uint64_t storage_applied(const struct storage *s);

/* What was applied up to here stays so: no start reads it from the log again. */
uint64_t storage_checkpointed(const struct storage *s);

/* What was appended up to here is as safe as the sync mode promises. */
uint64_t storage_promised(const struct storage *s);

/* Brings durable up to written before it returns. The room's own threads call it too. */
int storage_flush(struct storage *s);

/* The same on another thread, which tries until it succeeds: it returns at once, and durable
 * moves later. */
void storage_flush_soon(struct storage *s);

/* Whether the tables are near enough for more to be written; if not, ask again in a
 * millisecond. */
bool storage_may_write(struct storage *s);

/* Whether that will not change by itself: the tables cannot be written, or the disk could
 * not be flushed. */
bool storage_is_stuck(struct storage *s);

/* Asks the applier not to wait for more: memory is wanted. */
void storage_hurry(struct storage *s);

/* Takes sync, distance, apply_delay and max_open_tables of options into use; the rest is
 * set once. */
void storage_tune(struct storage *s, const struct storage_options *options);

/* A read: of some keys, or of the next records of one store in key order. Made and freed
 * by the caller, who does not touch it between storage_submit and storage_completed. */
struct read_item {
    uint32_t store;
    struct bytes key; /* borrowed until the read is done */
    bool found;
    struct buf record; /* the caller's to deinit */
};

struct storage_read {
    struct storage_read *next; /* storage's */
    int error;                 /* 0, or -1: nothing that was read counts */
    /* Either keys: */
    struct read_item *items;
    size_t nitems;
    /* or, where nitems is 0, a scan: */
    uint32_t scan_store; /* 0: none; the read is done when it is its turn */
    struct buf
        scan_from; /* the key to go on behind; empty with scan_begun false: the first */
    bool scan_begun;
    size_t scan_limit;      /* bytes of records, about */
    size_t scan_count;      /* records at most; 0: any number */
    size_t scan_head;       /* bytes of each record that are wanted; 0: all */
    struct buf scan_out;    /* pairs as scan_next reads them */
    struct bytes scan_room; /* memory that will be filled from it, to be made ready */
    bool scan_ended;        /* there is nothing behind scan_out */
};

void storage_submit(struct storage *s, struct storage_read *r);

/* The reads that are done, in no order, linked by next; NULL for none. */
struct storage_read *storage_completed(struct storage *s);

/* Waits until every read that was submitted is done. */
void storage_finish_reads(struct storage *s);

/* Takes a key and a record from the front of *pairs (of a scan_out). False at its end. */
bool scan_next(struct bytes *pairs, struct bytes *key, struct bytes *record);

struct storage_table {
    char file[256]; /* below the data directory; "" where the store has none yet */
    int64_t bytes;  /* on disk */
};
void storage_table(struct storage *s, uint32_t store, struct storage_table *out);

struct storage_stats {
    int64_t log_ahead;    /* bytes of log the tables do not have yet */
    int64_t log_bytes;    /* what the log takes on the disk */
    int64_t last_sync_ms; /* wall clock of the log's last flush; 0: none yet */
    uint64_t transactions, checkpoints; /* of the tables, since the start */
    uint64_t reads;                     /* keys read from tables */
    int64_t open_tables;
    bool failing; /* log or tables could not be written lately */
};
void storage_stats(struct storage *s, struct storage_stats *out);

#endif
