/* hello: HELLO, with which a client chooses the protocol. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"
#include "command/arguments.h"
#include "command/auth.h"
#include "command/client.h"
#include "command/host.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "resp/reply.h"

static enum err
read_protocol(const struct call *c, int64_t *protocol)
{
    if (!number_parse(c->argv[1], protocol))
        return ERR_PROTOCOL_NUMBER;
    if (*protocol != 2 && *protocol != 3)
        return ERR_PROTOCOL_VERSION;
    return OK;
}

/* As in Redis, each holds at once: who gives the right password is in, and has the name it
 * gave, though something behind it is wrong. */
static enum err
take_options(struct call *c)
{
    for (int i = 2; i < c->argc; i++) {
        int more = c->argc - 1 - i;
        if (arg_is(c, i, "AUTH") && more >= 2) {
            arg_hide(c, i + 1);
            arg_hide(c, i + 2);
            TRY(auth_check(c->host, c->argv[i + 1], c->argv[i + 2]));
            c->session->logged_in = true;
            i += 2;
        } else if (arg_is(c, i, "SETNAME") && more >= 1) {
            TRY(client_check_name(c->argv[i + 1]));
            client_set_name(c->session, c->argv[++i]);
        } else {
            return fail(c, "ERR Syntax error in HELLO option '%.*s'", (int)c->argv[i].len,
                        c->argv[i].data);
        }
    }
    return OK;
}

/* HELLO [protocol [AUTH user password] [SETNAME name]]: who answers. Who came while there
 * was a password, and never logged in, has to do so here even where there is none now. */
enum err
cmd_hello(struct call *c)
{
    int64_t protocol = c->out->protocol;
    if (c->argc > 1)
        TRY(read_protocol(c, &protocol));
    TRY(take_options(c));
    if (!c->session->logged_in)
        return ERR_NOAUTH_HELLO;

    c->out->protocol = (int)protocol;

    reply_map(c->out, 7);
    reply_bulk_str(c->out, "server");
    reply_bulk_str(c->out, "redis");
    reply_bulk_str(c->out, "version");
    reply_bulk_str(c->out, REDIS_VERSION);
    reply_figure(c->out, "proto", protocol);
    reply_figure(c->out, "id", (int64_t)c->session->id);
    reply_bulk_str(c->out, "mode");
    reply_bulk_str(c->out, "standalone");
    reply_bulk_str(c->out, "role");
    reply_bulk_str(c->out, "master");
    reply_bulk_str(c->out, "modules");
    reply_array(c->out, 0);
    return OK;
}
