/*
 * map: a hash table of nodes that live inside their owners. It allocates its slots only,
 * never a node. It grows and shrinks by moving a few slots at each insertion or removal,
 * so that no single call takes long however many nodes there are.
 *
 * The owner of a node keeps its key; the hash is kept in the node.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/bytes.h"
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint32_t hash;
};

struct map {
    struct map_node **slots;     /* nslots of them, a power of two; NULL while empty */
    struct map_node **old_slots; /* while being resized; slots below moved are empty */
    size_t nslots;
    size_t old_nslots;
    size_t moved;
    size_t count;
    bool walking; /* inside a visit: nothing is resized */
};

/* The hash of a key: XXH3 with a seed drawn once a process, so that no client can aim at
 * a slot. */
uint32_t map_hash(struct bytes key);

/* Whether the owner of node has this key. */
typedef bool map_match_fn(const struct map_node *node, struct bytes key);

/* The node with this hash that matches, or NULL. */
static inline struct map_node *
map_find(const struct map *m, uint32_t hash, struct bytes key, map_match_fn *match)
{
    if (m->count == 0)
        return NULL;
    struct map_node *n = m->slots[hash & (m->nslots - 1)];
    for (; n != NULL; n = n->next) {
        if (n->hash == hash && match(n, key))
            return n;
    }
    if (m->old_slots == NULL)
        return NULL;
    n = m->old_slots[hash & (m->old_nslots - 1)];
    for (; n != NULL; n = n->next) {
        if (n->hash == hash && match(n, key))
            return n;
    }
    return NULL;
}

/* Asks for the memory map_find will look at for each of these hashes, so that the waits
 * for it overlap. */
void map_prefetch(const struct map *m, const uint32_t *hashes, size_t count);

/* Adds a node that is not in it; its hash is set from the argument. */
void map_insert(struct map *m, struct map_node *node, uint32_t hash);

/* Removes a node that is in it. */
void map_remove(struct map *m, struct map_node *node);

/* Puts fresh in the place of old, which is in it: for an owner that moved in memory.
 * fresh must be a copy of old, as realloc makes one: its next is kept, its hash is set.
 * Of old only the address is used, so its memory may already have been freed. */
void map_replace(struct map *m, uintptr_t old, struct map_node *fresh, uint32_t hash);

/* Whether the next insertion makes it grow. */
static inline bool
map_is_full(const struct map *m)
{
    return m->count >= m->nslots && m->old_slots == NULL;
}

/* Makes room for count nodes at once: for a load whose size is known. */
void map_reserve(struct map *m, size_t count);

/* How many slots a walk has: cursors of map_walk run from 0 to below this. */
size_t map_walk_end(const struct map *m);

/* Calls visit for each node in slot `at` of a walk; visit may remove the node it is
 * given, and only that one, and inserts none. A full walk sees each node that is not
 * moved meanwhile, and every node once if nothing but its visits changes the map. */
typedef void map_visit_fn(struct map_node *node, void *arg);
void map_walk(struct map *m, size_t at, map_visit_fn *visit, void *arg);

/* The same for all slots: a full walk. */
void map_each(struct map *m, map_visit_fn *visit, void *arg);

/* The order of a scan: where a node with this hash has its place in it. */
uint32_t map_place(uint32_t hash);

/* Calls visit for the nodes from a place on, a few at a time; visit changes nothing. Gives
 * the place to go on from, 0 at the end. A scan from 0 to its end visits every node that
 * was in the map all the while exactly once, however the map was changed and resized
 * between the calls. */
uint32_t map_scan(struct map *m, uint32_t place, map_visit_fn *visit, void *arg);

/* The lowest place from which one call of map_scan goes as far as from this one: from there
 * it visits a whole slot. */
uint32_t map_scan_start(const struct map *m, uint32_t place);

/* Frees the slots. The nodes are the owner's to free (map_each first). */
void map_deinit(struct map *m);

/* Bytes its slots take. */
size_t map_memory(const struct map *m);

/* Asserts that every node is where it belongs. For tests. */
void map_check(const struct map *m);

#endif
