/*
 * A peer (command/peer.h): a socket to another server.
 *
 *   waiting -> looking up -> connecting to one address after the other -> talking
 *
 * At most PEERS_MAX have sockets; the others wait, and their time does not begin before.
 * What is to be sent goes out as replies do: at the end of a turn, when the log has it.
 * One timer stands for every step: whatever goes on sets it again.
 *
 * The memory goes when the last handle is closed and the last request is done, each of
 * which is counted in `pending`.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "base/number.h"
#include "command/peer.h"
#include "keyspace/keyspace.h"
#include "server/server_priv.h"
#include <assert.h>
#include <stdlib.h>

#define PEER_HOST_MAX 255         /* bytes in the name of a host */
#define PEER_LINE_MAX 1024        /* bytes in a line it says */
#define PEER_PIECE    (64 * 1024) /* bytes sent at once; each has the whole timeout */
#define GRACE_MS      1           /* for what came while the loop was busy */

struct peer {
    uv_tcp_t socket;
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    uv_connect_t connecting;
    uv_write_t write;
    struct server *server;
    struct peer *next, *previous; /* in the server's list, while it is not closed */
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
    int pending;
    enum peer_failure failure; /* what it is if it does not connect */
    bool has_socket, connected, writing, is_late, closing;
};

static void start_waiting(struct server *s);

/* --- going --- */

static void
release(struct peer *p)
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
on_timer_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void
unlink_peer(struct peer *p)
{
    struct server *s = p->server;

    if (p->previous != NULL)
        p->previous->next = p->next;
    else
        s->first_peer = p->next;
    if (p->next != NULL)
        p->next->previous = p->previous;
    else
        s->last_peer = p->previous;
}

static void
on_socket_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void
close_peer(struct peer *p)
{
    assert(!p->closing);
    p->closing = true;
    unlink_peer(p);
    if (p->pending == 0) { /* it was still waiting */
        free(p);
        return;
    }
    uv_cancel((uv_req_t *)&p->lookup);
    if (p->has_socket)
        uv_close((uv_handle_t *)&p->socket, on_socket_closed);
    p->has_socket = false;
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

static void
give_up(struct peer *p, enum peer_failure why)
{
    close_peer(p);
    p->events->failed(p->arg, why);
}

/* --- time --- */

static void on_late(uv_timer_t *timer);

/* A step begins, if one is to come. */
static void
set_timer(struct peer *p)
{
    p->is_late = false;
    if (p->connected && !p->writing && p->nawaited == 0) {
        uv_timer_stop(&p->timer);
        return;
    }
    uv_update_time(&p->server->loop);
    uv_timer_start(&p->timer, on_late, p->timeout_ms, 0);
}

/* Soon, but not now: the caller is not to be told from inside of its call. */
static void
give_up_soon(struct peer *p, enum peer_failure why)
{
    p->failure = why;
    p->is_late = true;
    uv_timer_start(&p->timer, on_late, 0, 0);
}

/* The loop may have been late itself: it looks at the socket once more. */
static void
on_late(uv_timer_t *timer)
{
    struct peer *p = timer->data;

    if (!p->is_late) {
        p->is_late = true;
        uv_timer_start(timer, on_late, GRACE_MS, 0);
    } else if (!p->connected) {
        give_up(p, p->failure);
    } else {
        give_up(p, p->writing ? PEER_UNWRITABLE : PEER_UNREADABLE);
    }
}

/* --- writing --- */

static void send_piece(struct peer *p);

static void
on_written(uv_write_t *write, int status)
{
    struct peer *p = write->data;

    p->writing = false;
    if (p->closing)
        return;
    if (status < 0) {
        give_up(p, PEER_UNWRITABLE);
        return;
    }
    if (p->sent < p->sending.len) {
        send_piece(p);
        return;
    }
    buf_clear(&p->sending, 0);
    set_timer(p);
}

static void
send_piece(struct peer *p)
{
    size_t len = p->sending.len - p->sent;
    uv_buf_t piece = {.base = p->sending.data + p->sent,
                      .len = len < PEER_PIECE ? len : PEER_PIECE};

    p->writing = true;
    p->sent += piece.len;
    p->write.data = p;
    int error = uv_write(&p->write, (uv_stream_t *)&p->socket, &piece, 1, on_written);
    if (error != 0)
        give_up_soon(p, PEER_UNWRITABLE);
    else
        set_timer(p);
}

static void
flush(struct peer *p, uint64_t promised)
{
    struct buf empty = p->sending;

    if (!p->connected || p->writing || p->sending.len > 0 || p->out.len == 0
        || p->depends > promised)
        return;
    p->sending = p->out;
    p->out = empty;
    p->nawaited += p->out_lines;
    p->sent = p->out_lines = 0;
    send_piece(p);
}

void
peer_flush_all(struct server *s)
{
    uint64_t promised = keyspace_promised(s->host->keyspace);

    for (struct peer *p = s->first_peer; p != NULL; p = p->next)
        flush(p, promised);
}

/* --- reading --- */

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct peer *p = handle->data;

    (void)suggested;
    *out = uv_buf_init(p->server->read_buffer, READ_SIZE);
}

static void
tell_line(struct peer *p)
{
    size_t len = p->line_len;

    if (p->nawaited == 0) {
        give_up(p, PEER_UNREADABLE);
        return;
    }
    p->nawaited--;
    p->line_len = 0;
    if (len > 0 && p->line[len - 1] == '\r')
        len--;
    p->events->said(p->arg, bytes_of(p->line, len));
}

/* Takes what there is of a line from the front of *data. False: it is too long. */
static bool
take_line(struct peer *p, struct bytes *data, bool *is_whole)
{
    const char *end = memchr(data->data, '\n', data->len);
    size_t len = end != NULL ? (size_t)(end - data->data) : data->len;
    size_t taken = len + (end != NULL);

    if (len > sizeof p->line - p->line_len)
        return false;
    memcpy(p->line + p->line_len, data->data, len);
    p->line_len += len;
    *data = bytes_of(data->data + taken, data->len - taken);
    *is_whole = end != NULL;
    return true;
}

static void
on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
    struct peer *p = stream->data;
    bool is_whole;

    if (nread == 0)
        return;
    if (nread < 0) {
        give_up(p, p->writing ? PEER_UNWRITABLE : PEER_UNREADABLE);
        return;
    }
    struct bytes data = bytes_of(buffer->base, (size_t)nread);
    while (data.len > 0 && !p->closing) {
        if (!take_line(p, &data, &is_whole))
            give_up(p, PEER_UNREADABLE);
        else if (is_whole)
            tell_line(p);
    }
    if (!p->closing)
        set_timer(p);
}

/* --- connecting --- */

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
    release(p);
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
    set_timer(p);
    uv_tcp_nodelay(&p->socket, 1);
    uv_read_start((uv_stream_t *)&p->socket, on_alloc, on_read);
    p->events->connected(p->arg);
}

static void
try_address(struct peer *p)
{
    if (p->address == NULL) {
        give_up_soon(p, p->failure);
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
        give_up_soon(p, PEER_UNREACHABLE);
    release(p);
}

static void
look_up(struct peer *p)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[NUMBER_TEXT_MAX];

    number_format(p->port, port);
    p->lookup.data = p;
    if (uv_getaddrinfo(&p->server->loop, &p->lookup, on_found, p->host, port, &hints) != 0)
        give_up_soon(p, PEER_UNREACHABLE);
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

/* Its time begins. */
static void
start(struct peer *p)
{
    p->server->npeers++;
    p->pending = 1;
    uv_timer_init(&p->server->loop, &p->timer);
    p->timer.data = p;
    set_timer(p);
    if (p->port < 0)
        give_up_soon(p, PEER_UNREACHABLE);
    else if (read_number(p))
        try_address(p);
    else
        look_up(p);
}

static void
start_waiting(struct server *s)
{
    struct peer *p = s->first_peer;

    while (p != NULL && p->pending > 0)
        p = p->next;
    if (p != NULL && s->npeers < PEERS_MAX)
        start(p);
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
open_peer(void *sockets, const struct peer_address *to, const struct peer_events *events,
          void *arg)
{
    struct server *s = sockets;
    struct peer *p = xcalloc(1, sizeof *p);
    bool is_name = to->host.len <= PEER_HOST_MAX
                   && memchr(to->host.data, '\0', to->host.len) == NULL;

    p->server = s;
    p->events = events;
    p->arg = arg;
    p->timeout_ms = (uint64_t)to->timeout_ms;
    p->failure = PEER_UNREACHABLE;
    p->port = is_name ? read_port(to->port) : -1;
    if (is_name)
        memcpy(p->host, to->host.data, to->host.len);
    p->previous = s->last_peer;
    if (s->last_peer != NULL)
        s->last_peer->next = p;
    else
        s->first_peer = p;
    s->last_peer = p;
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

const struct peer_calls peer_calls = {open_peer, send_to_peer, close_peer};
