/*
 * Entries of a store that was flushed are freed in the background: freeing millions takes
 * seconds. Nobody can find them any more; only the figures of memory still have them.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
#include <stdlib.h>

#define SLOTS_AT_ONCE 64 /* between looks at the clock */

struct discarded {
    struct discarded *next;
    struct map entries;
    size_t at; /* the slot to go on with */
};

void
discard(struct keyspace *ks, struct map *entries)
{
    struct discarded *d = xcalloc(1, sizeof *d);

    d->entries = *entries;
    *entries = (struct map){0};
    d->next = ks->discarded;
    ks->discarded = d;
}

static void
free_entry(struct map_node *node, void *arg)
{
    struct keyspace *ks = arg;
    struct entry *e = (struct entry *)node;

    ks->memory -= (int64_t)entry_memory(e);
    ks->nentries--;
    map_remove(&ks->discarded->entries, node);
    free(e);
}

bool
discard_step(struct keyspace *ks, int64_t until_us)
{
    struct discarded *d;

    while ((d = ks->discarded) != NULL) {
        for (int i = 0; i < SLOTS_AT_ONCE && d->entries.count > 0; i++) {
            if (d->at >= map_walk_end(&d->entries))
                d->at = 0;
            map_walk(&d->entries, d->at++, free_entry, ks);
        }
        if (d->entries.count == 0) {
            ks->discarded = d->next;
            free(d);
        }
        if (clock_mono_us() >= until_us)
            break;
    }
    return ks->discarded != NULL;
}
