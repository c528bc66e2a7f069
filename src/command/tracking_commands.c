/* tracking_commands: CLIENT TRACKING, and what belongs to it. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/arena.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "resp/reply.h"

/* What CLIENT TRACKING asks for. */
struct wish {
    bool optin, optout, broadcast;
    struct tracker how;
    struct bytes *prefixes; /* in scratch */
    size_t nprefixes;
};

static enum err
read_redirect(struct call *c, int i, struct wish *w)
{
    int64_t id;

    if (w->how.redirect != 0)
        return ERR_TRACKING_REDIRECTS;
    TRY(arg_int(c, i, &id));
    if (session_find(c->host, (uint64_t)id) == NULL)
        return ERR_TRACKING_REDIRECT;
    w->how.redirect = (uint64_t)id;
    return OK;
}

static enum err
read_options(struct call *c, struct wish *w)
{
    for (int i = 3; i < c->argc; i++) {
        bool more = i + 1 < c->argc;
        if (arg_is(c, i, "REDIRECT") && more)
            TRY(read_redirect(c, ++i, w));
        else if (arg_is(c, i, "BCAST"))
            w->broadcast = true;
        else if (arg_is(c, i, "OPTIN"))
            w->optin = true;
        else if (arg_is(c, i, "OPTOUT"))
            w->optout = true;
        else if (arg_is(c, i, "NOLOOP"))
            w->how.noloop = true;
        else if (arg_is(c, i, "PREFIX") && more)
            w->prefixes[w->nprefixes++] = c->argv[++i];
        else
            return ERR_SYNTAX;
    }
    return OK;
}

static enum tracking_mode
mode_of(const struct wish *w)
{
    if (w->broadcast)
        return TRACKING_BROADCAST;
    if (w->optin)
        return TRACKING_OPTIN;
    return w->optout ? TRACKING_OPTOUT : TRACKING_READS;
}

/* Whether the options go together, and with those that were given before. */
static enum err
check_mode(const struct tracker *now, const struct wish *w)
{
    if (!w->broadcast && w->nprefixes > 0)
        return ERR_TRACKING_PREFIX;
    if (now->on && w->broadcast != (now->mode == TRACKING_BROADCAST))
        return ERR_TRACKING_BCAST;
    if (w->broadcast && (w->optin || w->optout))
        return ERR_TRACKING_OPT_BCAST;
    if (w->optin && w->optout)
        return ERR_TRACKING_OPT_BOTH;
    if ((w->optin && now->mode == TRACKING_OPTOUT)
        || (w->optout && now->mode == TRACKING_OPTIN))
        return ERR_TRACKING_OPT;
    return OK;
}

/* Whether a key can begin with both. */
static bool
overlap(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;

    return bytes_eq(bytes_of(a.data, len), bytes_of(b.data, len));
}

static enum err
fail_prefix(struct call *c, struct bytes prefix, const char *which, struct bytes other)
{
    return fail(c,
                "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. Prefixes for a single "
                "client must not overlap.",
                (int)prefix.len, prefix.data, which, (int)other.len, other.data);
}

static enum err
check_prefix(struct call *c, const struct wish *w, size_t i)
{
    struct bytes prefix = w->prefixes[i];

    for (const struct listener *l = c->session->tracker.listeners; l != NULL;
         l = listener_next(l)) {
        if (overlap(prefix, listener_prefix(l)))
            return fail_prefix(c, prefix, "an existing", listener_prefix(l));
    }
    for (size_t j = i + 1; j < w->nprefixes; j++) {
        if (overlap(prefix, w->prefixes[j]))
            return fail_prefix(c, prefix, "another provided", w->prefixes[j]);
    }
    return OK;
}

static enum err
start(struct call *c, struct wish *w)
{
    TRY(check_mode(&c->session->tracker, w));
    for (size_t i = 0; i < w->nprefixes; i++)
        TRY(check_prefix(c, w, i));

    w->how.mode = mode_of(w);
    tracking_start(c->session, &w->how, w->prefixes, w->nprefixes);
    return OK;
}

/* CLIENT TRACKING ON or OFF [REDIRECT id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT]
 * [NOLOOP]: whether the connection is told when what it has read changes. */
enum err
cmd_client_tracking(struct call *c)
{
    struct wish w = {0};
    w.prefixes = arena_alloc(c->scratch, (size_t)c->argc * sizeof *w.prefixes);
    TRY(read_options(c, &w));

    if (arg_is(c, 2, "ON"))
        TRY(start(c, &w));
    else if (arg_is(c, 2, "OFF"))
        tracking_stop(c->session);
    else
        return ERR_SYNTAX;

    reply_ok(c->out);
    return OK;
}

/* CLIENT CACHING YES or NO: whether what the next request reads is tracked. */
enum err
cmd_client_caching(struct call *c)
{
    struct tracker *t = &c->session->tracker;
    bool yes = arg_is(c, 2, "YES");

    if (!t->on)
        return ERR_CACHING_OFF;
    if (!yes && !arg_is(c, 2, "NO"))
        return ERR_SYNTAX;
    if (yes && t->mode != TRACKING_OPTIN)
        return ERR_CACHING_YES;
    if (!yes && t->mode != TRACKING_OPTOUT)
        return ERR_CACHING_NO;

    t->has_chosen = true;

    reply_ok(c->out);
    return OK;
}

/* CLIENT GETREDIR: who gets the tracking messages; 0: the connection itself, -1: there are
 * none. */
enum err
cmd_client_getredir(struct call *c)
{
    reply_int(c->out, tracking_redirect(c->session));
    return OK;
}

static void
reply_flags_of(struct call *c, const struct tracker *t)
{
    bool optin = t->mode == TRACKING_OPTIN, optout = t->mode == TRACKING_OPTOUT;
    const struct {
        bool is_set;
        const char *name;
    } flags[] = {
        {!t->on, "off"},
        {t->on, "on"},
        {t->mode == TRACKING_BROADCAST, "bcast"},
        {optin, "optin"},
        {optin && t->has_chosen, "caching-yes"},
        {optout, "optout"},
        {optout && t->has_chosen, "caching-no"},
        {t->noloop, "noloop"},
        {t->is_broken, "broken_redirect"},
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        count += flags[i].is_set;
    reply_set(c->out, count);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (flags[i].is_set)
            reply_bulk_str(c->out, flags[i].name);
    }
}

static void
reply_prefixes(struct call *c, const struct tracker *t)
{
    size_t count = 0;

    for (const struct listener *l = t->listeners; l != NULL; l = listener_next(l))
        count++;
    reply_array(c->out, count);
    for (const struct listener *l = t->listeners; l != NULL; l = listener_next(l))
        reply_bulk(c->out, listener_prefix(l));
}

/* CLIENT TRACKINGINFO: whether keys are tracked, and how. */
enum err
cmd_client_trackinginfo(struct call *c)
{
    const struct tracker *t = &c->session->tracker;

    reply_map(c->out, 3);
    reply_bulk_str(c->out, "flags");
    reply_flags_of(c, t);
    reply_figure(c->out, "redirect", tracking_redirect(c->session));
    reply_bulk_str(c->out, "prefixes");
    reply_prefixes(c, t);
    return OK;
}
