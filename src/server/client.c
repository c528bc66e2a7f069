/*
 * A client: a socket and its session.
 *
 *   read -> session_feed -> ready -> (log appended) -> sent
 *
 * What is read goes to the session straight from the server's buffer; only what is left
 * of an unfinished request is kept in `input`. Reading stops while the session is parked,
 * while its replies are not taken, and when it is closing. But one that may be parked for
 * long is read on, up to PARKED_INPUT bytes, because only so a hang-up is noticed. The
 * memory goes in on_closed and nowhere else.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"
#include "base/mem.h"
#include "base/pages.h"
#include "keyspace/keyspace.h"
#include "server/server_priv.h"
#include <stdlib.h>

#define INPUT_KEEP   (16 * 1024)
#define OUTPUT_KEEP  SESSION_OUTPUT_FIRST
#define SEND_MAX     (4160 * 1024) /* bytes: a reply with a value of 4 MB goes at once */
#define LONG_FROM    (1088 * 1024) /* of one that took turns to make, as KEYS's may: so */
#define SEND_SHORT   (32 * 1024) /* long a one goes in pieces, as the kernel copies them */
#define PARKED_INPUT (64 * 1024) /* bytes read ahead of what a parked session waits for */

struct client {
    uv_tcp_t socket; /* must be first: libuv gives it back */
    uv_write_t write;
    struct server *server;
    struct session *session;
    struct client *next, *previous; /* all clients */
    struct client *next_ready;
    struct buf input;
    size_t read_parked; /* bytes of it that came while the session is parked */
    struct buf sending; /* what is too much for the kernel at once; */
    size_t sent;        /* of it, that in the hands of `write` included */
    size_t piece;       /* of it, that goes at once */
    bool has_waited;    /* for its output, which may have taken turns to make */
    size_t unsent;      /* when idle clients were looked for */
    uint64_t active_ms; /* loop time when something came or was sent */
    bool is_ready, reading, writing, closing;
};

static void
on_closed(uv_handle_t *handle)
{
    struct client *c = (struct client *)handle;

    buf_deinit(&c->input);
    buf_deinit(&c->sending);
    free(c);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer);
static void send_output(struct client *c);
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out);

static void
set_reading(struct client *c, bool reading)
{
    if (c->reading == reading)
        return;
    c->reading = reading;
    if (reading)
        uv_read_start((uv_stream_t *)&c->socket, on_alloc, on_read);
    else
        uv_read_stop((uv_stream_t *)&c->socket);
}

static void
close_client(struct client *c)
{
    struct server *s = c->server;

    if (c->closing)
        return;
    c->closing = true;
    set_reading(c, false);
    session_free(c->session);
    c->session = NULL;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        s->clients = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
    s->host->clients--;
    /* One on the ready list is closed when the list is gone through. */
    if (!c->is_ready)
        uv_close((uv_handle_t *)&c->socket, on_closed);
}

static void
make_ready(struct client *c)
{
    if (c->is_ready)
        return;
    c->is_ready = true;
    c->next_ready = c->server->ready;
    c->server->ready = c;
}

/* --- reading --- */

/* Whether the session would carry out a request now. */
static bool
can_be_fed(const struct client *c)
{
    return !session_is_parked(c->session) && !session_is_closing(c->session)
           && session_output(c->session)->len < SESSION_OUTPUT_SOFT;
}

/* What comes is kept until the session goes on. */
static bool
listens_for_hang_up(const struct client *c)
{
    return session_is_patient(c->session) && !session_is_closing(c->session)
           && c->read_parked < PARKED_INPUT;
}

/* Input the client had read before, where there is some. */
static void
feed_kept(struct client *c)
{
    size_t taken = session_feed(c->session, buf_bytes(&c->input));

    buf_consume(&c->input, taken);
    if (c->input.len == 0)
        host_clear(c->server->host, &c->input, INPUT_KEEP);
}

static void
feed_fresh(struct client *c, const char *data, size_t len)
{
    size_t taken = session_feed(c->session, bytes_of(data, len));

    buf_append(&c->input, data + taken, len - taken);
}

static void
close_too_large(struct client *c)
{
    if ((int64_t)c->input.len <= c->server->host->config->client_query_buffer_limit)
        return;
    log_line(LOG_WARNING, "A request is over client-query-buffer-limit");
    close_client(c);
}

/* After the session was fed. */
static void
look_at(struct client *c)
{
    if (!session_is_parked(c->session))
        c->read_parked = 0;
    set_reading(c, can_be_fed(c) || listens_for_hang_up(c));
    if (session_output(c->session)->len > 0 || session_is_closing(c->session))
        make_ready(c);
}

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct client *c = (struct client *)handle;

    (void)suggested;
    if (c->input.len == 0) {
        *out = uv_buf_init(c->server->read_buffer, READ_SIZE);
        return;
    }
    size_t missing = session_missing(c->session, c->input.len), room = READ_SIZE;

    /* Of a long argument no more than its end: its memory would grow for what follows. */
    if (missing > READ_SIZE || (missing > 0 && c->input.len > READ_SIZE))
        room = missing;
    if (c->input.cap - c->input.len < room)
        buf_grow_from(&c->input, room, &c->server->host->spare);
    *out = (uv_buf_t){.base = c->input.data + c->input.len, .len = room};
}

/* Replies that wait for nothing go out before the turn ends: their client works on them
 * while the loop goes on with the others. A session that has left requests untaken gets
 * the rest of its turn from the ready list. */
static void
send_early(struct client *c)
{
    if (!c->is_ready && !c->writing && !c->server->has_killed && can_be_fed(c)
        && session_depends(c->session) <= keyspace_promised(c->server->host->keyspace))
        send_output(c);
}

static void
on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buffer)
{
    struct client *c = (struct client *)stream;
    struct server *s = c->server;

    if (nread == 0)
        return;
    s->host->reads++;
    if (nread < 0) {
        close_client(c);
        return;
    }
    s->host->bytes_in += (uint64_t)nread;
    c->active_ms = uv_now(&s->loop);
    if (session_is_parked(c->session))
        c->read_parked += (size_t)nread;
    if (buffer->base == s->read_buffer) {
        feed_fresh(c, buffer->base, (size_t)nread);
    } else {
        c->input.len += (size_t)nread;
        close_too_large(c);
        if (c->closing)
            return;
        feed_kept(c);
    }
    send_early(c);
    if (!c->closing)
        look_at(c);
}

static void
on_resumed(void *arg)
{
    struct client *c = arg;

    c->active_ms = uv_now(&c->server->loop);
    c->has_waited = true;
    feed_kept(c);
    look_at(c);
}

static void
on_pushed(void *arg)
{
    struct client *c = arg;

    if (session_is_killed(c->session))
        c->server->has_killed = true;
    make_ready(c);
    /* They may come from outside of a client's turn. */
    uv_async_send(&c->server->wakeup);
}

static size_t
unsent_bytes(const struct client *c)
{
    size_t given = uv_stream_get_write_queue_size((const uv_stream_t *)&c->socket);

    return c->writing ? c->sending.len - c->sent + given : 0;
}

static void
on_held(void *arg, struct session_held *out)
{
    const struct client *c = arg;

    *out = (struct session_held){
        .itself = sizeof *c,
        .input = c->input.len,
        .input_room = c->input.cap - c->input.len,
        .output = unsent_bytes(c),
        .output_room = c->sending.cap,
        .idle_ms = (int64_t)(uv_now(&c->server->loop) - c->active_ms),
    };
}

/* --- sending --- */

static void send_piece(struct client *c);

static void
on_sent(uv_write_t *write, int status)
{
    struct client *c = (struct client *)write->handle;

    c->writing = false;
    if (c->closing)
        return;
    c->active_ms = uv_now(&c->server->loop);
    if (status < 0) {
        close_client(c);
    } else if (c->sent < c->sending.len) {
        send_piece(c);
    } else {
        host_clear(c->server->host, &c->sending, OUTPUT_KEEP);
        make_ready(c);
    }
}

/* Hands the next piece to libuv, which sends it as the peer takes it. The memory of short
 * ones goes with them, a page that two share with the second: all at once takes long. */
static void
send_piece(struct client *c)
{
    size_t left = c->sending.len - c->sent, len = left < c->piece ? left : c->piece;
    size_t gone = c->sent < 2 * SEND_SHORT ? c->sent : 2 * SEND_SHORT;
    uv_buf_t piece = {.base = c->sending.data + c->sent, .len = len};

    if (c->piece == SEND_SHORT)
        pages_give_back(c->sending.data + c->sent - gone, gone);
    c->sent += len;
    c->writing = true;
    if (uv_write(&c->write, (uv_stream_t *)&c->socket, &piece, 1, on_sent) != 0) {
        c->writing = false;
        close_client(c);
    }
}

/* What is behind the first `sent` bytes of the output. */
static void
send_rest(struct client *c, struct buf *output, size_t sent)
{
    struct buf empty = c->sending;

    c->sending = *output;
    c->sent = sent;
    *output = empty;
    send_piece(c);
}

static void
send_output(struct client *c)
{
    struct buf *output = session_output(c->session);

    if (output->len == 0)
        return;
    c->piece = c->has_waited && output->len > LONG_FROM ? SEND_SHORT : SEND_MAX;
    c->has_waited = false;
    size_t len = output->len < c->piece ? output->len : c->piece;
    uv_buf_t piece = {.base = output->data, .len = len};
    int sent = uv_try_write((uv_stream_t *)&c->socket, &piece, 1);

    if (sent < 0 && sent != UV_EAGAIN) {
        close_client(c);
        return;
    }
    c->server->host->bytes_out += output->len;
    c->server->host->writes++;
    if (sent >= 0)
        c->active_ms = uv_now(&c->server->loop);
    if (sent < 0 || (size_t)sent < output->len)
        send_rest(c, output, sent < 0 ? 0 : (size_t)sent);
    else
        host_clear(c->server->host, output, OUTPUT_KEEP);
}

/* After its replies have been sent, or most of them. */
static void
go_on(struct client *c)
{
    if (session_is_closing(c->session) && session_output(c->session)->len == 0
        && !c->writing) {
        close_client(c);
        return;
    }
    if (c->input.len > 0 && can_be_fed(c) && !c->reading) {
        feed_kept(c);
        /* Its new replies wait for the next iteration: others have their turn first. */
        uv_async_send(&c->server->wakeup);
    }
    look_at(c);
}

/* Gives whether it stays ready: its replies may not leave yet. */
static bool
flush(struct client *c, uint64_t promised)
{
    if (session_depends(c->session) > promised)
        return true;
    if (!c->writing)
        send_output(c);
    return false;
}

/* First of all: who killed a client is told of it when it is gone. */
static void
close_killed(struct server *s)
{
    for (struct client **at = &s->ready, *c; (c = *at) != NULL;) {
        if (c->closing || !session_is_killed(c->session)) {
            at = &c->next_ready;
            continue;
        }
        *at = c->next_ready;
        c->is_ready = false;
        close_client(c);
    }
    s->has_killed = false;
}

void
client_flush_ready(struct server *s)
{
    uint64_t promised = keyspace_promised(s->host->keyspace);

    if (s->has_killed)
        close_killed(s);
    struct client *c = s->ready, *next;

    s->ready = NULL;
    for (; c != NULL; c = next) {
        next = c->next_ready;
        c->is_ready = false;
        if (c->closing) {
            uv_close((uv_handle_t *)&c->socket, on_closed);
        } else if (session_is_killed(c->session)) {
            close_client(c);
        } else if (flush(c, promised)) {
            make_ready(c);
        } else if (!c->closing && !c->writing) {
            go_on(c);
        }
    }
}

/* --- coming and going --- */

static void
refuse(struct client *c)
{
    static char text[] = "-ERR max number of clients reached\r\n";
    uv_buf_t piece = uv_buf_init(text, sizeof text - 1);

    uv_try_write((uv_stream_t *)&c->socket, &piece, 1);
    c->server->host->refused_connections++;
    c->closing = true;
    uv_close((uv_handle_t *)&c->socket, on_closed);
}

static void
begin(struct client *c)
{
    static const struct session_owner owner = {
        .resumed = on_resumed, .pushed = on_pushed, .held = on_held};
    struct session_peer peer;
    struct server *s = c->server;
    int64_t keepalive = s->host->config->tcp_keepalive; /* s */

    endpoints_look_up(&c->socket, &peer);
    uv_tcp_nodelay(&c->socket, 1);
    uv_tcp_keepalive(&c->socket, keepalive > 0, (unsigned)keepalive);
    c->session = session_new(s->host, &owner, c, &peer);
    c->active_ms = uv_now(&s->loop);
    c->next = s->clients;
    if (s->clients != NULL)
        s->clients->previous = c;
    s->clients = c;
    s->host->clients++;
    s->host->connections++;
    set_reading(c, true);
}

void
client_accept(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;

    if (status < 0) {
        log_line(LOG_WARNING, "A connection cannot be accepted: %s", uv_strerror(status));
        return;
    }
    struct client *c = xcalloc(1, sizeof *c);
    c->server = s;
    uv_tcp_init(&s->loop, &c->socket);
    if (uv_accept(listener, (uv_stream_t *)&c->socket) != 0) {
        c->closing = true;
        uv_close((uv_handle_t *)&c->socket, on_closed);
    } else if (s->host->clients >= s->host->config->maxclients) {
        refuse(c);
    } else {
        begin(c);
    }
}

void
client_close_idle(struct server *s, int64_t timeout)
{
    uint64_t now = uv_now(&s->loop);

    for (struct client *c = s->clients, *next; c != NULL; c = next) {
        size_t before = c->unsent;
        next = c->next;
        c->unsent = unsent_bytes(c);
        if (c->unsent != before)
            c->active_ms = now;
        if (!session_may_be_silent(c->session)
            && now - c->active_ms > (uint64_t)timeout * 1000)
            close_client(c);
    }
}

void
client_close_all(struct server *s)
{
    while (s->clients != NULL)
        close_client(s->clients);
}
