/* host: see host.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/mem.h"
#include "command/call.h"
#include "command/latency.h"
#include "command/memory.h"
#include "command/save.h"
#include "command/notify.h"
#include "command/session_priv.h"
#include "command/slowlog.h"
#include "command/table.h"
#include "keyspace/keyspace.h"

#define SPARE_US  1000000 /* that nobody uses the spare, before it goes */
#define SAMPLE_US 90000   /* samples are at least so far apart */

static void
draw_run_id(char *text, size_t size)
{
    unsigned char random[20];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        panic("no random bytes from the system");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(text + 2 * i, size - 2 * i, "%02x", random[i]);
}

static void
tell_expired(void *arg, struct store *s, struct bytes key)
{
    notify_host(arg, s, NOTIFY_EXPIRED, "expired", key);
}

static void
tell_created(void *arg, struct store *s, struct bytes key)
{
    notify_host(arg, s, NOTIFY_NEW, "new", key);
}

void
host_init(struct host *h, struct config *config, struct keyspace *ks)
{
    *h = (struct host){
        .config = config,
        .keyspace = ks,
        .started_ms = clock_ms(),
        .by_command = xcalloc(COMMAND_COUNT, sizeof *h->by_command),
        .by_error = xcalloc(ERR_COUNT, sizeof *h->by_error),
        .next_client_id = 1,
        .slowlog = slowlog_new(),
        .latency = latency_new(),
        .table = table_new(),
    };
    h->sampled_us = clock_mono_us();
    h->saved_ms = h->started_ms;
    h->save_s = -1;
    draw_run_id(h->run_id, sizeof h->run_id);
    keyspace_tell(ks, tell_expired, tell_created, h);
}

void
host_deinit(struct host *h)
{
    keyspace_tell(h->keyspace, NULL, NULL, NULL);
    for (int i = 0; i < COMMAND_COUNT; i++)
        histogram_free(h->by_command[i].times);
    slowlog_free(h->slowlog);
    latency_free(h->latency);
    free(h->by_command);
    free(h->by_error);
    table_free(h->table);
    pubsub_deinit(&h->pubsub);
    tracking_deinit(h);
    arena_deinit(&h->scratch);
    buf_deinit(&h->spare);
}

static void
reset_command(struct command_stats *stats)
{
    histogram_free(stats->times);
    *stats = (struct command_stats){0};
}

void
host_reset_stats(struct host *h)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        reset_command(&h->by_command[i]);
    for (int i = 0; i < ERR_COUNT; i++)
        h->by_error[i] = 0;
    h->connections = h->refused_connections = 0;
    h->bytes_in = h->bytes_out = h->reads = h->writes = 0;
    h->commands = h->hits = h->misses = h->errors = 0;
    rate_reset(&h->command_rate);
    rate_reset(&h->input_rate);
    rate_reset(&h->output_rate);
    keyspace_reset_stats(h->keyspace);
}

static void
sample_rates(struct host *h)
{
    int64_t now_us = clock_mono_us(), usec = now_us - h->sampled_us;

    if (usec < SAMPLE_US)
        return;
    rate_sample(&h->command_rate, h->commands, usec);
    rate_sample(&h->input_rate, h->bytes_in, usec);
    rate_sample(&h->output_rate, h->bytes_out, usec);
    h->sampled_us = now_us;
}

void
host_tick(struct host *h)
{
    sample_rates(h);
    memory_sample(h);
    unsent_tick(h);
    save_is_running(h);
    tracking_tick(h);
    if (h->spare.cap > 0 && clock_mono_us() - h->spared_us > SPARE_US)
        buf_deinit(&h->spare);
}

void
host_clear(struct host *h, struct buf *b, size_t keep)
{
    bool is_large = b->cap > keep;

    buf_clear_to(b, keep, &h->spare);
    if (is_large && h->spare.cap > 0)
        h->spared_us = clock_mono_us();
}

void
host_end_turn(struct host *h)
{
    tracking_broadcast(h);
}

void
host_retry_writes(struct host *h)
{
    /* A session that is throttled again goes behind those that were there before. */
    for (int64_t n = h->nthrottled; n > 0 && h->throttled != NULL; n--) {
        if (!keyspace_may_write(h->keyspace))
            return;
        session_resume(h->throttled);
    }
}
