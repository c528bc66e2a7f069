/* Keys that have expired are removed as their time comes, earliest first. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "keyspace/keyspace_priv.h"

#define TTL_SAMPLES 64 /* deadlines looked at for an average */

void
keyspace_hold_expired(struct keyspace *ks, int64_t until_us)
{
    ks->hold_until_us = until_us;
}

bool
expiry_is_held(const struct keyspace *ks)
{
    return ks->hold_until_us != 0 && clock_mono_us() < ks->hold_until_us;
}

bool
expiry_step(struct keyspace *ks, int64_t now, int64_t until_us)
{
    const struct heap_item *first;

    if (ks->idle_expiry || expiry_is_held(ks))
        return false;
    while ((first = heap_first(&ks->deadlines)) != NULL && first->at < now) {
        if (!keyspace_may_write(ks) || keyspace_is_failing(ks))
            return false;
        struct store *s = first->owner;
        store_expire(s, heap_first(&s->deadlines)->owner);
        if (clock_mono_us() >= until_us)
            return true;
    }
    return false;
}

int64_t
store_average_ttl(const struct store *s, int64_t now)
{
    const struct heap *h = &s->deadlines;
    size_t step = h->count / TTL_SAMPLES + 1;
    double total = 0;
    int nsamples = 0;

    for (size_t i = 0; i < h->count; i += step, nsamples++)
        total += h->items[i].at > now ? (double)(h->items[i].at - now) : 0;
    return nsamples > 0 ? (int64_t)(total / nsamples) : 0;
}
