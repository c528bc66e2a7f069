/* See keyspace.h: reads on their way, and those that are done. */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/keyspace_priv.h"

void
flight_begin(struct keyspace *ks, struct flight *f)
{
    f->applied = storage_applied(ks->storage);
    f->next = &ks->flights;
    f->previous = ks->flights.previous;
    f->next->previous = f->previous->next = f;
}

void
flight_end(struct flight *f)
{
    f->next->previous = f->previous;
    f->previous->next = f->next;
}

uint64_t
keyspace_evict_limit(const struct keyspace *ks)
{
    if (ks->flights.next != &ks->flights)
        return ks->flights.next->applied;
    return storage_applied(ks->storage);
}

void
keyspace_take_reads(struct keyspace *ks)
{
    struct storage_read *r = storage_completed(ks->storage);

    while (r != NULL) {
        struct storage_read *next = r->next;
        if (warm_owns(ks, r))
            warm_done(ks, r);
        else if (r->nitems == 0)
            listing_take(r);
        else
            fetch_finish(ks, r);
        r = next;
    }
}
