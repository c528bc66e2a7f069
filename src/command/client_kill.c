/* client_kill: CLIENT KILL, in its old form and in that with filters. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"
#include "command/arguments.h"
#include "command/client.h"
#include "command/host.h"
#include "command/monitor.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "resp/reply.h"

/* What is asked of those that are closed. */
struct filter {
    int64_t id;               /* 0: any */
    struct bytes addr, laddr; /* data is NULL for any */
    bool by_type, skips_caller;
    enum client_type type;
};

static enum err
read_id(const struct call *c, int i, struct filter *f)
{
    if (!number_parse(c->argv[i], &f->id) || f->id < 1)
        return ERR_CLIENT_ID_RANGE;
    return OK;
}

/* There is one user, so it leaves nobody out. */
static enum err
check_user(struct call *c, int i)
{
    if (bytes_eq(c->argv[i], bytes_str("default")))
        return OK;
    return fail(c, "ERR No such user '%.*s'", (int)c->argv[i].len, c->argv[i].data);
}

static enum err
read_skip(const struct call *c, int i, struct filter *f)
{
    f->skips_caller = arg_is(c, i, "yes");
    return f->skips_caller || arg_is(c, i, "no") ? OK : ERR_SYNTAX;
}

/* Reads the option that begins at argument i. */
static enum err
read_option(struct call *c, int i, struct filter *f)
{
    if (i + 1 == c->argc)
        return ERR_SYNTAX;
    if (arg_is(c, i, "ID"))
        return read_id(c, i + 1, f);
    if (arg_is(c, i, "USER"))
        return check_user(c, i + 1);
    if (arg_is(c, i, "SKIPME"))
        return read_skip(c, i + 1, f);
    if (arg_is(c, i, "TYPE")) {
        f->by_type = true;
        return client_read_type(c, i + 1, &f->type);
    }
    if (arg_is(c, i, "ADDR"))
        f->addr = c->argv[i + 1];
    else if (arg_is(c, i, "LADDR"))
        f->laddr = c->argv[i + 1];
    else
        return ERR_SYNTAX;
    return OK;
}

static bool
is_meant(const struct call *c, const struct filter *f, const struct session *s)
{
    if (s->killed || (s == c->session && (f->skips_caller || s->closing)))
        return false;
    return (f->id == 0 || f->id == (int64_t)s->id)
           && (f->addr.data == NULL || bytes_eq(f->addr, bytes_str(s->peer.address)))
           && (f->laddr.data == NULL || bytes_eq(f->laddr, bytes_str(s->peer.local)))
           && (!f->by_type || f->type == client_type(s));
}

/* The caller gets its answer first. Gives how many there were. */
static int64_t
kill_meant(const struct call *c, const struct filter *f, bool *is_caller_meant)
{
    int64_t killed = 0;

    for (struct session *s = c->host->sessions; s != NULL; s = s->next_session) {
        if (!is_meant(c, f, s))
            continue;
        killed++;
        if (s == c->session) {
            *is_caller_meant = true;
            continue;
        }
        /* It goes at the end of the turn; till then it is as good as gone. */
        pubsub_leave(s);
        monitor_end(s);
        session_kill(s);
    }
    return killed;
}

/* CLIENT KILL address, or options with their values: the connections are closed. */
enum err
cmd_client_kill(struct call *c)
{
    struct filter f = {.skips_caller = c->argc > 3};
    bool is_old = c->argc == 3, is_caller_meant = false;

    if (is_old)
        f.addr = c->argv[2];
    for (int i = 2; i < c->argc && !is_old; i += 2)
        TRY(read_option(c, i, &f));

    int64_t killed = kill_meant(c, &f, &is_caller_meant);
    if (is_old && killed == 0)
        return ERR_NO_CLIENT;

    if (is_old)
        reply_ok(c->out);
    else
        reply_int(c->out, killed);
    if (is_caller_meant)
        c->session->closing = true;
    return OK;
}
