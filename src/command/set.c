/* set: SET and its options. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

struct unit {
    const char *word;
    int64_t ms;
    bool from_now;
};

struct set_options {
    bool nx, xx, get, keep_ttl;
    const struct unit *unit; /* NULL: no deadline was asked for */
    int amount;              /* the argument that says how many units */
};

static const struct unit *
unit_named(const struct call *c, int i)
{
    static const struct unit units[] = {
        {"EX", 1000, true}, {"PX", 1, true}, {"EXAT", 1000, false}, {"PXAT", 1, false}};

    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        if (arg_is(c, i, units[u].word))
            return &units[u];
    }
    return NULL;
}

/* Takes the unit at argument i, which only goes with itself, and the amount behind it. */
static enum err
read_unit(const struct call *c, int i, struct set_options *o)
{
    const struct unit *unit = unit_named(c, i);

    if (unit == NULL || i + 1 == c->argc || o->keep_ttl
        || (o->unit != NULL && o->unit != unit))
        return ERR_SYNTAX;
    o->unit = unit;
    o->amount = i + 1;
    return OK;
}

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
        } else if (arg_is(c, i, "KEEPTTL") && o->unit == NULL) {
            o->keep_ttl = true;
        } else {
            TRY(read_unit(c, i, o));
            i = o->amount;
        }
    }
    return OK;
}

static enum err
read_deadline(struct call *c, const struct set_options *o, int64_t *deadline)
{
    int64_t amount;

    if (o->unit == NULL)
        return OK;
    TRY(arg_int(c, o->amount, &amount));
    if (amount <= 0)
        return fail_expire_time(c);
    return deadline_after(c, amount, o->unit->ms, o->unit->from_now ? c->now : 0,
                          deadline);
}

static void
reply_old(struct call *c, const struct entry *e)
{
    if (e != NULL)
        reply_bulk(c->out, entry_string(e));
    else
        reply_null(c->out);
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
        reply_old(c, e);
    else if (refused)
        reply_null(c->out);
    else
        reply_ok(c->out);

    if (!refused)
        store_set(c->store, c->argv[1], c->argv[2], deadline);
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
        TRY(read_deadline(c, &o, &deadline));
        if (o.nx || o.xx || o.get || o.keep_ttl)
            return set_over(c, &o, deadline);
    }

    store_set(c->store, c->argv[1], c->argv[2], deadline);

    reply_ok(c->out);
    return OK;
}
