/*
 * The talk with a peer. See peer_priv.h.
 *
 * What is to be sent goes out as replies do: at the end of a turn, when the log has it.
 * One timer stands for every step: whatever goes on sets it again.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/keyspace.h"
#include "server/peer_priv.h"

#define PEER_PIECE (64 * 1024) /* bytes sent at once; each has the whole timeout */
#define GRACE_MS   1           /* for what came while the loop was busy */

static void
fail(struct peer *p, enum peer_failure why)
{
    peer_close(p);
    p->events->failed(p->arg, why);
}

/* A connection that was kept may have died since: then the next one counts. */
void
peer_give_up(struct peer *p, enum peer_failure why)
{
    if (peer_is_kept(p))
        peer_close(p);
    else if (p->is_old)
        peer_reconnect(p);
    else
        fail(p, why);
}

/* --- time --- */

static void on_late(uv_timer_t *timer);

void
peer_set_timer(struct peer *p)
{
    p->is_late = false;
    if (p->connected && !p->writing && p->nawaited == 0) {
        uv_timer_stop(&p->timer);
        return;
    }
    uv_update_time(&p->server->loop);
    uv_timer_start(&p->timer, on_late, p->timeout_ms, 0);
}

void
peer_give_up_soon(struct peer *p, enum peer_failure why)
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
        fail(p, p->failure);
    } else {
        fail(p, p->writing ? PEER_UNWRITABLE : PEER_UNREADABLE);
    }
}

/* --- writing --- */

static void send_piece(struct peer *p);

static void
on_written(uv_write_t *write, int status)
{
    struct peer *p = write->data;

    p->writing = false;
    if (p->closing || !p->has_socket)
        return;
    if (status < 0) {
        peer_give_up(p, PEER_UNWRITABLE);
        return;
    }
    if (p->sent < p->sending.len) {
        send_piece(p);
        return;
    }
    buf_clear(&p->sending, 0);
    peer_set_timer(p);
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
        peer_give_up_soon(p, PEER_UNWRITABLE);
    else
        peer_set_timer(p);
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

    for (struct peer *p = s->peers.first; p != NULL; p = p->next)
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
        peer_give_up(p, PEER_UNREADABLE);
        return;
    }
    p->nawaited--;
    p->line_len = 0;
    p->is_old = false;
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
        peer_give_up(p, p->writing ? PEER_UNWRITABLE : PEER_UNREADABLE);
        return;
    }
    struct bytes data = bytes_of(buffer->base, (size_t)nread);
    while (data.len > 0 && p->has_socket) {
        if (!take_line(p, &data, &is_whole))
            peer_give_up(p, PEER_UNREADABLE);
        else if (is_whole)
            tell_line(p);
    }
    if (p->has_socket && !peer_is_kept(p))
        peer_set_timer(p);
}

void
peer_begin(struct peer *p)
{
    peer_set_timer(p);
    uv_read_start((uv_stream_t *)&p->socket, on_alloc, on_read);
    p->events->connected(p->arg);
}
