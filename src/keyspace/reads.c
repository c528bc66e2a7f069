/* See keyspace.h: reads on their way, and those that are done. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "keyspace/keyspace_priv.h"

#define SLICE_US 250 /* reads are taken in, at once */

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

/* Puts the reads that have come behind those that wait; storage gives the last first. */
static void
collect(struct keyspace *ks)
{
    struct storage_read *r = storage_completed(ks->storage), *first = NULL;
    struct storage_read **end = r != NULL ? &r->next : ks->done_end;

    while (r != NULL) {
        struct storage_read *next = r->next;
        r->next = first;
        first = r;
        r = next;
    }
    *ks->done_end = first;
    ks->done_end = end;
}

static void
take(struct keyspace *ks, struct storage_read *r)
{
    if (warm_owns(ks, r))
        warm_done(ks, r);
    else if (r->nitems == 0)
        listing_take(r);
    else
        fetch_finish(ks, r);
}

bool
keyspace_take_reads(struct keyspace *ks)
{
    int64_t until_us = clock_mono_us() + SLICE_US;
    struct storage_read *r;

    collect(ks);
    while ((r = ks->done) != NULL) {
        ks->done = r->next;
        if (ks->done == NULL)
            ks->done_end = &ks->done;
        take(ks, r);
        if (clock_mono_us() >= until_us)
            break;
    }
    return ks->done != NULL;
}
