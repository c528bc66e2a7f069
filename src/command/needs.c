/*
 * needs: a request's keys stand where keyargs says. EXEC's are those of the queued
 * requests, in the stores that they will see when it is their turn.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/needs.h"

#include "base/arena.h"
#include "command/call.h"
#include "command/keyargs.h"
#include "command/listed.h"
#include "command/scan.h"
#include "command/selection.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "command/view.h"
#include "keyspace/fetch.h"
#include "keyspace/keyspace.h"

/* False: the walk is to end. */
typedef bool visit_fn(void *arg, struct store *store, struct bytes key);

struct key_walk {
    const struct call *each;
    const struct view *view; /* that of EXEC; NULL: stores are as they are now */
    visit_fn *visit;
    void *arg;
};

/* A store that cannot be selected has no keys. */
static bool
visit_key(void *arg, int key, int store)
{
    const struct key_walk *w = arg;
    const struct call *c = w->each;
    struct store *named;

    if (store == 0)
        return w->visit(w->arg, c->store, c->argv[key]);
    if (selection_store(c->host, c->argv[store], &named) != OK)
        return true;
    bool more = w->visit(w->arg, w->view != NULL ? view_store(w->view, named) : named,
                         c->argv[key]);
    store_release(named);
    return more;
}

static bool
walk_keys(const struct call *each, const struct view *view, visit_fn *visit, void *arg)
{
    struct key_walk w = {each, view, visit, arg};

    return keyargs_walk(each->command, each->argv, each->argc, visit_key, &w);
}

/* Watched keys that EXEC has to know to tell whether they were changed. */
static bool
walk_watched(const struct call *c, visit_fn *visit, void *arg)
{
    const struct session *s = c->session;
    struct store *store;
    struct bytes key;

    for (size_t i = 0; c->command->fn == cmd_exec && i < s->nwatches; i++) {
        if (watch_is_unsure(s->watches[i], &store, &key) && !visit(arg, store, key))
            return false;
    }
    return true;
}

/* Visits the request, or those that EXEC will carry out: number `at` of the queue. False:
 * the walk is to end. */
typedef bool visit_request_fn(struct call *each, const struct view *view, size_t at,
                              void *arg);

static bool
walk_requests(struct call *c, visit_request_fn *visit, void *arg)
{
    const struct queue *queue = &c->session->queue;
    struct view view;
    bool whole = true;

    if (c->command->fn != cmd_exec)
        return visit(c, NULL, 0, arg);
    view_begin(&view, c);
    for (size_t i = 0; i < queue->count && whole; i++) {
        const struct queued *q = queue->items[i];
        struct call each = *c;
        each.store = view_store(&view, view.selected);
        each.command = q->command;
        each.argv = q->argv;
        each.argc = q->argc;
        each.listed = listed_at(c->session, i);
        whole = visit(&each, &view, i, arg);
        view_follow(&view, q);
    }
    view_end(&view);
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
keys_are_known(struct call *each, const struct view *view, size_t at, void *arg)
{
    (void)at;
    return walk_keys(each, view, is_known, arg);
}

static bool
request_is_known(struct call *each, const struct view *view, size_t at, void *arg)
{
    return keys_are_known(each, view, at, arg) && scan_is_known(each);
}

/* Most requests name keys of a store that is wholly in memory, and of no other. */
static bool
is_of_complete_store(const struct call *c)
{
    return store_is_complete(c->store) && c->command->fn != cmd_exec
           && !(c->command->flags & CMD_KEYARGS);
}

bool
needs_are_known(struct call *c)
{
    if (is_of_complete_store(c))
        return true;
    return walk_watched(c, is_known, NULL) && walk_requests(c, request_is_known, NULL);
}

/* --- finding out --- */

/* Ends where a listing has to be waited for. */
static bool
list(struct call *each, const struct view *view, size_t at, void *arg)
{
    (void)view;
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
collect_keys(struct call *each, const struct view *view, size_t at, void *arg)
{
    (void)at;
    return walk_keys(each, view, collect, arg);
}

/* Parks the session until the keys are known that are named. */
static void
fetch(struct call *c)
{
    struct collection all = {0};

    walk_watched(c, collect, &all);
    walk_requests(c, collect_keys, &all);
    all.keys = arena_alloc(c->scratch, all.count * sizeof *all.keys);
    all.count = 0;
    walk_watched(c, collect, &all);
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
    if (walk_watched(c, is_known, NULL) && walk_requests(c, keys_are_known, NULL))
        return false;
    fetch(c);
    return true;
}
