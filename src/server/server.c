/*
 * See server.h. An iteration of the loop:
 *
 *   timers        background work of the keyspace; writers that waited
 *   before_poll   end of a turn: their changes to the log, held replies out
 *   poll          clients are read and their commands carried out; reads that are done
 *                 are taken
 *   after_poll    end of a turn: what was gathered for clients is told, the changes go to
 *                 the log as one batch, then the replies leave; more background work, where
 *                 it cannot wait for its timer
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "server/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "command/timing.h"
#include "keyspace/keyspace.h"
#include "server/server_priv.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MS      100  /* between attempts to write a log that failed */
#define THROTTLE_MS   1    /* between looks at whether writers may go on */
#define WAITING_MS    5    /* between looks at whether clients have waited long enough */
#define IDLE_CHECK_MS 1000 /* between looks for idle clients */

static void
on_wakeup(uv_async_t *handle)
{
    struct server *s = handle->data;

    /* For the rest another turn, behind the clients'. */
    if (s->host != NULL && keyspace_take_reads(s->host->keyspace))
        uv_async_send(handle);
}

struct server *
server_new(void)
{
    struct server *s = xcalloc(1, sizeof *s);

    if (uv_loop_init(&s->loop) != 0)
        panic("the event loop cannot be made");
    uv_async_init(&s->loop, &s->wakeup, on_wakeup);
    s->wakeup.data = s;
    s->waits_for_end = -1;
    return s;
}

void
server_wake(void *server)
{
    uv_async_send(&((struct server *)server)->wakeup);
}

/* --- the end --- */

static void
stop(struct server *s)
{
    s->stopping = true;
    uv_stop(&s->loop);
}

static void
on_signal(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;

    log_line(LOG_WARNING, "Received %s scheduling shutdown...",
             number == SIGINT ? "SIGINT" : "SIGTERM");
    stop(s);
}

static void
start_signals(struct server *s)
{
    uv_signal_init(&s->loop, &s->terminate);
    uv_signal_init(&s->loop, &s->interrupt);
    s->terminate.data = s->interrupt.data = s;
    uv_signal_start(&s->terminate, on_signal, SIGTERM);
    uv_signal_start(&s->interrupt, on_signal, SIGINT);
}

/* --- listening --- */

/* A name stands for its first IPv4 address. */
static int
look_up(struct server *s, const char *name, int port, struct sockaddr_storage *out)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    uv_getaddrinfo_t found;
    int code = uv_getaddrinfo(&s->loop, &found, NULL, name, NULL, &hints);

    if (code != 0)
        return code;
    *(struct sockaddr_in *)out = *(struct sockaddr_in *)found.addrinfo->ai_addr;
    ((struct sockaddr_in *)out)->sin_port = htons((uint16_t)port);
    uv_freeaddrinfo(found.addrinfo);
    return 0;
}

static int
read_address(struct server *s, const char *text, struct sockaddr_storage *out)
{
    int port = (int)s->port;

    if (strcmp(text, "*") == 0)
        text = "0.0.0.0";
    else if (strcmp(text, "::*") == 0)
        text = "::";
    if (uv_ip4_addr(text, port, (struct sockaddr_in *)out) == 0
        || uv_ip6_addr(text, port, (struct sockaddr_in6 *)out) == 0)
        return 0;
    return look_up(s, text, port, out);
}

static int64_t
port_of(const uv_tcp_t *listener)
{
    struct sockaddr_storage name;
    int len = sizeof name;

    uv_tcp_getsockname(listener, (struct sockaddr *)&name, &len);
    if (name.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&name)->sin6_port);
    return ntohs(((struct sockaddr_in *)&name)->sin_port);
}

/* An address that may be missing is not there; that it is taken is another matter. */
static bool
is_missing(int code)
{
    return code != UV_EADDRINUSE && code != UV_EACCES;
}

/* 1: listens; 0: it need not; -1: it cannot. */
static int
listen_on(struct server *s, const char *address, const struct config *config)
{
    bool optional = address[0] == '-';
    const char *host = address + optional;
    struct sockaddr_storage name;
    uv_tcp_t *listener = &s->listeners[s->nlisteners];
    int code = read_address(s, host, &name);

    if (code == 0) {
        uv_tcp_init(&s->loop, listener);
        listener->data = s;
        s->nlisteners++;
        code = uv_tcp_bind(listener, (struct sockaddr *)&name,
                           name.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
        if (code == 0)
            code = uv_listen((uv_stream_t *)listener, (int)config->tcp_backlog,
                             client_accept);
        if (code != 0)
            uv_close((uv_handle_t *)listener, NULL);
    }
    if (code == 0) {
        s->port = port_of(listener);
        log_line(LOG_NOTICE, "Ready to accept connections on %s:%lld", host,
                 (long long)s->port);
        return 1;
    }
    if (optional && is_missing(code))
        return 0;
    log_line(LOG_WARNING, "Could not listen on %s:%lld: %s", host, (long long)s->port,
             uv_strerror(code));
    return -1;
}

int
server_listen(struct server *s, const struct config *config)
{
    struct bytes words[LISTENERS_MAX];
    struct buf text = {0};
    int count = config_split(bytes_str(config->bind), &text, words, LISTENERS_MAX);
    int ready = 0, code = 0;

    start_signals(s); /* before anyone is told that we are ready */
    s->port = config->port;
    for (int i = 0; i < count && code >= 0; i++) {
        code = listen_on(s, words[i].data, config);
        ready += code;
    }
    if (count < 1)
        log_line(LOG_WARNING, "bind needs between 1 and %d addresses", LISTENERS_MAX);
    else if (code >= 0 && ready == 0)
        log_line(LOG_WARNING, "None of the addresses of bind is there to listen on");
    buf_deinit(&text);
    return code >= 0 && ready > 0 ? 0 : -1;
}

int64_t
server_port(const struct server *s)
{
    return s->port;
}

/* --- the iteration --- */

static void
commit(struct server *s)
{
    struct keyspace *ks = s->host->keyspace;

    if (keyspace_is_failing(ks) && clock_mono_us() / 1000 < s->retry_ms)
        return;
    bool flushes = s->host->config->appendfsync == APPENDFSYNC_ALWAYS;
    int64_t begun = timing_begin(s->host);
    if (keyspace_commit(ks) != 0)
        s->retry_ms = clock_mono_us() / 1000 + RETRY_MS;
    timing_end(s->host, flushes ? LATENCY_LOG_FLUSH : LATENCY_LOG_WRITE, begun);
}

/* Who said SHUTDOWN is hung up on when everything is closed, as by Redis: what the server has
 * kept may be copied then, and served by another. */
static void
keep_connection(struct server *s)
{
    if (s->waits_for_end < 0)
        s->waits_for_end = fcntl(s->host->shutdown_fd, F_DUPFD_CLOEXEC, 0);
}

static void
end_turn(struct server *s)
{
    if (s->host->shutdown_asked)
        keep_connection(s);
    host_end_turn(s->host);
    commit(s);
    client_flush_ready(s);
    peer_flush_all(s);
    if (s->host->throttled != NULL && !uv_is_active((uv_handle_t *)&s->throttle))
        uv_timer_again(&s->throttle);
    if (s->host->first_waiting != NULL && !uv_is_active((uv_handle_t *)&s->waiting))
        uv_timer_again(&s->waiting);
    if (s->host->shutdown_asked)
        stop(s);
}

static void on_timer(uv_timer_t *timer);

/* Keeps the loop from sleeping, by being there. */
static void
on_idle(uv_idle_t *handle)
{
    (void)handle;
}

/* A slice of background work. If there is more to do at once, the next one is behind the
 * clients' turn: a timer of 0 ms would be called again before it. */
static void
tend(struct server *s)
{
    int64_t begun = timing_begin(s->host);
    int64_t next = keyspace_tend(s->host->keyspace, clock_ms());
    timing_end(s->host, LATENCY_KEYSPACE, begun);
    host_tick(s->host);

    uv_timer_stop(&s->timer);
    uv_idle_stop(&s->more_work);
    if (next == 0)
        uv_idle_start(&s->more_work, on_idle);
    else
        uv_timer_start(&s->timer, on_timer, (uint64_t)next, 0);
    if (s->host->config->timeout > 0 && uv_now(&s->loop) >= s->idle_check_ms) {
        s->idle_check_ms = uv_now(&s->loop) + IDLE_CHECK_MS;
        client_close_idle(s, s->host->config->timeout);
    }
}

static void
on_timer(uv_timer_t *timer)
{
    tend(timer->data);
}

static void
on_before_poll(uv_prepare_t *handle)
{
    end_turn(handle->data);
}

static void
on_after_poll(uv_check_t *handle)
{
    struct server *s = handle->data;

    end_turn(s);
    if (uv_is_active((uv_handle_t *)&s->more_work) || keyspace_is_over(s->host->keyspace))
        tend(s);
}

static void
on_throttle(uv_timer_t *timer)
{
    struct server *s = timer->data;

    host_retry_writes(s->host);
    if (s->host->throttled == NULL)
        uv_timer_stop(timer);
}

static void
on_waiting(uv_timer_t *timer)
{
    struct server *s = timer->data;

    host_end_waiting(s->host);
    if (s->host->first_waiting == NULL)
        uv_timer_stop(timer);
}

/* --- running --- */

static void
start_handles(struct server *s)
{
    uv_loop_t *loop = &s->loop;

    uv_prepare_init(loop, &s->before_poll);
    uv_check_init(loop, &s->after_poll);
    uv_timer_init(loop, &s->timer);
    uv_idle_init(loop, &s->more_work);
    uv_timer_init(loop, &s->throttle);
    uv_timer_init(loop, &s->waiting);
    s->before_poll.data = s->after_poll.data = s;
    s->timer.data = s->more_work.data = s->throttle.data = s->waiting.data = s;
    uv_prepare_start(&s->before_poll, on_before_poll);
    uv_check_start(&s->after_poll, on_after_poll);
    uv_timer_start(&s->timer, on_timer, 0, 0);
    uv_timer_start(&s->throttle, on_throttle, THROTTLE_MS, THROTTLE_MS);
    uv_timer_start(&s->waiting, on_waiting, WAITING_MS, WAITING_MS);
}

static void
close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

int
server_run(struct server *s, struct host *host)
{
    s->host = host;
    host->peer_calls = &peer_calls;
    host->sockets = s;
    start_handles(s);
    while (!s->stopping)
        uv_run(&s->loop, UV_RUN_DEFAULT);
    /* Who comes now is to be turned away, not to wait for a server that ends. */
    for (int i = 0; i < s->nlisteners; i++)
        close_handle((uv_handle_t *)&s->listeners[i], NULL);
    int failed = keyspace_commit(host->keyspace);
    client_flush_ready(s);
    client_close_all(s);
    peer_close_kept(s);
    client_flush_ready(s);
    return failed;
}

void
server_free(struct server *s)
{
    s->host = NULL;
    uv_walk(&s->loop, close_handle, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&s->loop) != 0)
        panic("the event loop has handles left");
    if (s->waits_for_end >= 0)
        close(s->waits_for_end);
    free(s);
}
