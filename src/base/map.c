/*
 * map: chains of nodes in a power of two of slots, about one node a slot.
 *
 * Being resized, it has two tables: new nodes go to slots, and every insertion and
 * removal moves a few nodes there from old_slots, from its first slot to its last.
 * Invariants:
 *
 *   1. A node is in the chain of its hash in one table: in slots, or in old_slots at an
 *      index that is not below moved.
 *   2. old_slots is NULL, or it has slots left to move.
 *   3. A map that becomes empty gives its tables back.
 *   4. While map_walk visits, no table is replaced and no other node is moved.
 *
 * It grows when every slot would have a node, and shrinks when one in SPARSE has; a
 * resize is over long before the next can be due.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/map.h"

#include "base/mem.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define FIRST_SLOTS 4  /* there may be thousands of small maps */
#define SPARSE      8  /* fewer nodes than a slot in so many: it shrinks */
#define STEP_NODES  4  /* moved by one step of a resize, or the chain that reaches it */
#define STEP_SLOTS  16 /* looked at by one step */

#define PLACES         (UINT64_C(1) << 32) /* of a scan */
#define PREFETCH_SLOTS 8                   /* asked for ahead by a walk or a scan */

/* Two threads that come first together agree on the seed of the one that stored it. */
static uint64_t
draw_seed(_Atomic uint64_t *seed)
{
    uint64_t drawn = 0, none = 0;

    while (drawn == 0) {
        if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
            drawn = 0;
    }
    return atomic_compare_exchange_strong(seed, &none, drawn) ? drawn : none;
}

uint32_t
map_hash(struct bytes key)
{
    static _Atomic uint64_t shared_seed;

    uint64_t seed = atomic_load_explicit(&shared_seed, memory_order_relaxed);
    if (seed == 0)
        seed = draw_seed(&shared_seed);
    uint64_t hash = XXH3_64bits_withSeed(key.data, key.len, seed);
    return (uint32_t)(hash ^ hash >> 32);
}

static struct map_node **
slot_of(struct map_node **slots, size_t nslots, uint32_t hash)
{
    return &slots[hash & (nslots - 1)];
}

/* All slots first, then the nodes behind them, each somewhat later. A function that only
 * prefetches has no effects for GCC, which leaves calls of it out: the asm is one. */
void
map_prefetch(const struct map *m, const uint32_t *hashes, size_t count)
{
    struct map_node *first;

    if (m->slots == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(slot_of(m->slots, m->nslots, hashes[i]));
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(*slot_of(m->slots, m->nslots, hashes[i]));
    for (size_t i = 0; i < count; i++) {
        first = *slot_of(m->slots, m->nslots, hashes[i]);
        if (first != NULL)
            __builtin_prefetch(first->next);
    }
    __asm__ volatile("");
}

static void
push(struct map *m, struct map_node *node)
{
    struct map_node **slot = slot_of(m->slots, m->nslots, node->hash);
    node->next = *slot;
    *slot = node;
}

/* Moves the next old slot's chain; gives how many nodes that were. */
static size_t
move_slot(struct map *m)
{
    size_t nmoved = 0;
    struct map_node *next;

    for (struct map_node *n = m->old_slots[m->moved]; n != NULL; n = next) {
        next = n->next;
        push(m, n);
        nmoved++;
    }
    m->old_slots[m->moved++] = NULL;
    return nmoved;
}

static void
drop_old_slots(struct map *m)
{
    free(m->old_slots);
    m->old_slots = NULL;
    m->old_nslots = 0;
    m->moved = 0;
}

/* Goes on with a resize, if there is one, for at most so many slots and about so many
 * nodes. */
static void
step(struct map *m, size_t max_slots, size_t max_nodes)
{
    if (m->old_slots == NULL)
        return;
    size_t nmoved = 0;
    for (size_t i = 0; i < max_slots && nmoved < max_nodes; i++) {
        if (m->moved == m->old_nslots)
            break;
        nmoved += move_slot(m);
    }
    if (m->moved == m->old_nslots)
        drop_old_slots(m);
}

static void
start_resize(struct map *m, size_t nslots)
{
    assert(m->old_slots == NULL);
    m->old_slots = m->slots;
    m->old_nslots = m->nslots;
    m->moved = 0;
    m->slots = xcalloc(nslots, sizeof(struct map_node *));
    m->nslots = nslots;
}

void
map_insert(struct map *m, struct map_node *node, uint32_t hash)
{
    assert(!m->walking);
    step(m, STEP_SLOTS, STEP_NODES);
    if (m->slots == NULL)
        start_resize(m, FIRST_SLOTS);
    else if (map_is_full(m))
        start_resize(m, 2 * m->nslots);
    node->hash = hash;
    push(m, node);
    m->count++;
}

/* The pointer that points to this address in the chain of one slot, or NULL. */
static struct map_node **
find_link(struct map_node **slot, uintptr_t address)
{
    for (struct map_node **link = slot; *link != NULL; link = &(*link)->next) {
        if ((uintptr_t)*link == address)
            return link;
    }
    return NULL;
}

static struct map_node **
link_of(struct map *m, uintptr_t address, uint32_t hash)
{
    assert(m->count > 0);
    struct map_node **link = find_link(slot_of(m->slots, m->nslots, hash), address);
    if (link == NULL && m->old_slots != NULL)
        link = find_link(slot_of(m->old_slots, m->old_nslots, hash), address);
    assert(link != NULL);
    return link;
}

static void
shrink_a_little(struct map *m)
{
    step(m, STEP_SLOTS, STEP_NODES);
    if (m->old_slots == NULL && m->nslots > FIRST_SLOTS && m->count < m->nslots / SPARSE)
        start_resize(m, m->nslots / 2);
}

void
map_remove(struct map *m, struct map_node *node)
{
    *link_of(m, (uintptr_t)node, node->hash) = node->next;
    node->next = NULL;
    m->count--;
    if (m->count == 0)
        map_deinit(m);
    else if (!m->walking)
        shrink_a_little(m);
}

void
map_replace(struct map *m, uintptr_t old, struct map_node *fresh, uint32_t hash)
{
    *link_of(m, old, hash) = fresh;
    fresh->hash = hash;
}

void
map_reserve(struct map *m, size_t count)
{
    assert(!m->walking);
    size_t nslots = m->nslots == 0 ? FIRST_SLOTS : m->nslots;
    while (nslots < count)
        nslots *= 2;

    step(m, SIZE_MAX, SIZE_MAX);
    if (nslots == m->nslots)
        return;
    start_resize(m, nslots);
    step(m, SIZE_MAX, SIZE_MAX);
}

size_t
map_walk_end(const struct map *m)
{
    return m->old_nslots + m->nslots;
}

/* Old slots come first: a node that is moved between two calls is ahead of the cursor. */
static struct map_node *
walk_slot(const struct map *m, size_t at)
{
    return at < m->old_nslots ? m->old_slots[at] : m->slots[at - m->old_nslots];
}

void
map_walk(struct map *m, size_t at, map_visit_fn *visit, void *arg)
{
    assert(at < map_walk_end(m));
    struct map_node *next;
    struct map_node *n = walk_slot(m, at);

    if (at + PREFETCH_SLOTS < map_walk_end(m))
        __builtin_prefetch(walk_slot(m, at + PREFETCH_SLOTS));
    m->walking = true;
    for (; n != NULL; n = next) {
        next = n->next;
        visit(n, arg);
    }
    m->walking = false;
}

void
map_each(struct map *m, map_visit_fn *visit, void *arg)
{
    for (size_t at = 0; at < map_walk_end(m); at++)
        map_walk(m, at, visit, arg);
}

/*
 * A scan goes through the nodes in the order of their hashes read backwards, the lowest
 * bit first. The slot of a table of any size is then an interval of places: a table twice
 * as large has two slots for it, each for one half. So one call takes the interval of a
 * slot of the smaller table, and from both tables what lies in it.
 */
uint32_t
map_place(uint32_t hash)
{
    hash = __builtin_bswap32(hash);
    hash = (hash & 0x0f0f0f0f) << 4 | (hash >> 4 & 0x0f0f0f0f);
    hash = (hash & 0x33333333) << 2 | (hash >> 2 & 0x33333333);
    return (hash & 0x55555555) << 1 | (hash >> 1 & 0x55555555);
}

/* How many places a slot of a table has. */
static uint64_t
slot_places(size_t nslots)
{
    assert(nslots > 0 && nslots <= PLACES);
    return PLACES / nslots;
}

/* Visits what a table has in the places from `from` to before `to`. */
static void
scan_table(struct map_node **slots, size_t nslots, uint64_t from, uint64_t to,
           map_visit_fn *visit, void *arg)
{
    if (slots == NULL)
        return;
    uint64_t width = slot_places(nslots);

    for (uint64_t at = from - from % width; at < to; at += width) {
        struct map_node *n = *slot_of(slots, nslots, map_place((uint32_t)at));
        for (; n != NULL; n = n->next) {
            uint32_t place = map_place(n->hash);
            if (place >= from && place < to)
                visit(n, arg);
        }
    }
}

/* Asks for the slot that comes PREFETCH_SLOTS calls later, and for the first node of the
 * one that comes half as many later. */
static void
prefetch_places(const struct map *m, uint64_t place, uint64_t width)
{
    uint64_t later = place + PREFETCH_SLOTS * width;
    uint64_t sooner = place + PREFETCH_SLOTS / 2 * width;

    if (later < PLACES)
        __builtin_prefetch(slot_of(m->slots, m->nslots, map_place((uint32_t)later)));
    if (sooner < PLACES)
        __builtin_prefetch(*slot_of(m->slots, m->nslots, map_place((uint32_t)sooner)));
}

/* How many places one call goes through. */
static uint64_t
scan_places(const struct map *m)
{
    if (m->old_slots != NULL && m->old_nslots < m->nslots)
        return slot_places(m->old_nslots);
    return slot_places(m->nslots);
}

uint32_t
map_scan_start(const struct map *m, uint32_t place)
{
    if (m->count == 0)
        return 0;
    return place - (uint32_t)(place % scan_places(m));
}

uint32_t
map_scan(struct map *m, uint32_t place, map_visit_fn *visit, void *arg)
{
    if (m->count == 0)
        return 0;
    uint64_t width = scan_places(m);
    uint64_t to = place - place % width + width;

    prefetch_places(m, place, width);
    m->walking = true;
    scan_table(m->slots, m->nslots, place, to, visit, arg);
    scan_table(m->old_slots, m->old_nslots, place, to, visit, arg);
    m->walking = false;
    return (uint32_t)to;
}

void
map_deinit(struct map *m)
{
    free(m->slots);
    free(m->old_slots);
    *m = (struct map){.walking = m->walking};
}

size_t
map_memory(const struct map *m)
{
    return map_walk_end(m) * sizeof(struct map_node *);
}

/* How many nodes a table has, all of them where they belong and none below first. */
static size_t
check_table(struct map_node **slots, size_t nslots, size_t first)
{
    size_t count = 0;

    assert((nslots & (nslots - 1)) == 0);
    for (size_t i = 0; i < nslots; i++) {
        assert(i >= first || slots[i] == NULL);
        for (const struct map_node *n = slots[i]; n != NULL; n = n->next) {
            assert((n->hash & (nslots - 1)) == i);
            count++;
        }
    }
    return count;
}

void
map_check(const struct map *m)
{
    assert((m->slots == NULL) == (m->nslots == 0));
    assert((m->old_slots == NULL) == (m->old_nslots == 0));
    assert(m->old_slots == NULL || m->moved < m->old_nslots);
    assert(m->count
           == check_table(m->slots, m->nslots, 0)
                  + check_table(m->old_slots, m->old_nslots, m->moved));
}
