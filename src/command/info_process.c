/* info_process: the sections of INFO about the process and what it does. */
// SPDX-License-Identifier: BSD-3-Clause
#include <inttypes.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/clock.h"
#include "command/call.h"
#include "command/host.h"
#include "command/info.h"
#include "command/memory.h"
#include "command/save.h"
#include "command/waiting.h"
#include "keyspace/keyspace.h"

#define TICKS_PER_SECOND 10        /* how often host_tick is called */
#define LRU_CLOCK_END    (1 << 24) /* seconds; Redis's begins again then */

/* A figure of something keyvald has not. */
#define NOTHING(out, name) buf_printf((out), name ":0\r\n")

/* The version and the compiler, as one number. */
static void
write_build(struct buf *out)
{
    uint64_t build = checksum(bytes_str(KEYVALD_VERSION " " __VERSION__), 0);

    INFO_LINE(out, "redis_build_id", "%016" PRIx64, build);
}

static void
write_executable(struct buf *out)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);

    INFO_LINE(out, "executable", "%.*s", len > 0 ? (int)len : 0, path);
}

void
info_server(struct call *c, struct buf *out)
{
    const struct host *h = c->host;
    int64_t up = (clock_ms() - h->started_ms) / 1000;
    struct utsname os;
    uname(&os);

    INFO_LINE(out, "redis_version", "%s", REDIS_VERSION);
    INFO_LINE(out, "keyvald_version", "%s", KEYVALD_VERSION);
    INFO_LINE(out, "redis_git_sha1", "%s", "00000000");
    NOTHING(out, "redis_git_dirty");
    write_build(out);
    INFO_LINE(out, "redis_mode", "%s", "standalone");
    INFO_LINE(out, "os", "%s %s %s", os.sysname, os.release, os.machine);
    INFO_LINE(out, "arch_bits", "%zu", 8 * sizeof(void *));
    INFO_LINE(out, "monotonic_clock", "%s", "POSIX clock_gettime");
    INFO_LINE(out, "multiplexing_api", "%s", "libuv");
    INFO_LINE(out, "atomicvar_api", "%s", "c11-builtin");
    INFO_LINE(out, "gcc_version", "%d.%d.%d", __GNUC__, __GNUC_MINOR__,
              __GNUC_PATCHLEVEL__);
    INFO_LINE(out, "process_id", "%ld", (long)getpid());
    INFO_LINE(out, "process_supervised", "%s", "no");
    INFO_LINE(out, "run_id", "%s", h->run_id);
    INFO_LINE(out, "tcp_port", "%" PRId64, h->port);
    INFO_LINE(out, "server_time_usec", "%" PRId64, clock_us());
    INFO_LINE(out, "uptime_in_seconds", "%" PRId64, up);
    INFO_LINE(out, "uptime_in_days", "%" PRId64, up / (24 * 3600));
    INFO_LINE(out, "hz", "%d", TICKS_PER_SECOND);
    INFO_LINE(out, "configured_hz", "%d", TICKS_PER_SECOND);
    INFO_LINE(out, "lru_clock", "%" PRId64, clock_ms() / 1000 % LRU_CLOCK_END);
    write_executable(out);
    INFO_LINE(out, "config_file", "%s", h->config->file);
    NOTHING(out, "io_threads_active");
}

void
info_clients(struct call *c, struct buf *out)
{
    struct unsent_peak peak = unsent_peak(c->host);

    INFO_LINE(out, "connected_clients", "%" PRId64, c->host->clients);
    NOTHING(out, "cluster_connections");
    INFO_LINE(out, "maxclients", "%" PRId64, c->host->config->maxclients);
    INFO_LINE(out, "client_recent_max_input_buffer", "%zu", peak.input);
    INFO_LINE(out, "client_recent_max_output_buffer", "%zu", peak.output);
    INFO_LINE(out, "blocked_clients", "%" PRId64, c->host->nblocked);
    INFO_LINE(out, "tracking_clients", "%" PRId64, c->host->tracking.nclients);
    INFO_LINE(out, "clients_in_timeout_table", "%" PRId64, waiting_limited(c->host));
    INFO_LINE(out, "throttled_clients", "%" PRId64, c->host->nthrottled);
}

static void
write_human(struct buf *out, const char *name, int64_t bytes)
{
    static const char units[] = "BKMGT";
    double scaled = (double)bytes;
    int unit = 0;

    while (scaled >= 1024 && unit < 4) {
        scaled /= 1024;
        unit++;
    }
    buf_printf(out, "%s_human:%.*f%c\r\n", name, unit > 0 ? 2 : 0, scaled, units[unit]);
}

static void
write_bytes(struct buf *out, const char *name, int64_t bytes)
{
    buf_printf(out, "%s:%" PRId64 "\r\n", name, bytes);
    write_human(out, name, bytes);
}

static double
ratio(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

/* glibc does not tell cheaply what it holds, so it has what the process has. */
static void
write_allocator(const struct memory_figures *m, struct buf *out)
{
    INFO_LINE(out, "allocator_allocated", "%" PRId64, m->used);
    INFO_LINE(out, "allocator_active", "%" PRId64, m->resident);
    INFO_LINE(out, "allocator_resident", "%" PRId64, m->resident);
}

static void
write_fragmentation(const struct memory_figures *m, struct buf *out)
{
    double fragmentation = ratio(m->resident, m->used);

    INFO_LINE(out, "allocator_frag_ratio", "%.2f", fragmentation);
    INFO_LINE(out, "allocator_frag_bytes", "%" PRId64, m->resident - m->used);
    INFO_LINE(out, "allocator_rss_ratio", "%.2f", 1.0);
    NOTHING(out, "allocator_rss_bytes");
    INFO_LINE(out, "rss_overhead_ratio", "%.2f", 1.0);
    NOTHING(out, "rss_overhead_bytes");
    INFO_LINE(out, "mem_fragmentation_ratio", "%.2f", fragmentation);
    INFO_LINE(out, "mem_fragmentation_bytes", "%" PRId64, m->resident - m->used);
}

void
info_memory(struct call *c, struct buf *out)
{
    struct memory_figures m;

    memory_figures(c->host, &m);
    write_bytes(out, "used_memory", m.used);
    write_bytes(out, "used_memory_rss", m.resident);
    write_bytes(out, "used_memory_peak", m.peak);
    INFO_LINE(out, "used_memory_peak_perc", "%.2f%%", 100 * ratio(m.used, m.peak));
    INFO_LINE(out, "used_memory_overhead", "%" PRId64, m.overhead);
    INFO_LINE(out, "used_memory_startup", "%" PRId64, m.startup);
    INFO_LINE(out, "used_memory_dataset", "%" PRId64, m.data);
    INFO_LINE(out, "used_memory_dataset_perc", "%.2f%%",
              100 * ratio(m.data, m.used - m.startup));
    write_allocator(&m, out);
    write_bytes(out, "total_system_memory", m.machine);
    NOTHING(out, "used_memory_lua");
    NOTHING(out, "used_memory_vm_eval");
    write_human(out, "used_memory_lua", 0);
    NOTHING(out, "used_memory_scripts_eval");
    NOTHING(out, "number_of_cached_scripts");
    NOTHING(out, "number_of_functions");
    NOTHING(out, "number_of_libraries");
    NOTHING(out, "used_memory_vm_functions");
    write_bytes(out, "used_memory_vm_total", 0);
    NOTHING(out, "used_memory_functions");
    write_bytes(out, "used_memory_scripts", 0);
    write_bytes(out, "maxmemory", c->host->config->maxmemory);
    INFO_LINE(out, "maxmemory_policy", "%s", "noeviction");
    write_fragmentation(&m, out);
    NOTHING(out, "mem_not_counted_for_evict");
    NOTHING(out, "mem_replication_backlog");
    NOTHING(out, "mem_total_replication_buffers");
    NOTHING(out, "mem_clients_slaves");
    INFO_LINE(out, "mem_clients_normal", "%" PRId64, m.clients);
    NOTHING(out, "mem_cluster_links");
    NOTHING(out, "mem_aof_buffer");
    INFO_LINE(out, "mem_allocator", "%s", "libc");
    NOTHING(out, "active_defrag_running");
    NOTHING(out, "lazyfree_pending_objects");
    NOTHING(out, "lazyfreed_objects");
    INFO_LINE(out, "entries_in_memory", "%" PRId64, m.resident_keys);
    INFO_LINE(out, "table_cache", "%" PRId64, c->host->config->table_cache);
}

/* Snapshots there are none: their figures are those of BGSAVE, which flushes the log. */
static void
write_snapshots(struct host *h, const struct keyspace_disk *disk, struct buf *out)
{
    bool is_saving = save_is_running(h);

    NOTHING(out, "current_cow_peak");
    NOTHING(out, "current_cow_size");
    NOTHING(out, "current_cow_size_age");
    INFO_LINE(out, "current_fork_perc", "%.2f", 0.0);
    NOTHING(out, "current_save_keys_processed");
    NOTHING(out, "current_save_keys_total");
    INFO_LINE(out, "rdb_changes_since_last_save", "%" PRIu64,
              disk->written - disk->durable);
    INFO_LINE(out, "rdb_bgsave_in_progress", "%d", is_saving);
    INFO_LINE(out, "rdb_last_save_time", "%" PRId64, save_last_ms(h) / 1000);
    INFO_LINE(out, "rdb_last_bgsave_status", "%s", disk->failing ? "err" : "ok");
    INFO_LINE(out, "rdb_last_bgsave_time_sec", "%" PRId64, h->save_s);
    INFO_LINE(out, "rdb_current_bgsave_time_sec", "%" PRId64,
              is_saving ? (clock_ms() - h->saving_since_ms) / 1000 : -1);
    INFO_LINE(out, "rdb_saves", "%" PRIu64, h->saves);
    NOTHING(out, "rdb_last_cow_size");
    NOTHING(out, "rdb_last_load_keys_expired");
    NOTHING(out, "rdb_last_load_keys_loaded");
}

static void
write_log(const struct keyspace_disk *disk, struct buf *out)
{
    INFO_LINE(out, "aof_enabled", "%d", 1);
    NOTHING(out, "aof_rewrite_in_progress");
    NOTHING(out, "aof_rewrite_scheduled");
    INFO_LINE(out, "aof_last_rewrite_time_sec", "%d", -1);
    INFO_LINE(out, "aof_current_rewrite_time_sec", "%d", -1);
    INFO_LINE(out, "aof_last_bgrewrite_status", "%s", "ok");
    NOTHING(out, "aof_rewrites");
    NOTHING(out, "aof_rewrites_consecutive_failures");
    INFO_LINE(out, "aof_last_write_status", "%s", disk->failing ? "err" : "ok");
    NOTHING(out, "aof_last_cow_size");
    NOTHING(out, "module_fork_in_progress");
    NOTHING(out, "module_fork_last_cow_size");
    INFO_LINE(out, "aof_current_size", "%" PRId64, disk->log_bytes);
    NOTHING(out, "aof_base_size");
    NOTHING(out, "aof_pending_rewrite");
    NOTHING(out, "aof_buffer_length");
    NOTHING(out, "aof_pending_bio_fsync");
    NOTHING(out, "aof_delayed_fsync");
}

void
info_persistence(struct call *c, struct buf *out)
{
    static const char *const modes[] = {"always", "everysec", "no"};
    struct keyspace_disk disk;

    keyspace_disk(c->host->keyspace, &disk);
    NOTHING(out, "loading");
    NOTHING(out, "async_loading");
    write_snapshots(c->host, &disk, out);
    write_log(&disk, out);
    INFO_LINE(out, "appendfsync", "%s", modes[c->host->config->appendfsync]);
    INFO_LINE(out, "write_status", "%s", disk.failing ? "err" : "ok");
    INFO_LINE(out, "batch_written", "%" PRIu64, disk.written);
    INFO_LINE(out, "batch_durable", "%" PRIu64, disk.durable);
    INFO_LINE(out, "batch_applied", "%" PRIu64, disk.applied);
    INFO_LINE(out, "log_bytes_ahead", "%" PRId64, disk.log_ahead);
    INFO_LINE(out, "log_files_bytes", "%" PRId64, disk.log_bytes);
    INFO_LINE(out, "log_last_sync_time", "%" PRId64, disk.last_sync_ms / 1000);
    INFO_LINE(out, "table_transactions", "%" PRIu64, disk.transactions);
    INFO_LINE(out, "checkpoints", "%" PRIu64, disk.checkpoints);
    INFO_LINE(out, "open_tables", "%" PRId64, disk.open_tables);
}

static void
write_traffic(const struct host *h, struct buf *out)
{
    INFO_LINE(out, "total_connections_received", "%" PRIu64, h->connections);
    INFO_LINE(out, "total_commands_processed", "%" PRIu64, h->commands);
    INFO_LINE(out, "instantaneous_ops_per_sec", "%.0f", rate_average(&h->command_rate));
    INFO_LINE(out, "total_net_input_bytes", "%" PRIu64, h->bytes_in);
    INFO_LINE(out, "total_net_output_bytes", "%" PRIu64, h->bytes_out);
    NOTHING(out, "total_net_repl_input_bytes");
    NOTHING(out, "total_net_repl_output_bytes");
    INFO_LINE(out, "instantaneous_input_kbps", "%.2f",
              rate_average(&h->input_rate) / 1024);
    INFO_LINE(out, "instantaneous_output_kbps", "%.2f",
              rate_average(&h->output_rate) / 1024);
    INFO_LINE(out, "instantaneous_input_repl_kbps", "%.2f", 0.0);
    INFO_LINE(out, "instantaneous_output_repl_kbps", "%.2f", 0.0);
    INFO_LINE(out, "rejected_connections", "%" PRIu64, h->refused_connections);
    NOTHING(out, "sync_full");
    NOTHING(out, "sync_partial_ok");
    NOTHING(out, "sync_partial_err");
}

static void
write_keys(const struct host *h, struct buf *out)
{
    struct keyspace_disk disk;
    struct keyspace_stats stats;
    keyspace_stats(h->keyspace, &stats);
    keyspace_disk(h->keyspace, &disk);

    INFO_LINE(out, "expired_keys", "%" PRIu64, stats.expired);
    INFO_LINE(out, "expired_stale_perc", "%.2f", 0.0);
    NOTHING(out, "expired_time_cap_reached_count");
    NOTHING(out, "expire_cycle_cpu_milliseconds");
    NOTHING(out, "evicted_keys");
    NOTHING(out, "evicted_clients");
    NOTHING(out, "total_eviction_exceeded_time");
    NOTHING(out, "current_eviction_exceeded_time");
    INFO_LINE(out, "keyspace_hits", "%" PRIu64, h->hits);
    INFO_LINE(out, "keyspace_misses", "%" PRIu64, h->misses);
    INFO_LINE(out, "keys_read_cold", "%" PRIu64, stats.cold);
    INFO_LINE(out, "table_reads", "%" PRIu64, disk.reads);
    INFO_LINE(out, "entries_let_go", "%" PRIu64, stats.evicted);
    INFO_LINE(out, "watched_keys", "%" PRId64, stats.watched);
}

void
info_stats(struct call *c, struct buf *out)
{
    const struct host *h = c->host;

    write_traffic(h, out);
    write_keys(h, out);
    INFO_LINE(out, "pubsub_channels", "%zu", h->pubsub.channels[CHANNEL_PLAIN].count);
    INFO_LINE(out, "pubsub_patterns", "%zu", h->pubsub.channels[CHANNEL_PATTERN].count);
    INFO_LINE(out, "pubsubshard_channels", "%zu", h->pubsub.channels[CHANNEL_SHARD].count);
    NOTHING(out, "latest_fork_usec");
    NOTHING(out, "total_forks");
    INFO_LINE(out, "migrate_cached_sockets", "%" PRId64, h->kept_peers);
    NOTHING(out, "slave_expires_tracked_keys");
    NOTHING(out, "active_defrag_hits");
    NOTHING(out, "active_defrag_misses");
    NOTHING(out, "active_defrag_key_hits");
    NOTHING(out, "active_defrag_key_misses");
    NOTHING(out, "total_active_defrag_time");
    NOTHING(out, "current_active_defrag_time");
    INFO_LINE(out, "tracking_total_keys", "%zu", h->tracking.tracked.keys.count);
    INFO_LINE(out, "tracking_total_items", "%zu", h->tracking.tracked.readings.count);
    INFO_LINE(out, "tracking_total_prefixes", "%zu", h->tracking.prefixes.count);
    NOTHING(out, "unexpected_error_replies");
    INFO_LINE(out, "total_error_replies", "%" PRIu64, h->errors);
    NOTHING(out, "dump_payload_sanitizations");
    INFO_LINE(out, "total_reads_processed", "%" PRIu64, h->reads);
    INFO_LINE(out, "total_writes_processed", "%" PRIu64, h->writes);
    NOTHING(out, "io_threaded_reads_processed");
    NOTHING(out, "io_threaded_writes_processed");
    NOTHING(out, "reply_buffer_shrinks");
    NOTHING(out, "reply_buffer_expands");
}

/* Clients look here for a server that takes writes. */
void
info_replication(struct call *c, struct buf *out)
{
    INFO_LINE(out, "role", "%s", "master");
    NOTHING(out, "connected_slaves");
    INFO_LINE(out, "master_failover_state", "%s", "no-failover");
    INFO_LINE(out, "master_replid", "%s", c->host->run_id);
    INFO_LINE(out, "master_replid2", "%040d", 0);
    NOTHING(out, "master_repl_offset");
    INFO_LINE(out, "second_repl_offset", "%d", -1);
    NOTHING(out, "repl_backlog_active");
    NOTHING(out, "repl_backlog_size");
    NOTHING(out, "repl_backlog_first_byte_offset");
    NOTHING(out, "repl_backlog_histlen");
}

static double
seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void
info_cpu(struct call *c, struct buf *out)
{
    struct rusage self, children, loop;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    getrusage(RUSAGE_THREAD, &loop);

    (void)c;
    INFO_LINE(out, "used_cpu_sys", "%.6f", seconds(self.ru_stime));
    INFO_LINE(out, "used_cpu_user", "%.6f", seconds(self.ru_utime));
    INFO_LINE(out, "used_cpu_sys_children", "%.6f", seconds(children.ru_stime));
    INFO_LINE(out, "used_cpu_user_children", "%.6f", seconds(children.ru_utime));
    INFO_LINE(out, "used_cpu_sys_main_thread", "%.6f", seconds(loop.ru_stime));
    INFO_LINE(out, "used_cpu_user_main_thread", "%.6f", seconds(loop.ru_utime));
}

/* There are none. */
void
info_modules(struct call *c, struct buf *out)
{
    (void)c;
    (void)out;
}

void
info_cluster(struct call *c, struct buf *out)
{
    (void)c;
    NOTHING(out, "cluster_enabled");
}
