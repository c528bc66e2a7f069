/* transactions: MULTI and what belongs to it. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/arena.h"
#include "base/mem.h"
#include "command/dispatch.h"
#include "command/listed.h"
#include "command/needs.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* MULTI: what follows is queued. */
enum err
cmd_multi(struct call *c)
{
    if (c->session->queue.open)
        return ERR_NESTED;

    c->session->queue.open = true;

    reply_ok(c->out);
    return OK;
}

/* DISCARD: the queue and the watches are dropped. */
enum err
cmd_discard(struct call *c)
{
    if (!c->session->queue.open)
        return ERR_DISCARD;

    queue_clear(&c->session->queue);
    session_unwatch(c->session);

    reply_ok(c->out);
    return OK;
}

static bool
is_touched(const struct session *s, int64_t now)
{
    for (size_t i = 0; i < s->nwatches; i++) {
        if (watch_is_touched(s->watches[i], now))
            return true;
    }
    return false;
}

/* Each has its scratch for itself: what EXEC as a whole keeps there stays. */
static void
run_queue(struct call *c)
{
    const struct queue *queue = &c->session->queue;
    struct arena scratch = {0};

    reply_array(c->out, queue->count);
    for (size_t i = 0; i < queue->count; i++) {
        const struct queued *q = queue->items[i];
        struct call each = *c;
        each.scratch = &scratch;
        each.store = c->session->store;
        each.command = q->command;
        each.argv = q->argv;
        each.argc = q->argc;
        each.in_exec = true;
        each.began = session_now(c->session);
        each.listed = listed_at(c->session, i);
        /* What was queued before it may have changed which store a SELECT leads to. */
        if (needs_are_known(&each))
            dispatch_run(&each);
        else
            dispatch_error(&each, ERR_READ);
        arena_reset(&scratch);
    }
    arena_deinit(&scratch);
}

/* EXEC: the replies of what was queued; null if a watched key has changed. */
enum err
cmd_exec(struct call *c)
{
    struct session *s = c->session;
    if (!s->queue.open)
        return ERR_EXEC;

    bool touched = is_touched(s, c->now);
    session_unwatch(s);

    enum err result = OK;
    if (s->queue.broken)
        result = ERR_ABORTED;
    else if (touched)
        reply_null_array(c->out);
    else
        run_queue(c);
    queue_clear(&s->queue);
    return result;
}

static bool
is_watched(const struct session *s, const struct store *store, struct bytes key)
{
    for (size_t i = 0; i < s->nwatches; i++) {
        if (watch_is_of(s->watches[i], store, key))
            return true;
    }
    return false;
}

static void
watch(struct session *s, struct call *c, struct bytes key)
{
    if (s->nwatches == s->cap_watches) {
        s->cap_watches = s->cap_watches > 0 ? 2 * s->cap_watches : 4;
        s->watches = xrealloc(s->watches, s->cap_watches * sizeof(struct watch *));
    }
    s->watches[s->nwatches++] = watch_new(c->store, key, c->now);
}

/* WATCH key ...: the next EXEC does nothing if one of them is changed before. */
enum err
cmd_watch(struct call *c)
{
    struct session *s = c->session;
    if (s->queue.open)
        return ERR_WATCH;
    if (s->nwatches + (size_t)c->argc - 1 > SESSION_WATCHES_MAX)
        return ERR_WATCHES;

    for (int i = 1; i < c->argc; i++) {
        if (!is_watched(s, c->store, c->argv[i]))
            watch(s, c, c->argv[i]);
    }

    reply_ok(c->out);
    return OK;
}

/* UNWATCH: nothing is watched any more. */
enum err
cmd_unwatch(struct call *c)
{
    session_unwatch(c->session);

    reply_ok(c->out);
    return OK;
}
