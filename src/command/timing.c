/* timing: see timing.h. It stands on the path of every command, so it looks at directives
 * before it does anything. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/timing.h"

#include "base/clock.h"
#include "base/histogram.h"
#include "command/call.h"
#include "command/host.h"
#include "command/slowlog.h"
#include "command/table.h"

#define UNTIMED (-1) /* what timing_begin gives where nobody watches */

static void
note_spike(struct host *h, enum latency_event event, int64_t usec)
{
    int64_t threshold = h->config->latency_monitor_threshold;

    if (threshold > 0 && usec / 1000 >= threshold)
        latency_add(h->latency, event, usec / 1000);
}

void
timing_ran(const struct call *c, int64_t usec)
{
    struct host *h = c->host;
    struct command_stats *stats = &h->by_command[c->command - commands];
    int64_t slow = h->config->slowlog_log_slower_than;

    stats->calls++;
    stats->usec += (uint64_t)usec;
    if (h->config->latency_tracking) {
        if (stats->times == NULL)
            stats->times = histogram_new();
        histogram_add(stats->times, usec > 0 ? usec * 1000 : 1); /* no call takes none */
    }
    if (slow >= 0 && usec >= slow && !(c->command->flags & CMD_SKIP_SLOWLOG))
        slowlog_add(h->slowlog, c, usec, h->config->slowlog_max_len);
    note_spike(h, c->command->flags & CMD_FAST ? LATENCY_FAST_COMMAND : LATENCY_COMMAND,
               usec);
}

int64_t
timing_begin(const struct host *h)
{
    return h->config->latency_monitor_threshold > 0 ? clock_mono_us() : UNTIMED;
}

void
timing_end(struct host *h, enum latency_event event, int64_t begun)
{
    if (begun != UNTIMED)
        note_spike(h, event, clock_mono_us() - begun);
}
