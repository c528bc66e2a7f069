/*
 * needs: a request's keys stand where its row in commands.def says. EXEC's are those of
 * the queued requests, in the stores that will be selected when it is their turn.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/needs.h"

#include "base/arena.h"
#include "command/call.h"
#include "command/debug.h"
#include "command/host.h"
#include "command/listed.h"
#include "command/scan.h"
#include "command/selection.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/fetch.h"
#include "keyspace/keyspace.h"

/* False: the walk is to end. */
typedef bool visit_fn(void *arg, struct store *store, struct bytes key);

static bool
walk_keys(const struct call *c, visit_fn *visit, void *arg)
{
    int nkeys = command_nkeys(c->command, c->argc);

    if (c->command->fn == cmd_debug && debug_key(c->argv, c->argc) != 0)
        return visit(arg, c->store, c->argv[debug_key(c->argv, c->argc)]);
    for (int i = 0; i < nkeys; i++) {
        if (!visit(arg, c->store, c->argv[c->command->first + i * c->command->step]))
            return false;
    }
    return true;
}

/* Changes the held *store if the queued request is a SELECT that will succeed. */
static void
follow_select(struct call *c, const struct queued *q, struct store **store)
{
    struct store *chosen;

    if (q->command->fn == cmd_select
        && selection_store(c->host, q->argv[1], &chosen) == OK) {
        store_release(*store);
        *store = chosen;
    }
}

/* Visits the request, or those that EXEC will carry out: number `at` of the queue. False:
 * the walk is to end. */
typedef bool visit_request_fn(struct call *each, size_t at, void *arg);

static bool
walk_requests(struct call *c, visit_request_fn *visit, void *arg)
{
    const struct queue *queue = &c->session->queue;
    struct store *store = c->store;
    bool whole = true;

    if (c->command->fn != cmd_exec)
        return visit(c, 0, arg);
    store_hold(store);
    for (size_t i = 0; i < queue->count && whole; i++) {
        const struct queued *q = queue->items[i];
        struct call each = *c;
        follow_select(c, q, &store);
        each.store = store;
        each.command = q->command;
        each.argv = q->argv;
        each.argc = q->argc;
        each.listed = listed_at(c->session, i);
        whole = visit(&each, i, arg);
    }
    store_release(store);
    return whole;
}

/* --- what is known --- */

static bool
is_known(void *arg, struct store *store, struct bytes key)
{
    (void)arg;
    return store_knows(store, key);
}

static bool
keys_are_known(struct call *each, size_t at, void *arg)
{
    (void)at;
    return walk_keys(each, is_known, arg);
}

static bool
request_is_known(struct call *each, size_t at, void *arg)
{
    return keys_are_known(each, at, arg) && scan_is_known(each);
}

bool
needs_are_known(struct call *c)
{
    return walk_requests(c, request_is_known, NULL);
}

/* --- finding out --- */

/* Ends where a listing has to be waited for. */
static bool
list(struct call *each, size_t at, void *arg)
{
    (void)arg;
    if (!scan_is_known(each))
        scan_begin(each, at);
    return !listed_is_awaited(each->session);
}

struct collection {
    struct fetch_key *keys; /* NULL while they are only counted */
    size_t count;
};

static bool
collect(void *arg, struct store *store, struct bytes key)
{
    struct collection *all = arg;

    if (all->keys != NULL) {
        store_hold(store);
        all->keys[all->count] = (struct fetch_key){store, key};
    }
    all->count++;
    return true;
}

static bool
collect_keys(struct call *each, size_t at, void *arg)
{
    (void)at;
    return walk_keys(each, collect, arg);
}

/* Parks the session until the keys are known that are named. */
static void
fetch(struct call *c)
{
    struct collection all = {0};

    walk_requests(c, collect_keys, &all);
    all.keys = arena_alloc(c->scratch, all.count * sizeof *all.keys);
    all.count = 0;
    walk_requests(c, collect_keys, &all);

    session_fetch(c->session, all.keys, all.count);
    for (size_t i = 0; i < all.count; i++)
        store_release(all.keys[i].store);
}

bool
needs_wait(struct call *c)
{
    if (!walk_requests(c, list, NULL))
        return true;
    if (walk_requests(c, keys_are_known, NULL))
        return false;
    fetch(c);
    return true;
}
