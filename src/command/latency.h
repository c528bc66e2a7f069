/*
 * latency: the spikes. What held the loop up for latency-monitor-threshold milliseconds
 * or longer is noted under the name of what it was, one sample a second at most.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_LATENCY_H
#define COMMAND_LATENCY_H

#include "base/bytes.h"
#include <stdint.h>

#define LATENCY_SAMPLES 160 /* kept of each event */

enum latency_event {
    LATENCY_COMMAND,
    LATENCY_FAST_COMMAND,
    LATENCY_LOG_WRITE,
    LATENCY_LOG_FLUSH,
    LATENCY_KEYSPACE,
    LATENCY_EVENTS
};

struct latency_sample {
    int64_t at_s; /* since 1970 */
    int64_t ms;
};

/* What is known of an event; all zero where nothing is. */
struct latency_spikes {
    struct latency_sample samples[LATENCY_SAMPLES]; /* a ring */
    int next;                                       /* where the next goes */
    int count;
    int64_t worst_ms; /* ever */
};

struct latency {
    struct latency_spikes events[LATENCY_EVENTS];
};

struct latency *latency_new(void);
void latency_free(struct latency *l);

/* As LATENCY tells it. */
const char *latency_name(enum latency_event event);

/* The event of that name, LATENCY_EVENTS for none. */
enum latency_event latency_named(struct bytes name);

/* What is known of it, NULL where nothing is. */
const struct latency_spikes *latency_spikes(const struct latency *l, struct bytes name);

/* Notes that something took so long. */
void latency_add(struct latency *l, enum latency_event event, int64_t ms);

/* Forgets an event; false where nothing was known of it. */
bool latency_reset(struct latency *l, enum latency_event event);

/* Its i-th sample, 0 for the oldest that is kept. */
const struct latency_sample *latency_sample(const struct latency_spikes *s, int i);

/* What the samples say together. */
struct latency_summary {
    int64_t least_ms, most_ms;
    double average_ms;
    double deviation_ms; /* mean distance from the average */
    double period_s;     /* between two spikes */
};
void latency_sum_up(const struct latency_spikes *s, struct latency_summary *out);

#endif
