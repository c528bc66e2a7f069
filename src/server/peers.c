/*
 * The peers. See peer_priv.h.
 *
 * At most PEERS_MAX have sockets; the others wait, and their time does not begin before.
 * Where a talk ended well, the connection is kept for KEPT_MS: who asks for the same
 * address finds it. A kept one goes when another peer needs its socket.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "base/number.h"
#include "server/peer_priv.h"
#include <assert.h>
#include <stdlib.h>

#define KEPT_MS 10000

/* --- the lists --- */

static void
enter(struct peer *p, struct peer_list *list)
{
    p->list = list;
    p->next = NULL;
    p->previous = list->last;
    if (list->last != NULL)
        list->last->next = p;
    else
        list->first = p;
    list->last = p;
}

static void
leave(struct peer *p)
{
    if (p->previous != NULL)
        p->previous->next = p->next;
    else
        p->list->first = p->next;
    if (p->next != NULL)
        p->next->previous = p->previous;
    else
        p->list->last = p->previous;
    p->list = NULL;
}

bool
peer_is_kept(const struct peer *p)
{
    return p->list == &p->server->kept_peers;
}

/* --- coming and going --- */

static void
start(struct peer *p)
{
    p->server->npeers++;
    p->pending = 1;
    uv_timer_init(&p->server->loop, &p->timer);
    p->timer.data = p;
    peer_connect(p);
}

/* Gives the one that waits longest its socket, where there is one to be had. */
static void
start_waiting(struct server *s)
{
    struct peer *p = s->peers.first;

    while (p != NULL && p->pending > 0)
        p = p->next;
    if (p == NULL)
        return;
    if (s->npeers < PEERS_MAX)
        start(p);
    else if (s->kept_peers.first != NULL)
        peer_close(s->kept_peers.first);
}

void
peer_release(struct peer *p)
{
    struct server *s = p->server;

    assert(p->pending > 0);
    if (--p->pending > 0)
        return;
    if (p->found != NULL)
        uv_freeaddrinfo(p->found);
    buf_deinit(&p->out);
    buf_deinit(&p->sending);
    free(p);
    s->npeers--;
    start_waiting(s);
}

static void
on_closed(uv_handle_t *handle)
{
    peer_release(handle->data);
}

void
peer_close(struct peer *p)
{
    assert(!p->closing);
    p->closing = true;
    p->server->host->kept_peers -= peer_is_kept(p);
    leave(p);
    if (p->pending == 0) { /* it was still waiting */
        free(p);
        return;
    }
    uv_cancel((uv_req_t *)&p->lookup);
    if (p->has_socket)
        uv_close((uv_handle_t *)&p->socket, on_closed);
    p->has_socket = false;
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

void
peer_close_kept(struct server *s)
{
    while (s->kept_peers.first != NULL)
        peer_close(s->kept_peers.first);
}

/* --- keeping --- */

static void
on_kept_long(uv_timer_t *timer)
{
    peer_close(timer->data);
}

static bool
is_at_rest(const struct peer *p)
{
    return p->connected && !p->writing && p->sending.len == 0 && p->out.len == 0
           && p->nawaited == 0 && p->line_len == 0;
}

static void
leave_peer(struct peer *p)
{
    if (!is_at_rest(p)) {
        peer_close(p);
        return;
    }
    leave(p);
    enter(p, &p->server->kept_peers);
    p->server->host->kept_peers++;
    uv_timer_start(&p->timer, on_kept_long, KEPT_MS, 0);
}

static void
on_taken(uv_timer_t *timer)
{
    peer_begin(timer->data);
}

/* One that is connected to the address already. NULL: there is none. */
static struct peer *
take_kept(struct server *s, const char *host, int port)
{
    struct peer *p = s->kept_peers.first;

    while (p != NULL && (p->port != port || strcmp(p->host, host) != 0))
        p = p->next;
    if (p == NULL)
        return NULL;
    leave(p);
    s->host->kept_peers--;
    p->is_old = true;
    p->depends = 0;
    uv_timer_start(&p->timer, on_taken, 0, 0);
    return p;
}

/* --- the calls --- */

/* As Redis reads it: what is no number is 0, where nobody listens. -1: there is none. */
static int
read_port(struct bytes text)
{
    int64_t port;

    if (!number_parse(text, &port))
        return 0;
    return port >= 0 && port <= UINT16_MAX ? (int)port : -1;
}

static struct peer *
new_peer(struct server *s, const char *host, int port)
{
    struct peer *p = xcalloc(1, sizeof *p);

    p->server = s;
    strcpy(p->host, host);
    p->port = port;
    p->failure = PEER_UNREACHABLE;
    return p;
}

static struct peer *
open_peer(void *sockets, const struct peer_address *to, const struct peer_events *events,
          void *arg)
{
    struct server *s = sockets;
    char host[PEER_HOST_MAX + 1] = "";
    int port = -1;

    if (to->host.len <= PEER_HOST_MAX
        && memchr(to->host.data, '\0', to->host.len) == NULL) {
        memcpy(host, to->host.data, to->host.len);
        port = read_port(to->port);
    }
    struct peer *p = take_kept(s, host, port);
    if (p == NULL)
        p = new_peer(s, host, port);
    p->events = events;
    p->arg = arg;
    p->timeout_ms = (uint64_t)to->timeout_ms;
    enter(p, &s->peers);
    start_waiting(s);
    return p;
}

static void
send_to_peer(struct peer *p, struct buf *takes, size_t nlines, uint64_t depends)
{
    if (p->out.len == 0) {
        buf_deinit(&p->out);
        p->out = *takes;
        *takes = (struct buf){0};
    }
    buf_append_bytes(&p->out, buf_bytes(takes));
    buf_deinit(takes);
    p->out_lines += nlines;
    if (depends > p->depends)
        p->depends = depends;
}

const struct peer_calls peer_calls = {open_peer, send_to_peer, leave_peer, peer_close};
