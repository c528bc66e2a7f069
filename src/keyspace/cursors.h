/*
 * cursors: the numbers that SCAN gives its clients to go on with.
 *
 * While a store is complete a cursor holds the place in memory itself. Else the place is
 * kept here under the number, as long as it is not among the longest unused: at most
 * CURSORS_MAX places with CURSORS_BYTES of keys. With a cursor that is not known, or is
 * from before a start, a walk begins anew: so it misses nothing.
 *
 *   bit 51      the place is kept here
 *   bits 32-50  of this process, never 0 where bit 51 is 0
 *   bits 0-31   the place, or the slot where it is kept
 *
 * So cursors are below 2^52, which a JavaScript number holds.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef KEYSPACE_CURSORS_H
#define KEYSPACE_CURSORS_H

#include "keyspace/place.h"
#include <stdint.h>

#define CURSORS_MAX   1024
#define CURSORS_BYTES (16 * 1024 * 1024)

struct keyspace;
struct store;

/* The cursor for a place in memory (store_scan's); 0 for 0. */
uint64_t cursor_of_memory(struct keyspace *ks, uint32_t place);

/* Keeps a copy of a place that has not ended, and gives its cursor. `before` is the one
 * the walk came with: it stays good, should the client ask with it again; what was kept
 * before that is dropped. */
uint64_t cursor_keep(struct store *s, const struct place *place, uint64_t before);

/* Where a walk over s goes on with a cursor. place_deinit is the caller's. In memory
 * alone it goes on at out->from. */
void cursor_place(struct store *s, uint64_t cursor, struct place *out);

#endif
