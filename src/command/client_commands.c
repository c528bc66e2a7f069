/* client_commands: CLIENT, but for KILL and what is about tracking. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"
#include "command/arguments.h"
#include "command/client.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "command/waiting.h"
#include "resp/reply.h"

/* CLIENT ID: the connection's number, which no other has had. */
enum err
cmd_client_id(struct call *c)
{
    reply_int(c->out, (int64_t)c->session->id);
    return OK;
}

/* CLIENT GETNAME: the connection's name, null for none. */
enum err
cmd_client_getname(struct call *c)
{
    if (c->session->name.len == 0)
        reply_null(c->out);
    else
        reply_bulk(c->out, buf_bytes(&c->session->name));
    return OK;
}

/* CLIENT SETNAME name: an empty one takes the name away. */
enum err
cmd_client_setname(struct call *c)
{
    TRY(client_check_name(c->argv[2]));

    client_set_name(c->session, c->argv[2]);

    reply_ok(c->out);
    return OK;
}

/* CLIENT INFO: the connection's line of CLIENT LIST. */
enum err
cmd_client_info(struct call *c)
{
    struct buf text = {0};

    client_describe(c->session, &text);
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    return OK;
}

static void
describe_all(struct call *c, const enum client_type *type, struct buf *text)
{
    size_t count;
    struct session **all = client_all(c, &count);

    for (size_t i = 0; i < count; i++) {
        if (type == NULL || client_type(all[i]) == *type)
            client_describe(all[i], text);
    }
}

/* Those whose ids are the arguments from the fourth on. */
static void
describe_some(struct call *c, struct buf *text)
{
    for (int i = 3; i < c->argc; i++) {
        int64_t id = 0;
        number_parse(c->argv[i], &id);
        struct session *s = session_find(c->host, (uint64_t)id);
        if (s != NULL)
            client_describe(s, text);
    }
}

static enum err
check_ids(const struct call *c)
{
    int64_t id;

    for (int i = 3; i < c->argc; i++) {
        if (!number_parse(c->argv[i], &id))
            return ERR_CLIENT_ID;
    }
    return OK;
}

/* CLIENT LIST [TYPE type | ID id ...]: a line for each connection. */
enum err
cmd_client_list(struct call *c)
{
    bool by_type = c->argc == 4 && arg_is(c, 2, "TYPE");
    bool by_id = c->argc > 3 && arg_is(c, 2, "ID");
    enum client_type type = CLIENT_NORMAL;
    struct buf text = {0};

    if (c->argc > 2 && !by_type && !by_id)
        return ERR_SYNTAX;
    if (by_type)
        TRY(client_read_type(c, 3, &type));
    if (by_id)
        TRY(check_ids(c));

    if (by_id)
        describe_some(c, &text);
    else
        describe_all(c, by_type ? &type : NULL, &text);
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    return OK;
}

/* CLIENT REPLY ON, OFF or SKIP: only ON is answered. */
enum err
cmd_client_reply(struct call *c)
{
    struct session *s = c->session;

    if (arg_is(c, 2, "ON")) {
        s->silence &= SILENT_NEXT;
        reply_ok(c->out);
    } else if (arg_is(c, 2, "OFF")) {
        s->silence |= SILENT_ALWAYS;
    } else if (arg_is(c, 2, "SKIP")) {
        if (!(s->silence & SILENT_ALWAYS))
            s->silence |= SILENT_NEXT;
    } else {
        return ERR_SYNTAX;
    }
    return OK;
}

/* CLIENT NO-EVICT ON or OFF: kept and told; no client is closed for its memory. */
enum err
cmd_client_no_evict(struct call *c)
{
    bool on = arg_is(c, 2, "ON");
    if (!on && !arg_is(c, 2, "OFF"))
        return ERR_SYNTAX;

    c->session->no_evict = on;

    reply_ok(c->out);
    return OK;
}

/* CLIENT UNBLOCK id [TIMEOUT or ERROR]: whether it waited. */
enum err
cmd_client_unblock(struct call *c)
{
    int64_t id;

    if (c->argc > 4)
        return fail_subcommand(c);
    if (c->argc == 4 && !arg_is(c, 3, "TIMEOUT") && !arg_is(c, 3, "ERROR"))
        return ERR_UNBLOCK_REASON;
    TRY(arg_int(c, 2, &id));

    struct session *s = session_find(c->host, (uint64_t)id);
    bool waited = s != NULL && waiting_unblock(s, c->argc == 4 && arg_is(c, 3, "ERROR"));

    reply_int(c->out, waited);
    return OK;
}

/* CLIENT HELP: its subcommands. */
enum err
cmd_client_help(struct call *c)
{
    static const char *const lines[] = {
        "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CACHING (YES|NO)",
        "    Choose whether what the next request reads is tracked.",
        "GETNAME",
        "    Tell the connection's name.",
        "GETREDIR",
        "    Tell who gets the connection's tracking messages.",
        "ID",
        "    Tell the connection's number.",
        "INFO",
        "    Describe the connection.",
        "KILL <ip:port>",
        "    Close the connection from that address.",
        "KILL <option> <value> [<option> <value> ...]",
        "    Close the connections for which all of these hold:",
        "    * ID <client-id>",
        "    * ADDR <ip:port>, LADDR <ip:port>: the other end, and this end.",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "    * USER <username>",
        "    * SKIPME (YES|NO): whether the caller is left out (default: yes).",
        "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB) | ID <client-id> ...]",
        "    Describe all connections, or some.",
        "NO-EVICT (ON|OFF)",
        "    Keep the connection when others are closed for memory.",
        "PAUSE <milliseconds> [WRITE|ALL]",
        "    Let requests wait for a time, all or those that write.",
        "REPLY (ON|OFF|SKIP)",
        "    Choose whether requests are answered.",
        "SETNAME <name>",
        "    Name the connection.",
        "TRACKING (ON|OFF) [REDIRECT <client-id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Choose whether the connection is told when what it has read changes:",
        "    * REDIRECT <client-id>: that connection is told instead.",
        "    * BCAST [PREFIX <prefix> ...]: it is told of all keys, or of those that "
        "begin",
        "      so.",
        "    * OPTIN, OPTOUT: what is read after CLIENT CACHING YES, all but what is "
        "read",
        "      after CLIENT CACHING NO.",
        "    * NOLOOP: it is not told of what it changes itself.",
        "TRACKINGINFO",
        "    Tell whether keys are tracked for the connection, and how.",
        "UNBLOCK <client-id> [TIMEOUT|ERROR]",
        "    End the waiting of a connection.",
        "UNPAUSE",
        "    End the waiting that PAUSE began.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
