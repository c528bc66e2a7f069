/* keyvald: the server's wiring. Reads the configuration, opens the data, serves,
 * closes. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"
#include "base/version.h"
#include "command/host.h"
#include "command/memory.h"
#include "config/config.h"
#include "keyspace/keyspace.h"
#include "server/server.h"
#include "storage/storage.h"
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPARE_FILES 96 /* descriptors for logs, listeners, the loop, other servers */
#define LARGE                                                                            \
    (1024 * 1024) /* allocations from here on go back to the system when freed */

static const char USAGE[] =
    "Usage: keyvald [/path/to/keyvald.conf] [--directive value ...]\n"
    "       keyvald --version | --help\n"
    "\n"
    "Examples:\n"
    "       keyvald --port 7000 --dir /var/lib/keyvald\n"
    "       keyvald conf/keyvald.conf --appendfsync always\n";

/* glibc's malloc takes large pages only where that was said before the program starts, so
 * it is started once more. Where that does not work, it goes on with small ones. */
static void
restart_with_large_pages(char **argv)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

    if (len < 0 || getenv("GLIBC_TUNABLES") != NULL)
        return;
    path[len] = '\0';
    setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);
    execv(path, argv);
}

/* Everything that is open, in the order in which it is opened. */
struct process {
    struct config *config;
    struct server *server;
    struct storage *storage;
    struct keyspace *keyspace;
    struct host host;
};

static enum storage_sync
sync_of(const struct config *config)
{
    switch ((enum appendfsync)config->appendfsync) {
    case APPENDFSYNC_ALWAYS:
        return SYNC_ALWAYS;
    case APPENDFSYNC_NO:
        return SYNC_NO;
    case APPENDFSYNC_EVERYSEC:
        break;
    }
    return SYNC_EVERYSEC;
}

static struct storage_options
options_of(const struct config *config, struct server *server)
{
    return (struct storage_options){
        .dir = config->dir,
        .cache = config->table_cache,
        .distance = config->log_distance,
        .apply_delay = config->apply_delay,
        .max_open_tables = config->max_open_tables,
        .read_threads = (int)config->read_threads,
        .sync = sync_of(config),
        .wake = server_wake,
        .wake_arg = server,
    };
}

/* Sees that there are descriptors for all clients beside the tables and logs. Gives for
 * how many there are. */
static int64_t
raise_file_limit(const struct config *config)
{
    struct rlimit limit;
    rlim_t others = (rlim_t)config->max_open_tables + SPARE_FILES;
    rlim_t want = (rlim_t)config->maxclients + others;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
        return config->maxclients;
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= want)
        return config->maxclients;
    return limit.rlim_cur > others ? (int64_t)(limit.rlim_cur - others) : 1;
}

/* At the start fewer clients do where the system gives less. */
static void
bound_clients(struct config *config)
{
    int64_t room = raise_file_limit(config);

    if (room < config->maxclients)
        log_line(LOG_WARNING,
                 "The system allows too few open files: maxclients is now %lld. Raise "
                 "the limit with ulimit -n.",
                 (long long)room);
    config->maxclients = room;
}

/* CONFIG SET changed something. */
static int
reconfigure(void *arg, const struct config *config, char error[CONFIG_ERROR_MAX])
{
    struct process *p = arg;
    struct storage_options options = options_of(config, p->server);
    int64_t room = raise_file_limit(config);

    if (room < config->maxclients) {
        snprintf(error, CONFIG_ERROR_MAX,
                 "CONFIG SET failed (possibly related to argument 'maxclients') - The "
                 "operating system is not able to handle the specified number of "
                 "clients, try with %lld",
                 (long long)room);
        return -1;
    }
    log_set_level((enum log_level)config->loglevel);
    keyspace_set_maxmemory(p->keyspace, config->maxmemory);
    storage_tune(p->storage, &options);
    return 0;
}

static int
open_all(struct process *p)
{
    struct storage_options options = options_of(p->config, p->server);
    char error[STORAGE_ERROR_MAX];

    p->storage = storage_open(&options, error);
    if (p->storage == NULL) {
        log_line(LOG_WARNING, "%s", error);
        return -1;
    }
    config_resolve_dir(p->config);
    int64_t heap = memory_heap();
    p->keyspace = keyspace_new(p->storage);
    if (p->keyspace == NULL)
        return -1;
    keyspace_set_maxmemory(p->keyspace, p->config->maxmemory);
    storage_start(p->storage);
    host_init(&p->host, p->config, p->keyspace);
    p->host.startup_memory = heap;
    p->host.reconfigure = reconfigure;
    p->host.reconfigure_arg = p;
    if (server_listen(p->server, p->config) != 0)
        return -1;
    p->host.port = server_port(p->server);
    return 0;
}

/* Closes what is open. -1: the tables could not be brought up to date. */
static int
close_all(struct process *p)
{
    int failed = 0;

    if (p->keyspace != NULL) {
        host_deinit(&p->host);
        keyspace_free(p->keyspace);
    }
    if (p->storage != NULL)
        failed = storage_close(p->storage);
    server_free(p->server);
    config_free(p->config);
    return failed;
}

static void
greet(const struct process *p)
{
    log_line(LOG_NOTICE,
             "keyvald %s, data in %s. Try: redis-cli -p %lld SET greeting hello",
             KEYVALD_VERSION, p->config->dir, (long long)p->host.port);
}

static int
serve(struct process *p)
{
    int failed = open_all(p);

    if (!failed) {
        greet(p);
        failed = server_run(p->server, &p->host);
        log_line(LOG_NOTICE, "Bringing the tables up to date before exiting");
    }
    if (close_all(p) != 0) {
        log_line(LOG_WARNING, "The tables are behind; the log has everything");
        failed = -1;
    }
    if (!failed)
        log_line(LOG_WARNING, "keyvald is now ready to exit, bye bye...");
    return failed;
}

int
main(int argc, char **argv)
{
    struct process p = {0};
    char error[CONFIG_ERROR_MAX];

    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0))
        return puts("keyvald " KEYVALD_VERSION) < 0;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return fputs(USAGE, stdout) < 0;

    restart_with_large_pages(argv);
    mallopt(M_MMAP_THRESHOLD, LARGE);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    p.config = config_new();
    if (config_arguments(p.config, argc - 1, argv + 1, error) != 0) {
        fprintf(stderr, "%s\n", error);
        config_free(p.config);
        return EXIT_FAILURE;
    }
    log_set_level((enum log_level)p.config->loglevel);
    if (!log_set_file(p.config->logfile)) {
        fprintf(stderr, "Can't open the log file %s\n", p.config->logfile);
        config_free(p.config);
        return EXIT_FAILURE;
    }
    bound_clients(p.config);
    p.server = server_new();
    return serve(&p) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
