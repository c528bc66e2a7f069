/* slowlog_commands: SLOWLOG, which tells the requests that took long. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/slowlog.h"
#include "command/table.h"
#include "resp/reply.h"

#define TOLD_BY_DEFAULT 10

static void
reply_request(struct reply *out, const struct slow_request *r)
{
    reply_array(out, 6);
    reply_int(out, r->id);
    reply_int(out, r->at_s);
    reply_int(out, r->usec);
    reply_array(out, (size_t)r->argc);
    for (int i = 0; i < r->argc; i++)
        reply_bulk(out, r->argv[i]);
    reply_bulk(out, r->address);
    reply_bulk(out, r->name);
}

/* SLOWLOG GET [count]: the latest; -1 for all. */
enum err
cmd_slowlog_get(struct call *c)
{
    struct slowlog *l = c->host->slowlog;
    int64_t count = TOLD_BY_DEFAULT;
    if (c->argc > 3)
        return fail_subcommand(c);
    if (c->argc == 3 && (!number_parse(c->argv[2], &count) || count < -1))
        return ERR_SLOWLOG_COUNT;

    if (count < 0 || count > slowlog_count(l))
        count = slowlog_count(l);
    const struct slow_request *r = slowlog_first(l);
    reply_array(c->out, (size_t)count);
    for (int64_t i = 0; i < count; i++, r = r->next)
        reply_request(c->out, r);
    return OK;
}

/* SLOWLOG LEN: how many there are. */
enum err
cmd_slowlog_len(struct call *c)
{
    reply_int(c->out, slowlog_count(c->host->slowlog));
    return OK;
}

/* SLOWLOG RESET: forgets all. */
enum err
cmd_slowlog_reset(struct call *c)
{
    slowlog_reset(c->host->slowlog);

    reply_ok(c->out);
    return OK;
}

/* SLOWLOG HELP: its subcommands. */
enum err
cmd_slowlog_help(struct call *c)
{
    static const char *const lines[] = {
        "SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "GET [<count>]",
        "    Tell the latest slow requests, 10 unless said otherwise; -1 tells all.",
        "    Of each: id, when it ended, microseconds, arguments, its client's address",
        "    and name.",
        "LEN",
        "    Tell how many there are.",
        "RESET",
        "    Forget them.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
