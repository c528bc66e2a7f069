/*
 * piece: a part of a sweep, put into the tables in one transaction. For the applier's
 * thread.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_PIECE_H
#define STORAGE_PIECE_H

#include "storage/sweep.h"

struct storage;

/* How far a piece reaches that begins with change `from`, and how many tables it comes
 * to. */
size_t piece_end(const struct sweep *sweep, size_t from, int *ntables);

/* Carries the changes out, all or none. Tables that have no file get one. 0 or Berkeley
 * DB's code. */
int piece_apply(struct storage *s, const struct change *changes, size_t count);

#endif
