/* Keys that have expired are removed as their time comes, earliest first. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "keyspace/keyspace_priv.h"

bool
expiry_step(struct keyspace *ks, int64_t now, int64_t until_us)
{
    const struct heap_item *first;

    while ((first = heap_first(&ks->deadlines)) != NULL && first->at < now) {
        if (!keyspace_may_write(ks) || keyspace_is_failing(ks))
            return false;
        struct store *s = first->owner;
        ks->stats.expired++;
        store_delete(s, heap_first(&s->deadlines)->owner);
        if (clock_mono_us() >= until_us)
            return true;
    }
    return false;
}
