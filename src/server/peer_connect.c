/* How a peer comes to be connected. See peer_priv.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"
#include "server/peer_priv.h"

static void try_address(struct peer *p);

/* The address that was tried last is none; the next one has a socket of its own. */
static void
on_address_closed(uv_handle_t *handle)
{
    struct peer *p = handle->data;

    if (!p->closing) {
        p->address = p->address->ai_next;
        try_address(p);
    }
    peer_release(p);
}

static void
leave_address(struct peer *p, enum peer_failure why)
{
    p->failure = why;
    p->has_socket = false;
    uv_close((uv_handle_t *)&p->socket, on_address_closed);
}

static void
on_connected(uv_connect_t *connecting, int status)
{
    struct peer *p = connecting->data;

    if (p->closing || !p->has_socket)
        return;
    if (status < 0) {
        leave_address(p, PEER_UNWRITABLE);
        return;
    }
    p->connected = true;
    uv_tcp_nodelay(&p->socket, 1);
    peer_begin(p);
}

static void
try_address(struct peer *p)
{
    if (p->address == NULL) {
        peer_give_up_soon(p, p->failure);
        return;
    }
    uv_tcp_init(&p->server->loop, &p->socket);
    p->pending++;
    p->has_socket = true;
    p->socket.data = p->connecting.data = p;
    if (uv_tcp_connect(&p->connecting, &p->socket, p->address->ai_addr, on_connected) != 0)
        leave_address(p, PEER_UNREACHABLE);
}

static void
on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses)
{
    struct peer *p = lookup->data;

    p->found = p->address = addresses;
    if (!p->closing && status == 0)
        try_address(p);
    else if (!p->closing)
        peer_give_up_soon(p, PEER_UNREACHABLE);
    peer_release(p);
}

static void
look_up(struct peer *p)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[NUMBER_TEXT_MAX];

    number_format(p->port, port);
    p->lookup.data = p;
    if (uv_getaddrinfo(&p->server->loop, &p->lookup, on_found, p->host, port, &hints) != 0)
        peer_give_up_soon(p, PEER_UNREACHABLE);
    else
        p->pending++;
}

/* Whether the host is an address already. */
static bool
read_number(struct peer *p)
{
    if (uv_ip4_addr(p->host, p->port, (struct sockaddr_in *)&p->number) != 0
        && uv_ip6_addr(p->host, p->port, (struct sockaddr_in6 *)&p->number) != 0)
        return false;
    p->by_number.ai_addr = (struct sockaddr *)&p->number;
    p->address = &p->by_number;
    return true;
}

void
peer_connect(struct peer *p)
{
    peer_set_timer(p);
    if (p->port < 0)
        peer_give_up_soon(p, PEER_UNREACHABLE);
    else if (read_number(p))
        try_address(p);
    else
        look_up(p);
}

/* What was written to it is done by now, and nothing of it was answered. */
static void
on_old_closed(uv_handle_t *handle)
{
    struct peer *p = handle->data;

    if (!p->closing) {
        buf_clear(&p->out, 0);
        buf_clear(&p->sending, 0);
        p->sent = p->out_lines = p->nawaited = p->line_len = 0;
        peer_set_timer(p);
        try_address(p);
    }
    peer_release(p);
}

void
peer_reconnect(struct peer *p)
{
    p->is_old = p->connected = p->has_socket = false;
    uv_timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->socket, on_old_closed);
}
