/* expiry: commands on the deadlines of keys. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/notify.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

#define SECOND INT64_C(1000)

/* Under what condition the deadline is changed. */
struct conditions {
    bool nx, xx, gt, lt;
};

static enum err
read_conditions(struct call *c, struct conditions *when)
{
    for (int i = 3; i < c->argc; i++) {
        if (arg_is(c, i, "NX"))
            when->nx = true;
        else if (arg_is(c, i, "XX"))
            when->xx = true;
        else if (arg_is(c, i, "GT"))
            when->gt = true;
        else if (arg_is(c, i, "LT"))
            when->lt = true;
        else
            return fail(c, "ERR Unsupported option %.*s", (int)c->argv[i].len,
                        c->argv[i].data);
    }
    if (when->nx && (when->xx || when->gt || when->lt))
        return ERR_EXPIRE_NX;
    if (when->gt && when->lt)
        return ERR_EXPIRE_GT_LT;
    return OK;
}

/* A key without a deadline counts as one that lives for ever. */
static bool
are_met(const struct conditions *when, int64_t old, int64_t deadline)
{
    if (when->nx && old != 0)
        return false;
    if (when->xx && old == 0)
        return false;
    if (when->gt && (old == 0 || deadline <= old))
        return false;
    if (when->lt && old != 0 && deadline >= old)
        return false;
    return true;
}

/* The amount counts from base, in ms; 0: from 1970. */
static enum err
expire(struct call *c, int64_t unit_ms, int64_t base)
{
    struct conditions when = {0};
    int64_t amount, deadline;

    TRY(read_conditions(c, &when));
    TRY(arg_int(c, 2, &amount));
    TRY(deadline_after(c, amount, unit_ms, base, &deadline));
    struct entry *e = arg_entry(c, 1);
    if (e == NULL || !are_met(&when, entry_deadline(e), deadline)) {
        reply_int(c->out, 0);
        return OK;
    }

    if (deadline <= c->began) {
        store_delete(c->store, e);
        notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
        reply_int(c->out, 1);
    } else {
        store_set_deadline(c->store, e, deadline);
        /* As in Redis, who listens to itself is answered first. */
        reply_int(c->out, 1);
        notify(c, NOTIFY_GENERIC, "expire", c->argv[1]);
    }
    return OK;
}

/* EXPIRE key seconds [NX | XX | GT | LT]: 1 if it was changed. */
enum err
cmd_expire(struct call *c)
{
    return expire(c, SECOND, c->began);
}

/* PEXPIRE key ms [NX | XX | GT | LT]: 1 if it was changed. */
enum err
cmd_pexpire(struct call *c)
{
    return expire(c, 1, c->began);
}

/* EXPIREAT key unix-time [NX | XX | GT | LT]: 1 if it was changed. */
enum err
cmd_expireat(struct call *c)
{
    return expire(c, SECOND, 0);
}

/* PEXPIREAT key unix-time-ms [NX | XX | GT | LT]: 1 if it was changed. */
enum err
cmd_pexpireat(struct call *c)
{
    return expire(c, 1, 0);
}

/* Answers how long after base the key's deadline is, rounded to units; -1 without a
 * deadline, -2 without the key. */
static enum err
reply_deadline(struct call *c, int64_t unit_ms, int64_t base)
{
    struct entry *e = arg_peek(c, 1);

    if (e == NULL) {
        reply_int(c->out, -2);
    } else if (entry_deadline(e) == 0) {
        reply_int(c->out, -1);
    } else {
        int64_t ms = entry_deadline(e) > base ? entry_deadline(e) - base : 0;
        reply_int(c->out, ms / unit_ms + (ms % unit_ms >= (unit_ms + 1) / 2));
    }
    return OK;
}

/* TTL key: seconds. */
enum err
cmd_ttl(struct call *c)
{
    return reply_deadline(c, SECOND, c->began);
}

/* PTTL key: milliseconds. */
enum err
cmd_pttl(struct call *c)
{
    return reply_deadline(c, 1, c->began);
}

/* EXPIRETIME key: seconds since 1970. */
enum err
cmd_expiretime(struct call *c)
{
    return reply_deadline(c, SECOND, 0);
}

/* PEXPIRETIME key: milliseconds since 1970. */
enum err
cmd_pexpiretime(struct call *c)
{
    return reply_deadline(c, 1, 0);
}

/* PERSIST key: 1 if it had a deadline. */
enum err
cmd_persist(struct call *c)
{
    struct entry *e = arg_entry(c, 1);
    bool had = e != NULL && entry_deadline(e) != 0;

    if (had) {
        store_set_deadline(c->store, e, 0);
        notify(c, NOTIFY_GENERIC, "persist", c->argv[1]);
    }

    reply_int(c->out, had);
    return OK;
}
