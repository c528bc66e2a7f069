/* heap: a binary heap in an array; the children of index i are 2i + 1 and 2i + 2. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/heap.h"

#include "base/mem.h"
#include <assert.h>
#include <stdlib.h>

#define HEAP_FIRST_CAP 16

void
heap_init(struct heap *h, heap_place_fn *place)
{
    *h = (struct heap){.place = place};
}

void
heap_deinit(struct heap *h)
{
    free(h->items);
    *h = (struct heap){.place = h->place};
}

static void
resize(struct heap *h, size_t cap)
{
    h->items = xrealloc(h->items, cap * sizeof(*h->items));
    h->cap = cap;
}

static void
put(struct heap *h, size_t index, struct heap_item item)
{
    h->items[index] = item;
    h->place(item.owner, (uint32_t)index);
}

static size_t
parent_of(size_t index)
{
    return (index - 1) / 2;
}

/* Moves the hole at index towards the root until item may stand in it. */
static size_t
rise(struct heap *h, size_t index, int64_t at)
{
    while (index > 0 && at < h->items[parent_of(index)].at) {
        put(h, index, h->items[parent_of(index)]);
        index = parent_of(index);
    }
    return index;
}

/* Moves the hole at index away from the root until item may stand in it. */
static size_t
sink(struct heap *h, size_t index, int64_t at)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= h->count)
            return index;
        if (child + 1 < h->count && h->items[child + 1].at < h->items[child].at)
            child++;
        if (at <= h->items[child].at)
            return index;
        put(h, index, h->items[child]);
        index = child;
    }
}

static void
settle(struct heap *h, size_t hole, struct heap_item item)
{
    hole = rise(h, hole, item.at);
    hole = sink(h, hole, item.at);
    put(h, hole, item);
}

void
heap_insert(struct heap *h, int64_t at, void *owner)
{
    assert(h->count < UINT32_MAX);
    if (h->count == h->cap)
        resize(h, h->cap == 0 ? HEAP_FIRST_CAP : 2 * h->cap);
    h->count++;
    settle(h, h->count - 1, (struct heap_item){at, owner});
}

const struct heap_item *
heap_first(const struct heap *h)
{
    return h->count == 0 ? NULL : &h->items[0];
}

void
heap_remove(struct heap *h, uint32_t index)
{
    assert(index < h->count);
    h->count--;
    if (index < h->count)
        settle(h, index, h->items[h->count]);
    if (h->cap > HEAP_FIRST_CAP && h->count < h->cap / 4)
        resize(h, h->cap / 2);
}

void
heap_move(struct heap *h, uint32_t index, int64_t at)
{
    assert(index < h->count);
    settle(h, index, (struct heap_item){at, h->items[index].owner});
}

void
heap_rename(struct heap *h, uint32_t index, void *owner)
{
    assert(index < h->count);
    h->items[index].owner = owner;
}

void
heap_check(const struct heap *h)
{
    assert(h->count <= h->cap);
    for (size_t i = 1; i < h->count; i++)
        assert(h->items[parent_of(i)].at <= h->items[i].at);
}
