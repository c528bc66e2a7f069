/* histogram: see histogram.h. A count's place is the power of two, then the next bits. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/histogram.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

#define RUN_BITS 7 /* 128 runs between two powers of two */
#define RUNS     (1 << RUN_BITS)
#define POWERS   23 /* HISTOGRAM_MAX is below 128 << 23 */
#define PLACES   ((POWERS + 1) * RUNS)

_Static_assert(HISTOGRAM_MAX < (int64_t)RUNS << POWERS, "there are too few places");

struct histogram {
    uint64_t total;
    uint64_t counts[PLACES];
};

struct histogram *
histogram_new(void)
{
    return xcalloc(1, sizeof(struct histogram));
}

void
histogram_free(struct histogram *h)
{
    free(h);
}

/* By how many bits values of this size are cut: 0 below 256, where each has its own
 * count. */
static int
cut(int64_t value)
{
    int bits = 64 - __builtin_clzll((unsigned long long)value | 1);
    return bits > RUN_BITS + 1 ? bits - RUN_BITS - 1 : 0;
}

static int
place(int64_t value)
{
    int shift = cut(value);
    return shift * RUNS + (int)(value >> shift);
}

/* The greatest value that has this place. */
static int64_t
upper(int at)
{
    int shift = at < RUNS ? 0 : at / RUNS - 1;
    return ((int64_t)(at - shift * RUNS + 1) << shift) - 1;
}

void
histogram_add(struct histogram *h, int64_t value)
{
    assert(value >= 0);
    h->counts[place(value < HISTOGRAM_MAX ? value : HISTOGRAM_MAX)]++;
    h->total++;
}

uint64_t
histogram_count(const struct histogram *h)
{
    return h->total;
}

int64_t
histogram_upper(int64_t value)
{
    assert(value >= 0);
    return upper(place(value < HISTOGRAM_MAX ? value : HISTOGRAM_MAX));
}

uint64_t
histogram_count_to(const struct histogram *h, int64_t value)
{
    int last = place(value < HISTOGRAM_MAX ? value : HISTOGRAM_MAX);
    uint64_t count = 0;

    for (int at = 0; at <= last; at++)
        count += h->counts[at];
    return count;
}

int64_t
histogram_percentile(const struct histogram *h, double percent)
{
    uint64_t wanted = (uint64_t)(percent / 100 * (double)h->total + 0.5);
    uint64_t seen = 0;

    assert(percent >= 0 && percent <= 100);
    for (int at = 0; at < PLACES; at++) {
        seen += h->counts[at];
        if (seen > 0 && seen >= wanted)
            return upper(at);
    }
    return 0;
}
