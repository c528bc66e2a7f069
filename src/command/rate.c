/* rate: see rate.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/rate.h"

#include <assert.h>

void
rate_sample(struct rate *r, uint64_t count, int64_t usec)
{
    assert(usec > 0 && count >= r->last);
    r->samples[r->next] = (double)(count - r->last) * 1e6 / (double)usec;
    r->next = (r->next + 1) % RATE_SAMPLES;
    r->last = count;
}

double
rate_average(const struct rate *r)
{
    double total = 0;

    for (int i = 0; i < RATE_SAMPLES; i++)
        total += r->samples[i];
    return total / RATE_SAMPLES;
}

void
rate_reset(struct rate *r)
{
    *r = (struct rate){0};
}
