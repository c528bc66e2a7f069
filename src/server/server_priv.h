/* server_priv: what the files of server share. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef SERVER_SERVER_PRIV_H
#define SERVER_SERVER_PRIV_H

#include "base/buf.h"
#include "command/host.h"
#include "command/session.h"
#include "server/server.h"
#include <uv.h>

#define LISTENERS_MAX 16
#define READ_SIZE     (64 * 1024) /* bytes read at once */
#define PEERS_MAX     32          /* other servers talked to at a time */

struct client;
struct peer;
struct peer_calls;

struct peer_list {
    struct peer *first, *last; /* in the order in which they came */
};

struct server {
    uv_loop_t loop;
    uv_tcp_t listeners[LISTENERS_MAX];
    int nlisteners;
    int64_t port;
    uv_prepare_t before_poll; /* end of the timers' turn */
    uv_check_t after_poll;    /* end of the clients' turn */
    uv_timer_t timer;         /* the keyspace's background work */
    uv_idle_t more_work;      /* active while there is more of it to do at once */
    uv_timer_t throttle;      /* writers that wait */
    uv_timer_t waiting;       /* clients that wait for time to pass */
    uv_async_t wakeup;
    uv_signal_t terminate, interrupt;
    struct host *host;
    struct client *clients;      /* all */
    struct client *ready;        /* with replies to send, or to be looked at */
    struct peer_list peers;      /* other servers that are talked to */
    struct peer_list kept_peers; /* those that may be talked to again */
    int npeers;                  /* that have a socket, or are just losing it */
    bool has_killed;             /* some of these are to be closed */
    int64_t retry_ms;            /* a log that failed is not written before */
    uint64_t idle_check_ms;      /* loop time; idle clients are not looked for before */
    bool stopping;
    int waits_for_end; /* the connection of who said SHUTDOWN, once more; -1: nobody */
    char read_buffer[READ_SIZE];
};

/* Takes a connection from a listener. */
void client_accept(uv_stream_t *listener, int status);

/* Sends what may be sent to the clients that are ready. */
void client_flush_ready(struct server *s);

/* Closes the clients that said and took nothing for longer than `timeout` s. */
void client_close_idle(struct server *s, int64_t timeout);
void client_close_all(struct server *s);

/* Which addresses a connection has, and its descriptor, -1 where it has none. */
void endpoints_look_up(const uv_tcp_t *socket, struct session_peer *peer);

/* Talking to other servers, for the host; struct server is its `sockets`. */
extern const struct peer_calls peer_calls;

/* Sends what may be sent to other servers. */
void peer_flush_all(struct server *s);

/* Closes those that nobody talks to. */
void peer_close_kept(struct server *s);

#endif
