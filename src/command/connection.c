/* connection: commands on the connection itself, but for HELLO. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/auth.h"
#include "command/client.h"
#include "command/host.h"
#include "command/monitor.h"
#include "command/selection.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* ECHO message: the message. */
enum err
cmd_echo(struct call *c)
{
    reply_bulk(c->out, c->argv[1]);
    return OK;
}

/* PING [message]: PONG, or the message. */
enum err
cmd_ping(struct call *c)
{
    if (c->argc > 2)
        return fail(c, "ERR wrong number of arguments for 'ping' command");

    if (c->out->protocol == 2 && subscriber_is_active(&c->session->subscriber)) {
        reply_array(c->out, 2);
        reply_bulk_str(c->out, "pong");
        reply_bulk(c->out, c->argc == 2 ? c->argv[1] : bytes_str(""));
        return OK;
    }
    if (c->argc == 2)
        reply_bulk(c->out, c->argv[1]);
    else
        reply_simple(c->out, "PONG");
    return OK;
}

/* QUIT: the session closes once this was sent. */
enum err
cmd_quit(struct call *c)
{
    c->session->closing = true;

    reply_ok(c->out);
    return OK;
}

/* RESET: all that the connection was told is forgotten, who it is included. */
enum err
cmd_reset(struct call *c)
{
    struct session *s = c->session;

    queue_clear(&s->queue);
    session_unwatch(s);
    pubsub_leave(s);
    tracking_stop(s);
    monitor_end(s);
    session_select(s, keyspace_store(c->host->keyspace, bytes_str("0")));
    c->store = s->store;
    client_set_name(s, bytes_str(""));
    s->logged_in = auth_is_open(c->host);
    s->silence &= SILENT_NOW;
    c->out->protocol = 2;

    reply_simple(c->out, "RESET");
    return OK;
}

/* SELECT number or name. */
enum err
cmd_select(struct call *c)
{
    struct store *store;
    TRY(selection_store(c->host, c->argv[1], &store));

    session_select(c->session, store);
    c->store = store;

    reply_ok(c->out);
    return OK;
}
