/* rate: how much happens a second just now, averaged over the last samples. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_RATE_H
#define COMMAND_RATE_H

#include <stdint.h>

#define RATE_SAMPLES 16

/* Of one counter. All zero before the first sample. */
struct rate {
    uint64_t last;                /* the counter at the last sample */
    double samples[RATE_SAMPLES]; /* a ring: a second */
    int next;
};

/* The counter stands at `count` now, usec after the last sample. */
void rate_sample(struct rate *r, uint64_t count, int64_t usec);

double rate_average(const struct rate *r);

/* The counter begins at zero again. */
void rate_reset(struct rate *r);

#endif
