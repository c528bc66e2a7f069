/* set: SET with its options, and the commands that were there before them. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/lifetime.h"
#include "command/notify.h"
#include "command/strings.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

struct set_options {
    bool nx, xx, get, keep_ttl;
    struct lifetime life;
};

static enum err
read_options(const struct call *c, struct set_options *o)
{
    for (int i = 3; i < c->argc; i++) {
        if (arg_is(c, i, "NX") && !o->xx) {
            o->nx = true;
        } else if (arg_is(c, i, "XX") && !o->nx) {
            o->xx = true;
        } else if (arg_is(c, i, "GET")) {
            o->get = true;
        } else if (arg_is(c, i, "KEEPTTL") && o->life.unit == NULL) {
            o->keep_ttl = true;
        } else if (o->keep_ttl) {
            return ERR_SYNTAX;
        } else {
            TRY(lifetime_read(c, &i, &o->life));
        }
    }
    return OK;
}

/* Sets the key that is argument 1; `lives` where the request gives it a deadline. */
static void
set(struct call *c, struct bytes value, int64_t deadline, bool lives)
{
    store_set(c->store, c->argv[1], value, deadline, c->now);
    notify(c, NOTIFY_STRING, "set", c->argv[1]);
    if (lives)
        notify(c, NOTIFY_GENERIC, "expire", c->argv[1]);
}

/* SET with options that make the old value matter. */
static enum err
set_over(struct call *c, const struct set_options *o, int64_t deadline)
{
    struct entry *e = o->get ? arg_read(c, 1) : arg_entry(c, 1);
    if (o->get)
        TRY(check_type(e, TYPE_STRING));
    bool refused = (o->nx && e != NULL) || (o->xx && e == NULL);
    if (o->keep_ttl && e != NULL)
        deadline = entry_deadline(e);

    /* The old value is answered first, because it goes away with the change. */
    if (o->get)
        reply_string(c, e);
    if (!refused)
        set(c, c->argv[2], deadline, o->life.unit != NULL);

    if (refused && !o->get)
        reply_null(c->out);
    else if (!o->get)
        reply_ok(c->out);
    return OK;
}

/* SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
enum err
cmd_set(struct call *c)
{
    struct set_options o = {0};
    int64_t deadline = 0;

    if (c->argc > 3) {
        TRY(read_options(c, &o));
        TRY(lifetime_deadline(c, &o.life, &deadline));
        if (o.nx || o.xx || o.get || o.keep_ttl)
            return set_over(c, &o, deadline);
    }

    set(c, c->argv[2], deadline, o.life.unit != NULL);

    reply_ok(c->out);
    return OK;
}

/* SETNX key value: 1 if there was no such key. */
enum err
cmd_setnx(struct call *c)
{
    bool is_new = arg_entry(c, 1) == NULL;

    if (is_new)
        set(c, c->argv[2], 0, false);

    reply_int(c->out, is_new);
    return OK;
}

static enum err
set_for(struct call *c, int64_t unit_ms)
{
    int64_t deadline;

    TRY(lifetime_from_now(c, 2, unit_ms, &deadline));

    set(c, c->argv[3], deadline, true);

    reply_ok(c->out);
    return OK;
}

/* SETEX key seconds value */
enum err
cmd_setex(struct call *c)
{
    return set_for(c, 1000);
}

/* PSETEX key ms value */
enum err
cmd_psetex(struct call *c)
{
    return set_for(c, 1);
}

/* GETSET key value: the value before, or null. */
enum err
cmd_getset(struct call *c)
{
    struct entry *e = arg_read(c, 1);
    TRY(check_type(e, TYPE_STRING));

    reply_string(c, e);
    set(c, c->argv[2], 0, false);
    return OK;
}
