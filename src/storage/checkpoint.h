/*
 * checkpoint: brings the tables' pages to the disk, so that recovery has little to redo,
 * and then removes the log's files that nothing needs any more.
 *
 * It belongs to the applier and runs between its pieces: beside them it would meet pages
 * that are being changed, for which Berkeley DB's sync sleeps a whole second (measured:
 * the applier then did 50,000 changes a second instead of 300,000).
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_CHECKPOINT_H
#define STORAGE_CHECKPOINT_H

#include "storage/piece.h"
#include <stdatomic.h>
#include <stdint.h>

struct storage;

struct checkpoint {
    /* Applier only: */
    struct extent since; /* applied since the last one */
    int64_t last_us;     /* when that was */
    /* For everyone: */
    _Atomic uint64_t count;
};

/* So much was applied. */
void checkpoint_note(struct storage *s, const struct extent *done);

/* Makes a checkpoint when enough was applied, or when the last is long ago. Where it
 * fails, as checkpoint_make, it is still due. */
int checkpoint_when_due(struct storage *s);

/* Makes one now. Gives Berkeley DB's code, with the reason logged. */
int checkpoint_make(struct storage *s);

#endif
