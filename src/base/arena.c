/*
 * arena: a list of blocks, the first of which is being filled. What is too large to share
 * a block gets one of its own behind the first, which goes on being filled.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/arena.h"

#include "base/mem.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#define ARENA_BLOCK_SIZE 8192
#define ARENA_SHARE_MAX  (ARENA_BLOCK_SIZE / 4) /* more than this gets its own block */

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    max_align_t data[];
};

static struct arena_block *
block_new(size_t size)
{
    struct arena_block *block = xmalloc(sizeof(*block) + size);
    block->next = NULL;
    block->size = size;
    block->used = 0;
    return block;
}

static void *
block_take(struct arena_block *block, size_t size)
{
    char *memory = (char *)block->data + block->used;
    block->used += size;
    return memory;
}

static void
push_block(struct arena *a)
{
    struct arena_block *block = block_new(ARENA_BLOCK_SIZE);
    block->next = a->blocks;
    a->blocks = block;
}

static void *
alloc_own_block(struct arena *a, size_t size)
{
    struct arena_block *block = block_new(size);
    block->next = a->blocks->next;
    a->blocks->next = block;
    return block_take(block, size);
}

void *
arena_alloc(struct arena *a, size_t size)
{
    assert(size <= SIZE_MAX / 2);
    const size_t align = _Alignof(max_align_t);
    size = (size + align - 1) / align * align;

    if (a->blocks == NULL)
        push_block(a);
    if (size > ARENA_SHARE_MAX)
        return alloc_own_block(a, size);
    if (a->blocks->size - a->blocks->used < size)
        push_block(a);
    return block_take(a->blocks, size);
}

static void
free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void
arena_reset(struct arena *a)
{
    if (a->blocks == NULL)
        return;
    free_blocks(a->blocks->next);
    a->blocks->next = NULL;
    a->blocks->used = 0;
}

void
arena_deinit(struct arena *a)
{
    free_blocks(a->blocks);
    a->blocks = NULL;
}
