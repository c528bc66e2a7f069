/*
 * waiting: see waiting.h.
 *
 * Only host_end_waiting resumes: a session that is resumed is fed at once, and what it
 * then says may end the waiting of others, which stand in the list that is gone through.
 * So ending it early is to let its time come.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/waiting.h"

#include <assert.h>

#include "base/clock.h"
#include "base/number.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/monitor.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* --- the list --- */

static void
begin(struct session *s, int64_t until_us, bool is_paused)
{
    struct host *h = s->host;

    assert(!session_is_parked(s));
    s->waits = true;
    s->is_paused = is_paused;
    s->waits_until_us = until_us;
    s->next_waiting = NULL;
    s->previous_waiting = h->last_waiting;
    if (h->last_waiting != NULL)
        h->last_waiting->next_waiting = s;
    else
        h->first_waiting = s;
    h->last_waiting = s;
    h->nblocked++;
}

void
waiting_leave(struct session *s)
{
    struct host *h = s->host;

    if (!s->waits)
        return;
    s->waits = false;
    if (s->previous_waiting != NULL)
        s->previous_waiting->next_waiting = s->next_waiting;
    else
        h->first_waiting = s->next_waiting;
    if (s->next_waiting != NULL)
        s->next_waiting->previous_waiting = s->previous_waiting;
    else
        h->last_waiting = s->previous_waiting;
    h->nblocked--;
}

void
host_end_waiting(struct host *h)
{
    int64_t now_us = clock_mono_us();

    for (struct session *s = h->first_waiting, *next; s != NULL; s = next) {
        next = s->next_waiting;
        if (s->waits_until_us > now_us)
            continue;
        waiting_leave(s);
        s->has_waited |= !s->is_paused;
        s->owner->resumed(s->owner_arg);
    }
}

int64_t
waiting_limited(const struct host *h)
{
    int64_t count = 0;

    for (const struct session *s = h->first_waiting; s != NULL; s = s->next_waiting)
        count += !s->is_paused && s->waits_until_us > 0 && s->waits_until_us < INT64_MAX;
    return count;
}

bool
waiting_unblock(struct session *s, bool with_error)
{
    if (!s->waits || s->is_paused || s->waits_until_us == 0)
        return false;
    s->waits_until_us = 0;
    s->is_unblocked = with_error;
    return true;
}

/* --- who waits --- */

/* Whether CLIENT PAUSE WRITE holds it. */
static bool
may_replicate(const struct call *c)
{
    unsigned flags = c->command->flags;

    if (c->command->fn == cmd_exec)
        flags = c->session->queue.flags;
    return (flags & (CMD_WRITE | CMD_REPLICATED)) != 0;
}

/* Replicas are not paused, so one that watches others is not. This stands on the path of
 * every command, so it reads no clock of its own. */
static bool
is_paused(const struct call *c)
{
    const struct host *h = c->host;

    return h->paused_until_us > c->session->last_us && !c->session->monitors
           && (h->pauses_all || may_replicate(c));
}

/* Reads argument i, a number of ms, as the time when they are over. */
static enum err
read_timeout(const struct call *c, int i, int64_t *until_us)
{
    int64_t ms;

    if (!number_parse(c->argv[i], &ms))
        return ERR_TIMEOUT;
    if (ms < 0)
        return ERR_TIMEOUT_NEGATIVE;
    if (__builtin_mul_overflow(ms, 1000, until_us)
        || __builtin_add_overflow(*until_us, clock_mono_us(), until_us))
        *until_us = INT64_MAX;
    return OK;
}

/* Whether WAIT has something to wait for; until 0 ms are over is for ever. */
static bool
wait_is_due(const struct call *c, int64_t *until_us)
{
    int64_t replicas;

    if (c->session->has_waited || c->session->queue.open
        || !number_parse(c->argv[1], &replicas) || replicas < 1
        || read_timeout(c, 2, until_us) != OK)
        return false;
    if (bytes_eq(c->argv[2], bytes_str("0")))
        *until_us = INT64_MAX;
    return true;
}

bool
waiting_is_due(struct call *c)
{
    int64_t until_us;

    if (is_paused(c)) {
        begin(c->session, c->host->paused_until_us, true);
        return true;
    }
    if (c->command->fn == cmd_wait && wait_is_due(c, &until_us)) {
        begin(c->session, until_us, false);
        monitor_show(c); /* and not when it is over */
        return true;
    }
    return false;
}

/* --- commands --- */

/* WAIT replicas timeout: how many replicas have what was written. There are none, so
 * where one is asked for, it has been waited in vain. */
enum err
cmd_wait(struct call *c)
{
    bool is_unblocked = c->session->is_unblocked;
    int64_t replicas, until_us;
    TRY(arg_int(c, 1, &replicas));
    TRY(read_timeout(c, 2, &until_us));

    c->session->is_unblocked = false;
    if (is_unblocked)
        return ERR_UNBLOCKED;

    reply_int(c->out, 0);
    return OK;
}

/* CLIENT PAUSE timeout [WRITE or ALL]: requests wait, also this client's. A pause that
 * holds becomes longer and wider, never less. What expires meanwhile is not removed. */
enum err
cmd_client_pause(struct call *c)
{
    struct host *h = c->host;
    int64_t until_us;
    bool all = c->argc == 3 || arg_is(c, 3, "ALL");

    if (c->argc > 4)
        return fail_subcommand(c);
    if (!all && !arg_is(c, 3, "WRITE"))
        return ERR_PAUSE_MODE;
    TRY(read_timeout(c, 2, &until_us));

    bool holds = h->paused_until_us > clock_mono_us();
    h->pauses_all = all || (holds && h->pauses_all);
    if (!holds || until_us > h->paused_until_us)
        h->paused_until_us = until_us;
    keyspace_hold_expired(h->keyspace, h->paused_until_us);

    reply_ok(c->out);
    return OK;
}

/* CLIENT UNPAUSE: who waits by CLIENT PAUSE goes on. */
enum err
cmd_client_unpause(struct call *c)
{
    c->host->paused_until_us = 0;
    keyspace_hold_expired(c->host->keyspace, 0);
    for (struct session *s = c->host->first_waiting; s != NULL; s = s->next_waiting) {
        if (s->is_paused)
            s->waits_until_us = 0;
    }

    reply_ok(c->out);
    return OK;
}
