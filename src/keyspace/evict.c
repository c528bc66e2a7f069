/*
 * While memory is over its ceiling, entries leave it; the data stays in the tables. A
 * hand goes round the stores, slot by slot: an entry that was looked at since it came by
 * is spared once (CLOCK, or second chance; Corbató 1969), so that the coldest go first.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "keyspace/keyspace_priv.h"

#define SLOTS_A_STORE 64 /* before the hand goes on to the next */

struct round {
    struct store *store;
    uint64_t limit; /* entries stamped above it stay */
    size_t moved;   /* entries that left or were spared */
};

static void
visit(struct map_node *node, void *arg)
{
    struct round *r = arg;
    struct entry *e = (struct entry *)node;

    if (e->stamp > r->limit)
        return;
    r->moved++;
    if (e->referenced && !entry_is_absent(e)) {
        e->referenced = false;
        return;
    }
    if (!entry_is_absent(e))
        r->store->complete = false;
    r->store->evicted++;
    r->store->keyspace->stats.evicted++;
    store_forget(r->store, e);
}

/* Moves the hand over some slots of a store. */
static void
turn(struct round *r)
{
    struct store *s = r->store;

    if (!store_may_shrink(s, r->limit))
        return;
    for (int i = 0; i < SLOTS_A_STORE && s->entries.count > 0; i++) {
        if (s->hand >= map_walk_end(&s->entries))
            s->hand = 0;
        map_walk(&s->entries, s->hand++, visit, r);
    }
}

bool
keyspace_is_over(const struct keyspace *ks)
{
    return ks->maxmemory != 0 && ks->memory > ks->maxmemory && ks->nentries > 0;
}

/* So many slots without one that could leave: there is none, until the tables catch up. */
static size_t
enough_slots(const struct keyspace *ks)
{
    return 2 * (size_t)ks->nentries + ks->stores.count * SLOTS_A_STORE;
}

bool
evict_step(struct keyspace *ks, int64_t until_us)
{
    struct round r = {.limit = keyspace_evict_limit(ks)};

    if (r.limit != ks->evict_limit)
        ks->idle_slots = 0;
    ks->evict_limit = r.limit;
    while (keyspace_is_over(ks)) {
        if (ks->idle_slots > enough_slots(ks)) {
            storage_hurry(ks->storage);
            return false;
        }
        size_t before = r.moved;
        r.store = ks->ring;
        ks->ring = ks->ring->next;
        turn(&r);
        ks->idle_slots = r.moved == before ? ks->idle_slots + SLOTS_A_STORE : 0;
        if (clock_mono_us() >= until_us)
            break;
    }
    if (r.moved == 0 && keyspace_is_over(ks))
        storage_hurry(ks->storage);
    return r.moved > 0 && keyspace_is_over(ks);
}
