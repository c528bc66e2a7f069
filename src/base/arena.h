/* arena: scratch memory that is freed all at once. A zeroed struct is an empty one. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
};

/* size bytes aligned for anything, not cleared, until the next arena_reset. */
void *arena_alloc(struct arena *a, size_t size);

/* Frees everything but one small block, which is kept for the next round. */
void arena_reset(struct arena *a);

void arena_deinit(struct arena *a);

#endif
