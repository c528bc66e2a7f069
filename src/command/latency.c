/* latency: see latency.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/latency.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

static const char *const names[LATENCY_EVENTS] = {
    [LATENCY_COMMAND] = "command",         [LATENCY_FAST_COMMAND] = "fast-command",
    [LATENCY_LOG_WRITE] = "aof-write",     [LATENCY_LOG_FLUSH] = "aof-fsync-always",
    [LATENCY_KEYSPACE] = "keyspace-cycle",
};

struct latency *
latency_new(void)
{
    return xcalloc(1, sizeof(struct latency));
}

void
latency_free(struct latency *l)
{
    free(l);
}

const char *
latency_name(enum latency_event event)
{
    assert(event < LATENCY_EVENTS);
    return names[event];
}

enum latency_event
latency_named(struct bytes name)
{
    int event = 0;

    while (event < LATENCY_EVENTS && !bytes_eq(name, bytes_str(names[event])))
        event++;
    return (enum latency_event)event;
}

const struct latency_spikes *
latency_spikes(const struct latency *l, struct bytes name)
{
    enum latency_event event = latency_named(name);

    if (event == LATENCY_EVENTS || l->events[event].count == 0)
        return NULL;
    return &l->events[event];
}

void
latency_add(struct latency *l, enum latency_event event, int64_t ms)
{
    struct latency_spikes *s = &l->events[event];
    int last = (s->next + LATENCY_SAMPLES - 1) % LATENCY_SAMPLES;
    int64_t now_s = clock_ms() / 1000;

    if (ms > s->worst_ms)
        s->worst_ms = ms;
    if (s->count > 0 && s->samples[last].at_s == now_s) {
        if (ms > s->samples[last].ms)
            s->samples[last].ms = ms;
        return;
    }
    s->samples[s->next] = (struct latency_sample){now_s, ms};
    s->next = (s->next + 1) % LATENCY_SAMPLES;
    if (s->count < LATENCY_SAMPLES)
        s->count++;
}

bool
latency_reset(struct latency *l, enum latency_event event)
{
    bool known = l->events[event].count > 0;

    l->events[event] = (struct latency_spikes){0};
    return known;
}

const struct latency_sample *
latency_sample(const struct latency_spikes *s, int i)
{
    assert(i >= 0 && i < s->count);
    return &s->samples[(s->next - s->count + i + LATENCY_SAMPLES) % LATENCY_SAMPLES];
}

void
latency_sum_up(const struct latency_spikes *s, struct latency_summary *out)
{
    *out = (struct latency_summary){0};
    if (s->count == 0)
        return;

    out->least_ms = out->most_ms = latency_sample(s, 0)->ms;
    for (int i = 0; i < s->count; i++) {
        int64_t ms = latency_sample(s, i)->ms;
        out->least_ms = ms < out->least_ms ? ms : out->least_ms;
        out->most_ms = ms > out->most_ms ? ms : out->most_ms;
        out->average_ms += (double)ms / s->count;
    }
    for (int i = 0; i < s->count; i++)
        out->deviation_ms +=
            fabs((double)latency_sample(s, i)->ms - out->average_ms) / s->count;
    int64_t since_s = clock_ms() / 1000 - latency_sample(s, 0)->at_s;
    out->period_s = (double)(since_s > 0 ? since_s : 1) / s->count;
}
