/* info: INFO, the server's figures by section. A section is a row and a function. */
// SPDX-License-Identifier: BSD-3-Clause
#include <ctype.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/number.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

#define LINE(out, name, format, ...)                                                     \
    buf_printf((out), name ":" format "\r\n", __VA_ARGS__)

static void
write_server(struct call *c, struct buf *out)
{
    const struct host *h = c->host;
    int64_t up = (clock_ms() - h->started_ms) / 1000;
    struct utsname os;
    uname(&os);

    LINE(out, "redis_version", "%s", REDIS_VERSION);
    LINE(out, "keyvald_version", "%s", KEYVALD_VERSION);
    LINE(out, "redis_mode", "%s", "standalone");
    LINE(out, "os", "%s %s %s", os.sysname, os.release, os.machine);
    LINE(out, "arch_bits", "%zu", 8 * sizeof(void *));
    LINE(out, "process_id", "%ld", (long)getpid());
    LINE(out, "run_id", "%s", h->run_id);
    LINE(out, "tcp_port", "%" PRId64, h->port);
    LINE(out, "uptime_in_seconds", "%" PRId64, up);
    LINE(out, "uptime_in_days", "%" PRId64, up / (24 * 3600));
    LINE(out, "config_file", "%s", h->config->file);
}

static void
write_clients(struct call *c, struct buf *out)
{
    LINE(out, "connected_clients", "%" PRId64, c->host->clients);
    LINE(out, "maxclients", "%" PRId64, c->host->config->maxclients);
    LINE(out, "throttled_clients", "%" PRId64, c->host->nthrottled);
}

/* Bytes of the process in memory, as the kernel counts them; 0 where it does not say. */
static int64_t
resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(f);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void
write_memory_line(struct buf *out, const char *name, int64_t bytes)
{
    static const char units[] = "BKMGT";
    double scaled = (double)bytes;
    int unit = 0;

    while (scaled >= 1024 && unit < 4) {
        scaled /= 1024;
        unit++;
    }
    buf_printf(out, "%s:%" PRId64 "\r\n%s_human:%.*f%c\r\n", name, bytes, name,
               unit > 0 ? 2 : 0, scaled, units[unit]);
}

static void
write_memory(struct call *c, struct buf *out)
{
    struct mallinfo2 heap = mallinfo2();
    struct keyspace_stats stats;
    keyspace_stats(c->host->keyspace, &stats);

    write_memory_line(out, "used_memory", (int64_t)(heap.uordblks + heap.hblkhd));
    write_memory_line(out, "used_memory_rss", resident_bytes());
    LINE(out, "used_memory_dataset", "%" PRId64, stats.memory);
    LINE(out, "entries_in_memory", "%" PRId64, stats.entries);
    LINE(out, "table_cache", "%" PRId64, c->host->config->table_cache);
    write_memory_line(out, "maxmemory", c->host->config->maxmemory);
}

static void
write_persistence(struct call *c, struct buf *out)
{
    static const char *const modes[] = {"always", "everysec", "no"};
    struct keyspace_disk disk;

    keyspace_disk(c->host->keyspace, &disk);
    LINE(out, "loading", "%d", 0);
    LINE(out, "appendfsync", "%s", modes[c->host->config->appendfsync]);
    LINE(out, "write_status", "%s", disk.failing ? "err" : "ok");
    LINE(out, "batch_written", "%" PRIu64, disk.written);
    LINE(out, "batch_durable", "%" PRIu64, disk.durable);
    LINE(out, "batch_applied", "%" PRIu64, disk.applied);
    LINE(out, "log_bytes_ahead", "%" PRId64, disk.log_ahead);
    LINE(out, "log_files_bytes", "%" PRId64, disk.log_bytes);
    LINE(out, "log_last_sync_time", "%" PRId64, disk.last_sync_ms / 1000);
    LINE(out, "table_transactions", "%" PRIu64, disk.transactions);
    LINE(out, "checkpoints", "%" PRIu64, disk.checkpoints);
    LINE(out, "open_tables", "%" PRId64, disk.open_tables);
}

static void
write_stats(struct call *c, struct buf *out)
{
    const struct host *h = c->host;
    struct keyspace_disk disk;
    struct keyspace_stats stats;
    keyspace_stats(h->keyspace, &stats);
    keyspace_disk(h->keyspace, &disk);

    LINE(out, "total_connections_received", "%" PRIu64, h->connections);
    LINE(out, "total_commands_processed", "%" PRIu64, h->commands);
    LINE(out, "total_net_input_bytes", "%" PRIu64, h->bytes_in);
    LINE(out, "total_net_output_bytes", "%" PRIu64, h->bytes_out);
    LINE(out, "rejected_connections", "%" PRIu64, h->refused_connections);
    LINE(out, "expired_keys", "%" PRIu64, stats.expired);
    LINE(out, "keyspace_hits", "%" PRIu64, h->hits);
    LINE(out, "keyspace_misses", "%" PRIu64, h->misses);
    LINE(out, "keys_read_cold", "%" PRIu64, stats.cold);
    LINE(out, "table_reads", "%" PRIu64, disk.reads);
    LINE(out, "entries_let_go", "%" PRIu64, stats.evicted);
    LINE(out, "watched_keys", "%" PRId64, stats.watched);
    LINE(out, "total_error_replies", "%" PRIu64, h->errors);
}

/* Clients look here for a server that takes writes. */
static void
write_replication(struct call *c, struct buf *out)
{
    (void)c;
    LINE(out, "role", "%s", "master");
    LINE(out, "connected_slaves", "%d", 0);
}

static void
write_commandstats(struct call *c, struct buf *out)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct command_stats *s = &c->host->by_command[i];
        if (s->calls == 0 && s->rejected == 0)
            continue;
        buf_printf(out,
                   "cmdstat_%s:calls=%" PRIu64 ",usec=%" PRIu64
                   ",usec_per_call=%.2f,rejected_calls=%" PRIu64 ",failed_calls=%" PRIu64
                   "\r\n",
                   commands[i].name, s->calls, s->usec,
                   s->calls > 0 ? (double)s->usec / (double)s->calls : 0.0, s->rejected,
                   s->failed);
    }
}

/* The first word of an error's text. */
static struct bytes
error_code(int err)
{
    const char *text = err_text((enum err)err);
    return bytes_of(text, strcspn(text, " "));
}

/* How many replies began with that error's code; 0 unless it is the first of its code. */
static uint64_t
count_code(const struct host *h, int err)
{
    uint64_t count = 0;

    for (int other = 1; other < ERR_COUNT; other++) {
        if (!bytes_eq(error_code(other), error_code(err)))
            continue;
        if (other < err)
            return 0;
        count += h->by_error[other];
    }
    return count;
}

static void
write_errorstats(struct call *c, struct buf *out)
{
    for (int err = 1; err < ERR_COUNT; err++) {
        uint64_t count = count_code(c->host, err);
        struct bytes code = error_code(err);
        if (count > 0)
            buf_printf(out, "errorstat_%.*s:count=%" PRIu64 "\r\n", (int)code.len,
                       code.data, count);
    }
}

struct numbered {
    struct call *c;
    struct store **stores; /* in scratch; NULL while they are only counted */
    size_t count;
};

static int64_t
number_of(const struct store *s)
{
    int64_t number;
    return number_parse(store_name(s), &number) ? number : -1;
}

static void
take_numbered(void *arg, struct store *s)
{
    struct numbered *all = arg;
    int64_t number = number_of(s);

    if (number < 0 || number >= all->c->host->config->databases)
        return;
    if (all->stores != NULL)
        all->stores[all->count] = s;
    all->count++;
}

static int
compare_numbers(const void *a, const void *b)
{
    int64_t left = number_of(*(struct store *const *)a);
    int64_t right = number_of(*(struct store *const *)b);
    return (left > right) - (left < right);
}

/* Only numbered stores: clients expect db and a number. */
static void
write_keyspace(struct call *c, struct buf *out)
{
    struct numbered all = {.c = c};

    keyspace_each_store(c->host->keyspace, take_numbered, &all);
    all.stores = arena_alloc(c->scratch, (all.count + 1) * sizeof(struct store *));
    all.count = 0;
    keyspace_each_store(c->host->keyspace, take_numbered, &all);
    qsort(all.stores, all.count, sizeof(struct store *), compare_numbers);

    for (size_t i = 0; i < all.count; i++) {
        const struct store *s = all.stores[i];
        buf_printf(out,
                   "db%" PRId64 ":keys=%" PRId64 ",expires=%" PRId64 ",avg_ttl=0\r\n",
                   number_of(s), store_count(s), store_expires(s));
    }
}

/* A name between quotes, with \xHH for what cannot stand on a line. */
static void
write_quoted(struct buf *out, struct bytes name)
{
    buf_append(out, "\"", 1);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char ch = (unsigned char)name.data[i];
        if (ch == '"' || ch == '\\')
            buf_printf(out, "\\%c", ch);
        else if (isprint(ch))
            buf_append(out, &name.data[i], 1);
        else
            buf_printf(out, "\\x%02x", ch);
    }
    buf_append(out, "\"", 1);
}

static void
write_store(void *arg, struct store *s)
{
    struct buf *out = arg;

    buf_printf(out,
               "store%" PRIu32 ":keys=%" PRId64 ",expires=%" PRId64 ",resident=%" PRId64
               ",name=",
               store_id(s), store_count(s), store_expires(s), store_resident(s));
    write_quoted(out, store_name(s));
    buf_append(out, "\r\n", 2);
}

static void
write_stores(struct call *c, struct buf *out)
{
    keyspace_each_store(c->host->keyspace, write_store, out);
}

struct section {
    const char *name;
    void (*write)(struct call *c, struct buf *out);
    bool by_default; /* is told when no section was asked for */
};

static const struct section sections[] = {
    {"Server", write_server, true},
    {"Clients", write_clients, true},
    {"Memory", write_memory, true},
    {"Persistence", write_persistence, true},
    {"Stats", write_stats, true},
    {"Replication", write_replication, true},
    {"Commandstats", write_commandstats, false},
    {"Errorstats", write_errorstats, true},
    {"Keyspace", write_keyspace, true},
    {"Stores", write_stores, false},
};

static bool
is_asked_for(const struct call *c, const struct section *s)
{
    if (c->argc == 1)
        return s->by_default;
    for (int i = 1; i < c->argc; i++) {
        if (arg_is(c, i, "all") || arg_is(c, i, "everything") || arg_is(c, i, s->name))
            return true;
        if (arg_is(c, i, "default") && s->by_default)
            return true;
    }
    return false;
}

/* INFO [section ...]: text of "name:value" lines below "# Section" lines. */
enum err
cmd_info(struct call *c)
{
    struct buf text = {0};

    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (!is_asked_for(c, &sections[i]))
            continue;
        buf_printf(&text, "%s# %s\r\n", text.len > 0 ? "\r\n" : "", sections[i].name);
        sections[i].write(c, &text);
    }
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    return OK;
}
