/*
 * piece: a part of a sweep, put into the tables in one transaction. For the applier's
 * thread.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_PIECE_H
#define STORAGE_PIECE_H

#include "storage/sweep.h"
#include <stddef.h>

struct storage;

/* How much it was. */
struct extent {
    size_t changes;
    size_t bytes; /* of keys and records written */
    int tables;
};

/* Carries changes out from the first on, at most count, until it is enough for a
 * transaction; all of them or none. Tables that have no file get one. 0 or Berkeley DB's
 * code. */
int piece_apply(struct storage *s, const struct change *changes, size_t count,
                struct extent *out);

#endif
