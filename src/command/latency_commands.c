/* latency_commands: LATENCY, which tells what held the server up, and how long commands
 * take. */
// SPDX-License-Identifier: BSD-3-Clause
#include <inttypes.h>

#include "base/buf.h"
#include "base/histogram.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/latency.h"
#include "command/table.h"
#include "resp/reply.h"

/* LATENCY LATEST: of each event name, time and length of the last spike, and the longest. */
enum err
cmd_latency_latest(struct call *c)
{
    const struct latency *l = c->host->latency;
    size_t known = 0;

    for (int i = 0; i < LATENCY_EVENTS; i++)
        known += l->events[i].count > 0;
    reply_array(c->out, known);
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        const struct latency_spikes *s = &l->events[i];
        if (s->count == 0)
            continue;
        const struct latency_sample *last = latency_sample(s, s->count - 1);
        reply_array(c->out, 4);
        reply_bulk_str(c->out, latency_name((enum latency_event)i));
        reply_int(c->out, last->at_s);
        reply_int(c->out, last->ms);
        reply_int(c->out, s->worst_ms);
    }
    return OK;
}

/* LATENCY HISTORY event: time and length of its spikes, oldest first. */
enum err
cmd_latency_history(struct call *c)
{
    const struct latency_spikes *s = latency_spikes(c->host->latency, c->argv[2]);
    int count = s != NULL ? s->count : 0;

    reply_array(c->out, (size_t)count);
    for (int i = 0; i < count; i++) {
        reply_array(c->out, 2);
        reply_int(c->out, latency_sample(s, i)->at_s);
        reply_int(c->out, latency_sample(s, i)->ms);
    }
    return OK;
}

/* LATENCY RESET [event ...]: forgets these or all; how many there were. */
enum err
cmd_latency_reset(struct call *c)
{
    struct latency *l = c->host->latency;
    int64_t count = 0;

    for (int i = 0; c->argc == 2 && i < LATENCY_EVENTS; i++)
        count += latency_reset(l, (enum latency_event)i);
    for (int i = 2; i < c->argc; i++) {
        enum latency_event event = latency_named(c->argv[i]);
        count += event != LATENCY_EVENTS && latency_reset(l, event);
    }

    reply_int(c->out, count);
    return OK;
}

static void
write_report(const struct latency *l, struct buf *out)
{
    int number = 0;

    for (int i = 0; i < LATENCY_EVENTS; i++) {
        const struct latency_spikes *s = &l->events[i];
        struct latency_summary sum;
        if (s->count == 0)
            continue;
        latency_sum_up(s, &sum);
        buf_printf(out,
                   "%d. %s: %d latency spikes (average %.0fms, mean deviation %.0fms, "
                   "period %.2f sec). Worst all time event %" PRId64 "ms.\n",
                   ++number, latency_name((enum latency_event)i), s->count,
                   sum.average_ms, sum.deviation_ms, sum.period_s, s->worst_ms);
    }
}

static void
write_advice(const struct latency *l, const struct config *config, struct buf *out)
{
    const struct latency_spikes *events = l->events;

    if (events[LATENCY_COMMAND].count > 0 || events[LATENCY_FAST_COMMAND].count > 0)
        buf_printf(out, "- Commands were slow: SLOWLOG GET tells which.\n");
    if (config->slowlog_log_slower_than < 0
        || config->slowlog_log_slower_than > config->latency_monitor_threshold * 1000)
        buf_printf(out,
                   "- The slow log misses some of them. CONFIG SET "
                   "slowlog-log-slower-than %" PRId64 " lets it see all.\n",
                   config->latency_monitor_threshold * 1000);
    if (events[LATENCY_LOG_WRITE].count > 0 || events[LATENCY_LOG_FLUSH].count > 0)
        buf_printf(out, "- The disk was slow to take the log. Look for others that use "
                        "it, or think about a faster one.\n");
    if (events[LATENCY_LOG_FLUSH].count > 0)
        buf_printf(out, "- With appendfsync always each write waits for the disk; "
                        "everysec waits for nobody.\n");
    if (events[LATENCY_KEYSPACE].count > 0)
        buf_printf(out,
                   "- Background work takes slices of a millisecond. If they last "
                   "longer, the processor is short of time, or memory is swapped.\n");
}

/* LATENCY DOCTOR: what the spikes are, and what can be done. */
enum err
cmd_latency_doctor(struct call *c)
{
    const struct config *config = c->host->config;
    struct buf report = {0}, text = {0};

    write_report(c->host->latency, &report);
    if (report.len > 0) {
        buf_printf(&text, "Some things took long:\n\n%.*s\nWhat might help:\n\n",
                   (int)report.len, report.data);
        write_advice(c->host->latency, config, &text);
    } else if (config->latency_monitor_threshold == 0) {
        buf_printf(&text, "Nobody watches: latency monitoring is disabled. CONFIG SET "
                          "latency-monitor-threshold <milliseconds> enables it.\n");
    } else {
        buf_printf(&text, "Nothing took as long as %" PRId64 " ms since it is watched.\n",
                   config->latency_monitor_threshold);
    }
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    buf_deinit(&report);
    return OK;
}

#define FIRST_BUCKET 1024 /* ns; each bucket reaches twice as far as the one before */

/* Calls up to the end of each bucket, but for those that add none. Only counts them where
 * out is NULL. */
static size_t
reply_buckets(struct reply *out, const struct histogram *h)
{
    uint64_t told = 0;
    size_t pairs = 0;

    for (int64_t end = FIRST_BUCKET; told < histogram_count(h); end *= 2) {
        uint64_t count = histogram_count_to(h, end);
        if (count == told)
            continue;
        told = count;
        pairs++;
        if (out != NULL) {
            reply_int(out, histogram_upper(end) / 1000);
            reply_int(out, (int64_t)count);
        }
    }
    return pairs;
}

static void
reply_histogram(struct reply *out, const struct command *cmd, const struct histogram *h)
{
    reply_bulk(out, bytes_of(cmd->name, cmd->name_len));
    reply_map(out, 2);
    reply_figure(out, "calls", (int64_t)histogram_count(h));
    reply_bulk_str(out, "histogram_usec");
    reply_map(out, reply_buckets(NULL, h));
    reply_buckets(out, h);
}

/* Tells of a row that was called, or only counts it. */
static size_t
reply_row(struct call *c, int row, bool tells)
{
    const struct histogram *times = c->host->by_command[row].times;

    if (times == NULL)
        return 0;
    if (tells)
        reply_histogram(c->out, &commands[row], times);
    return 1;
}

/* The same for a name and, where it is a container's, its subcommands. */
static size_t
reply_named(struct call *c, struct bytes name, bool tells)
{
    const struct command *cmd = table_find_full(c->host->table, name);
    if (cmd == NULL)
        return 0;

    size_t count = reply_row(c, (int)(cmd - commands), tells);
    for (int i = 0; (cmd->flags & CMD_CONTAINER) && i < COMMAND_COUNT; i++) {
        if (command_is_sub_of(&commands[i], cmd))
            count += reply_row(c, i, tells);
    }
    return count;
}

static size_t
reply_asked(struct call *c, bool tells)
{
    size_t count = 0;

    for (int i = 0; c->argc == 2 && i < COMMAND_COUNT; i++)
        count += reply_row(c, i, tells);
    for (int i = 2; i < c->argc; i++)
        count += reply_named(c, c->argv[i], tells);
    return count;
}

/* LATENCY HISTOGRAM [command ...]: how many calls took at most how many microseconds. */
enum err
cmd_latency_histogram(struct call *c)
{
    reply_map(c->out, reply_asked(c, false));
    reply_asked(c, true);
    return OK;
}

/* LATENCY HELP: its subcommands. */
enum err
cmd_latency_help(struct call *c)
{
    static const char *const lines[] = {
        "LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DOCTOR",
        "    Say what took long, and what might help.",
        "GRAPH <event>",
        "    Draw the spikes of an event.",
        "HISTOGRAM [<command> ...]",
        "    Tell how long commands take: how many calls up to which microsecond.",
        "HISTORY <event>",
        "    Tell when an event's spikes were, and how many milliseconds each took.",
        "LATEST",
        "    Tell the last spike of each event, and its longest.",
        "RESET [<event> ...]",
        "    Forget the spikes of these events, or of all.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
