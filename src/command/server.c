/* server: commands on all keys at once, and on the life of the server. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* DBSIZE: the number of keys of the store. */
enum err
cmd_dbsize(struct call *c)
{
    reply_int(c->out, store_count(c->store));
    return OK;
}

/* Flushing walks no keys, so ASYNC and SYNC are the same. */
static enum err
check_flush(const struct call *c)
{
    if (c->argc == 1)
        return OK;
    return c->argc == 2 && (arg_is(c, 1, "ASYNC") || arg_is(c, 1, "SYNC")) ? OK
                                                                           : ERR_SYNTAX;
}

/* FLUSHDB [ASYNC | SYNC]: the store has no keys any more. */
enum err
cmd_flushdb(struct call *c)
{
    TRY(check_flush(c));

    store_flush(c->store);
    tracking_tell_flush(c->host);

    reply_ok(c->out);
    return OK;
}

/* FLUSHALL [ASYNC | SYNC]: no store has. */
enum err
cmd_flushall(struct call *c)
{
    TRY(check_flush(c));

    keyspace_flush_all(c->host->keyspace);
    tracking_tell_flush(c->host);

    reply_ok(c->out);
    return OK;
}

/* TIME: the server's clock, in seconds since 1970 and microseconds. */
enum err
cmd_time(struct call *c)
{
    int64_t now_us = clock_us();

    reply_array(c->out, 2);
    reply_bulk_int(c->out, now_us / 1000000);
    reply_bulk_int(c->out, now_us % 1000000);
    return OK;
}

/* ROLE: a server that has no replicas and is none. */
enum err
cmd_role(struct call *c)
{
    reply_array(c->out, 3);
    reply_bulk_str(c->out, "master");
    reply_int(c->out, 0);
    reply_array(c->out, 0);
    return OK;
}

struct shutdown_options {
    bool save, nosave, now, force, abort;
};

static enum err
read_shutdown(const struct call *c, struct shutdown_options *o)
{
    for (int i = 1; i < c->argc; i++) {
        if (arg_is(c, i, "SAVE"))
            o->save = true;
        else if (arg_is(c, i, "NOSAVE"))
            o->nosave = true;
        else if (arg_is(c, i, "NOW"))
            o->now = true;
        else if (arg_is(c, i, "FORCE"))
            o->force = true;
        else if (arg_is(c, i, "ABORT"))
            o->abort = true;
        else
            return ERR_SYNTAX;
    }
    bool other = o->save || o->nosave || o->now || o->force;
    return (o->abort && other) || (o->save && o->nosave) ? ERR_SYNTAX : OK;
}

/* SHUTDOWN [SAVE | NOSAVE] [NOW] [FORCE] [ABORT]: no reply, the server ends. Nothing
 * that was answered is ever dropped. What waits for a log that cannot be written is, so
 * that has to be forced. */
enum err
cmd_shutdown(struct call *c)
{
    struct shutdown_options o = {0};
    TRY(read_shutdown(c, &o));
    if (o.abort)
        return ERR_SHUTDOWN;
    if (keyspace_is_failing(c->host->keyspace) && !o.force && !o.nosave)
        return ERR_SHUTDOWN_FAILS;

    c->host->shutdown_asked = true;
    c->host->shutdown_fd = c->session->peer.fd;
    c->session->closing = true;
    return OK;
}
