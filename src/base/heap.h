/* heap: the earliest of many deadlines. It owns its array, not the owners in it. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Tells an owner where in the heap it stands now: needed to move or remove it. */
typedef void heap_place_fn(void *owner, uint32_t index);

struct heap_item {
    int64_t at; /* any unit; the smallest comes first */
    void *owner;
};

struct heap {
    struct heap_item *items;
    size_t count;
    size_t cap;
    heap_place_fn *place;
};

void heap_init(struct heap *h, heap_place_fn *place);
void heap_deinit(struct heap *h);

void heap_insert(struct heap *h, int64_t at, void *owner);

/* The item with the smallest `at`, or NULL when empty. Borrowed until the next change. */
const struct heap_item *heap_first(const struct heap *h);

void heap_remove(struct heap *h, uint32_t index);

/* Gives the item at index a new time. */
void heap_move(struct heap *h, uint32_t index, int64_t at);

/* Gives the item at index a new owner address: for an owner that moved in memory. */
void heap_rename(struct heap *h, uint32_t index, void *owner);

/* Asserts that no item stands before its parent. For tests. */
void heap_check(const struct heap *h);

#endif
