/* memory_commands: MEMORY, which tells what is taken of memory and what for. */
// SPDX-License-Identifier: BSD-3-Clause
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/memory.h"
#include "command/selection.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

static enum err
check_samples(const struct call *c)
{
    for (int i = 3; i < c->argc; i += 2) {
        int64_t count;
        if (!arg_is(c, i, "SAMPLES") || i + 1 >= c->argc)
            return ERR_SYNTAX;
        TRY(arg_int(c, i + 1, &count));
        if (count < 0)
            return ERR_SYNTAX;
    }
    return OK;
}

/* MEMORY USAGE key [SAMPLES count]: bytes that the key and its value take. A string is one
 * piece, so there is nothing to sample. */
enum err
cmd_memory_usage(struct call *c)
{
    TRY(check_samples(c));

    const struct entry *e = store_peek(c->store, c->argv[2], c->now);
    if (e == NULL)
        reply_null(c->out);
    else
        reply_int(c->out, (int64_t)entry_memory(e));
    return OK;
}

static void
reply_ratio(struct call *c, const char *name, int64_t part, int64_t whole, double scale)
{
    reply_bulk_str(c->out, name);
    reply_double(c->out, whole > 0 ? scale * (double)part / (double)whole : 0);
}

static void
reply_store(struct call *c, const struct store *s)
{
    struct bytes number = store_name(s);
    struct store_overhead o;
    char name[32];

    store_overhead(s, &o);
    snprintf(name, sizeof name, "db.%.*s", (int)number.len, number.data);
    reply_bulk_str(c->out, name);
    reply_map(c->out, 3);
    reply_figure(c->out, "overhead.hashtable.main", o.slots);
    reply_figure(c->out, "overhead.hashtable.expires", o.deadlines);
    reply_figure(c->out, "overhead.hashtable.slot-to-keys", 0);
}

/* MEMORY STATS: the figures by name. What has no part here is 0. Only numbered stores
 * have figures of their own. */
enum err
cmd_memory_stats(struct call *c)
{
    struct memory_figures m;
    size_t count;
    struct store **stores = selection_numbered(c, &count);

    memory_figures(c->host, &m);
    int64_t taken = m.used - m.startup;
    reply_map(c->out, 27 + count);
    reply_figure(c->out, "peak.allocated", m.peak);
    reply_figure(c->out, "total.allocated", m.used);
    reply_figure(c->out, "startup.allocated", m.startup);
    reply_figure(c->out, "replication.backlog", 0);
    reply_figure(c->out, "clients.slaves", 0);
    reply_figure(c->out, "clients.normal", m.clients);
    reply_figure(c->out, "cluster.links", 0);
    reply_figure(c->out, "aof.buffer", 0);
    reply_figure(c->out, "lua.caches", 0);
    reply_figure(c->out, "functions.caches", 0);
    for (size_t i = 0; i < count; i++)
        reply_store(c, stores[i]);
    reply_figure(c->out, "overhead.total", m.overhead);
    reply_figure(c->out, "keys.count", m.keys);
    reply_figure(c->out, "keys.bytes-per-key", m.keys > 0 ? taken / m.keys : 0);
    reply_figure(c->out, "dataset.bytes", m.data);
    reply_ratio(c, "dataset.percentage", m.data, taken, 100);
    reply_ratio(c, "peak.percentage", m.used, m.peak, 100);
    reply_figure(c->out, "allocator.allocated", m.used);
    reply_figure(c->out, "allocator.active", m.resident);
    reply_figure(c->out, "allocator.resident", m.resident);
    reply_ratio(c, "allocator-fragmentation.ratio", m.resident, m.used, 1);
    reply_figure(c->out, "allocator-fragmentation.bytes", m.resident - m.used);
    reply_ratio(c, "allocator-rss.ratio", m.resident, m.resident, 1);
    reply_figure(c->out, "allocator-rss.bytes", 0);
    reply_ratio(c, "rss-overhead.ratio", m.resident, m.resident, 1);
    reply_figure(c->out, "rss-overhead.bytes", 0);
    reply_ratio(c, "fragmentation", m.resident, m.used, 1);
    reply_figure(c->out, "fragmentation.bytes", m.resident - m.used);
    return OK;
}

#define LITTLE (5 * 1024 * 1024) /* bytes; about less there is nothing to say */

static void
write_advice(struct call *c, const struct memory_figures *m, struct buf *out)
{
    int64_t limit = c->host->config->maxmemory;

    if (m->peak > m->used + m->used / 2)
        buf_printf(out,
                   "- There was much more in memory once. What was freed is kept for "
                   "what comes; MEMORY PURGE gives it back.\n");
    if (m->resident > m->used + m->used / 2)
        buf_printf(out, "- Much of the process's memory holds no data. Pages of tables "
                        "and buffers are part of it, and holes between keys.\n");
    if (limit > 0 && m->data > limit)
        buf_printf(out,
                   "- More is in memory than maxmemory allows: keys are leaving, and "
                   "writers may have to wait for it.\n");
}

/* MEMORY DOCTOR: what looks odd in the figures. */
enum err
cmd_memory_doctor(struct call *c)
{
    struct memory_figures m;
    struct buf advice = {0}, text = {0};

    memory_figures(c->host, &m);
    write_advice(c, &m, &advice);
    if (m.data < LITTLE)
        buf_printf(&text,
                   "There is too little data in memory to say anything about it.\n");
    else if (advice.len == 0)
        buf_printf(&text, "Nothing looks odd about the memory.\n");
    else
        buf_printf(&text, "Something looks odd about the memory:\n\n%.*s",
                   (int)advice.len, advice.data);
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    buf_deinit(&advice);
    return OK;
}

/* MEMORY MALLOC-STATS: what the allocator says of itself. It walks the heap for that. */
enum err
cmd_memory_malloc_stats(struct call *c)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (f == NULL || malloc_info(0, f) != 0 || fclose(f) != 0)
        panic("malloc does not tell about itself");

    reply_verbatim(c->out, "txt", bytes_of(text, len));
    free(text);
    return OK;
}

/* MEMORY PURGE: what was freed goes back to the system. */
enum err
cmd_memory_purge(struct call *c)
{
    malloc_trim(0);

    reply_ok(c->out);
    return OK;
}

/* MEMORY HELP: its subcommands. */
enum err
cmd_memory_help(struct call *c)
{
    static const char *const lines[] = {
        "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "DOCTOR",
        "    Say what looks odd.",
        "MALLOC-STATS",
        "    Tell what the allocator says of itself, as XML.",
        "PURGE",
        "    Give freed memory back to the system.",
        "STATS",
        "    Tell how much memory is taken, and what for.",
        "USAGE <key> [SAMPLES <count>]",
        "    Tell how many bytes a key and its value take.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
