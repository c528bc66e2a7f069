/*
 * engine: what server/ does with sockets, done with buffers. One thread, this one, owns
 * everything; storage's threads only ring a bell, on which it waits when it has nothing
 * to do.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "engine.h"

#include "base/clock.h"
#include "base/mem.h"
#include "command/host.h"
#include "command/session.h"
#include "config/config.h"
#include "keyspace/keyspace.h"
#include "daemon.h"
#include "storage/storage.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ENGINE_ARGS_MAX 64
#define WAIT_MAX_MS     5 /* a bell need not ring for what only time brings */

struct engine_client {
    struct session *session; /* NULL: has not spoken yet, or is gone */
    struct buf input;
};

struct engine {
    char *dir;
    char *const *args;
    struct config *config;
    struct storage *storage;
    struct keyspace *keyspace;
    struct host host;
    bool running;
    int64_t held_ms; /* 0: the clock goes on */
    struct engine_client clients[ENGINE_CLIENTS];
    pthread_mutex_t mutex;
    pthread_cond_t bell;
    bool rung; /* under mutex */
};

static void
ring(void *arg)
{
    struct engine *e = arg;

    pthread_mutex_lock(&e->mutex);
    e->rung = true;
    pthread_cond_signal(&e->bell);
    pthread_mutex_unlock(&e->mutex);
}

static void
wait_for_bell(struct engine *e, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&e->mutex);
    while (!e->rung && pthread_cond_timedwait(&e->bell, &e->mutex, &until) == 0)
        continue;
    e->rung = false;
    pthread_mutex_unlock(&e->mutex);
}

static struct storage_options
options_of(struct engine *e)
{
    static const enum storage_sync syncs[] = {
        [APPENDFSYNC_ALWAYS] = SYNC_ALWAYS,
        [APPENDFSYNC_EVERYSEC] = SYNC_EVERYSEC,
        [APPENDFSYNC_NO] = SYNC_NO,
    };
    const struct config *c = e->config;

    return (struct storage_options){
        .dir = c->dir,
        .cache = c->table_cache,
        .distance = c->log_distance,
        .apply_delay = c->apply_delay,
        .max_open_tables = c->max_open_tables,
        .read_threads = (int)c->read_threads,
        .sync = syncs[c->appendfsync],
        .wake = ring,
        .wake_arg = e,
    };
}

static int
take_new_values(void *arg, const struct config *c, char error[CONFIG_ERROR_MAX])
{
    struct engine *e = arg;
    struct storage_options options = options_of(e);

    (void)error;
    storage_tune(e->storage, &options);
    keyspace_set_maxmemory(e->keyspace, c->maxmemory);
    return 0;
}

static void
load_config(struct engine *e)
{
    char error[CONFIG_ERROR_MAX];
    char *argv[ENGINE_ARGS_MAX] = {"--dir", e->dir};
    int argc = 2;

    for (int i = 0; e->args != NULL && e->args[i] != NULL; i++)
        argv[argc++] = e->args[i];
    e->config = config_new();
    if (config_arguments(e->config, argc, argv, error) != 0)
        panic("engine: %s", error);
}

void
engine_start(struct engine *e)
{
    char error[STORAGE_ERROR_MAX];

    load_config(e);
    struct storage_options options = options_of(e);
    e->storage = storage_open(&options, error);
    if (e->storage == NULL)
        panic("engine: %s", error);
    e->keyspace = keyspace_new(e->storage);
    if (e->keyspace == NULL)
        panic("engine: the keyspace could not be loaded");
    storage_start(e->storage);
    keyspace_set_maxmemory(e->keyspace, e->config->maxmemory);
    host_init(&e->host, e->config, e->keyspace);
    e->host.reconfigure = take_new_values;
    e->host.reconfigure_arg = e;
    e->running = true;
}

struct engine *
engine_new(char *const *args)
{
    struct engine *e = xcalloc(1, sizeof *e);
    pthread_condattr_t monotonic;

    e->dir = directory_make();
    e->args = args;
    pthread_mutex_init(&e->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&e->bell, &monotonic);
    pthread_condattr_destroy(&monotonic);
    engine_start(e);
    return e;
}

static void
client_end(struct engine_client *c)
{
    if (c->session != NULL)
        session_free(c->session);
    c->session = NULL;
    buf_deinit(&c->input);
    c->input = (struct buf){0};
}

void
engine_disconnect(struct engine *e)
{
    for (int i = 0; i < ENGINE_CLIENTS; i++)
        client_end(&e->clients[i]);
}

void
engine_stop(struct engine *e)
{
    if (!e->running)
        return;
    engine_disconnect(e);
    if (keyspace_commit(e->keyspace) != 0)
        panic("engine: the last changes could not be written");
    host_deinit(&e->host);
    keyspace_free(e->keyspace);
    if (storage_close(e->storage) != 0)
        panic("engine: the tables could not be brought up to date");
    config_free(e->config);
    e->running = false;
}

void
engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    engine_stop(e);
    directory_remove(e->dir);
    pthread_cond_destroy(&e->bell);
    pthread_mutex_destroy(&e->mutex);
    free(e->dir);
    free(e);
}

bool
engine_is_running(const struct engine *e)
{
    return e->running;
}

/* An iteration of the loop. */
static void
pump(struct engine *e)
{
    if (e->held_ms != 0)
        clock_advance(e->held_ms - clock_ms());
    keyspace_take_reads(e->keyspace);
    for (int i = 0; i < ENGINE_CLIENTS; i++) {
        struct engine_client *c = &e->clients[i];
        if (c->session == NULL || c->input.len == 0 || session_is_parked(c->session))
            continue;
        buf_consume(&c->input, session_feed(c->session, buf_bytes(&c->input)));
    }
    host_end_turn(&e->host);
    if (keyspace_commit(e->keyspace) != 0)
        panic("engine: a change could not be written");
    keyspace_tend(e->keyspace, clock_ms());
    host_tick(&e->host);
    host_retry_writes(&e->host);
    host_end_waiting(&e->host);
}

static void
resumed(void *arg)
{
    ring(arg);
}

static const struct session_owner owner = {.resumed = resumed, .pushed = resumed};
static const struct session_peer peer = {"127.0.0.1:1", "127.0.0.1:2", -1};

static struct engine_client *
client_of(struct engine *e, char letter)
{
    struct engine_client *c = &e->clients[letter - 'a'];

    if (c->session == NULL)
        c->session = session_new(&e->host, &owner, e, &peer);
    return c;
}

/* Whether the answer is there and may leave. */
static bool
take_answer(struct engine *e, struct engine_client *c, struct answer *out)
{
    struct buf *output = session_output(c->session);

    if (session_depends(c->session) > keyspace_promised(e->keyspace))
        return false;
    ssize_t used = answer_read(buf_bytes(output), out);
    if (used < 0)
        panic("engine: what is no answer: %.*s", (int)output->len, output->data);
    if (used > 0)
        buf_consume(output, (size_t)used);
    return used > 0;
}

bool
engine_command(struct engine *e, char client, const struct bytes *argv, int argc,
               struct answer *out)
{
    struct engine_client *c = client_of(e, client);
    int64_t until = clock_mono_us() + ENGINE_PATIENCE_S * 1000000LL;
    bool answered = false;

    request_encode(&c->input, argv, argc);
    pump(e);
    while (!(answered = take_answer(e, c, out)) && !session_is_closing(c->session)
           && !e->host.shutdown_asked) {
        if (clock_mono_us() > until)
            panic("engine: no answer to %.*s", (int)argv[0].len, argv[0].data);
        wait_for_bell(e, WAIT_MAX_MS);
        pump(e);
    }
    if (session_is_closing(c->session))
        client_end(c);
    if (e->host.shutdown_asked)
        engine_stop(e);
    return answered;
}

void
engine_hold_clock(struct engine *e, int64_t at_ms)
{
    e->held_ms = at_ms;
}

int64_t
engine_entries(const struct engine *e)
{
    struct keyspace_stats stats;

    keyspace_stats(e->keyspace, &stats);
    return stats.entries;
}

static bool
is_evicted(struct engine *e)
{
    struct keyspace_stats stats;

    keyspace_stats(e->keyspace, &stats);
    return storage_applied(e->storage) + 1 == storage_next(e->storage)
           && stats.entries <= stats.watched;
}

void
engine_evict(struct engine *e)
{
    int64_t until = clock_mono_us() + ENGINE_PATIENCE_S * 1000000LL;

    keyspace_set_maxmemory(e->keyspace, 1);
    pump(e);
    while (!is_evicted(e)) {
        if (clock_mono_us() > until)
            panic("engine: %lld entries do not leave memory",
                  (long long)engine_entries(e));
        storage_hurry(e->storage);
        wait_for_bell(e, WAIT_MAX_MS);
        pump(e);
    }
    keyspace_set_maxmemory(e->keyspace, e->config->maxmemory);
}
