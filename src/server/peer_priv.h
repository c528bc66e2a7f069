/*
 * peer_priv: a peer (command/peer.h), which is a socket to another server.
 *
 *   waiting -> looking up -> connecting to one address after the other -> talking -> kept
 *
 * peers.c: which peers there are, which of them have sockets, and which are kept for the
 * next talk; peer_connect.c: how one comes to be connected; peer.c: the talk.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef SERVER_PEER_PRIV_H
#define SERVER_PEER_PRIV_H

#include "command/peer.h"
#include "server/server_priv.h"

#define PEER_HOST_MAX 255  /* bytes in the name of a host */
#define PEER_LINE_MAX 1024 /* bytes in a line it says */

struct peer {
    uv_tcp_t socket;
    uv_timer_t timer; /* of the step that is under way */
    uv_getaddrinfo_t lookup;
    uv_connect_t connecting;
    uv_write_t write;
    struct server *server;
    struct peer_list *list; /* it stands in, while it is not closed */
    struct peer *next, *previous;
    const struct peer_events *events;
    void *arg;
    char host[PEER_HOST_MAX + 1];
    int port; /* -1: it has none */
    uint64_t timeout_ms;
    struct sockaddr_storage number; /* the host, where it is one */
    struct addrinfo by_number;
    struct addrinfo *found, *address; /* all, where it is a name; the one that is tried */
    struct buf out;                   /* what is to be sent next, */
    size_t out_lines;                 /* how many lines answer it, */
    uint64_t depends;                 /* and when it may go */
    struct buf sending;               /* what is being sent, */
    size_t sent;                      /* of which so much has gone */
    size_t nawaited;                  /* lines that answer what went */
    char line[PEER_LINE_MAX];         /* the beginning of one */
    size_t line_len;
    int pending; /* handles that are not closed, and requests that are not done */
    enum peer_failure failure; /* what it is if it does not connect */
    bool has_socket, connected, writing, is_late, closing;
    bool is_old; /* it was kept, and has said nothing since */
};

/* --- peers.c --- */

/* Nothing more is told of it. */
void peer_close(struct peer *p);

/* One of what is counted in `pending` has ended; the memory goes with the last. */
void peer_release(struct peer *p);

/* Whether it is kept for the next talk, so that nobody is to be told anything. */
bool peer_is_kept(const struct peer *p);

/* --- peer_connect.c --- */

/* Its time begins. */
void peer_connect(struct peer *p);

/* Once more, where an old connection has turned out to be dead. */
void peer_reconnect(struct peer *p);

/* --- peer.c --- */

/* A step begins, if one is to come. */
void peer_set_timer(struct peer *p);

/* It cannot be talked to: now, or where the caller is not to be told from inside of its
 * call, soon. */
void peer_give_up(struct peer *p, enum peer_failure why);
void peer_give_up_soon(struct peer *p, enum peer_failure why);

/* The talk begins: the connection is there. */
void peer_begin(struct peer *p);

#endif
