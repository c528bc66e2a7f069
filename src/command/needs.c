/*
 * needs: a request's keys stand where its row in commands.def says. EXEC's are those of
 * the queued requests, in the stores that will be selected when it is their turn.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/needs.h"

#include "base/arena.h"
#include "command/call.h"
#include "command/host.h"
#include "command/selection.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/fetch.h"
#include "keyspace/keyspace.h"

/* False: the walk is to end. */
typedef bool visit_fn(void *arg, struct store *store, struct bytes key);

static bool
walk_request(struct store *store, const struct command *cmd, const struct bytes *argv,
             int argc, visit_fn *visit, void *arg)
{
    int nkeys = command_nkeys(cmd, argc);

    for (int i = 0; i < nkeys; i++) {
        if (!visit(arg, store, argv[cmd->first + i * cmd->step]))
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

static bool
walk_queue(struct call *c, visit_fn *visit, void *arg)
{
    const struct queue *queue = &c->session->queue;
    struct store *store = c->store;
    bool whole = true;

    store_hold(store);
    for (size_t i = 0; i < queue->count && whole; i++) {
        const struct queued *q = queue->items[i];
        follow_select(c, q, &store);
        whole = walk_request(store, q->command, q->argv, q->argc, visit, arg);
    }
    store_release(store);
    return whole;
}

static bool
walk(struct call *c, visit_fn *visit, void *arg)
{
    if (c->command->fn == cmd_exec)
        return walk_queue(c, visit, arg);
    return walk_request(c->store, c->command, c->argv, c->argc, visit, arg);
}

static bool
is_known(void *arg, struct store *store, struct bytes key)
{
    (void)arg;
    return store_knows(store, key);
}

bool
needs_are_known(struct call *c)
{
    return walk(c, is_known, NULL);
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

void
needs_fetch(struct call *c)
{
    struct collection all = {0};

    walk(c, collect, &all);
    all.keys = arena_alloc(c->scratch, all.count * sizeof *all.keys);
    all.count = 0;
    walk(c, collect, &all);

    session_fetch(c->session, all.keys, all.count);
    for (size_t i = 0; i < all.count; i++)
        store_release(all.keys[i].store);
}
