/*
 * applier: the thread that brings the tables up to date, the only one that writes to
 * them.
 *
 * It takes what has gathered (backlog.h), sorts it (sweep.h), and puts it in, in pieces:
 *
 *   1. the log is flushed up to the sweep's end: the tables never hold what the log on
 *   disk lacks
 *   2. the catalog says how far the tables may be from now on; tables that were flushed
 *   lose their files                     one transaction, then the removals
 *   3. the changes, PIECE_CHANGES at a time, in key order  a transaction and a checkpoint
 *   each
 *   4. the counts and the mark                             one transaction
 *
 * Pieces in key order touch each page once, so a checkpoint after each costs no page
 * twice and recovery never has more than about two pieces to redo. A death in between
 * leaves tables that are ahead of the mark; replay brings the same changes again, which
 * is harmless.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_APPLIER_H
#define STORAGE_APPLIER_H

#include "storage/wal.h"
#include <pthread.h>

struct storage;

struct applier {
    pthread_t thread;
    struct wal_reader *reader; /* the thread's; stands behind what it has taken */
};

void applier_start(struct storage *s);

/* Waits until everything in the backlog is applied, or cannot be, and ends the thread. */
void applier_stop(struct storage *s);

#endif
