/* view: see view.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/view.h"

#include "base/arena.h"
#include "command/call.h"
#include "command/host.h"
#include "command/queue.h"
#include "command/selection.h"
#include "command/table.h"
#include "keyspace/keyspace.h"

/* A store that will have the keys of another one, or its own again. */
struct exchanged {
    struct map_node node;
    struct exchanged *next;
    struct store *store; /* held */
    struct store *keys;  /* whose they are now */
};

static struct bytes
address_of(struct store *const *s)
{
    return bytes_of((const char *)s, sizeof *s);
}

static bool
is_of(const struct map_node *node, struct bytes address)
{
    return bytes_eq(address_of(&((const struct exchanged *)node)->store), address);
}

static struct exchanged *
find(const struct view *v, struct store *s)
{
    struct bytes address = address_of(&s);

    return (struct exchanged *)map_find(&v->exchanged, map_hash(address), address, is_of);
}

void
view_begin(struct view *v, struct call *c)
{
    *v = (struct view){.host = c->host, .scratch = c->scratch, .selected = c->store};
    store_hold(v->selected);
}

void
view_end(struct view *v)
{
    for (struct exchanged *x = v->first; x != NULL; x = x->next)
        store_release(x->store);
    map_deinit(&v->exchanged);
    store_release(v->selected);
}

static void
follow_select(struct view *v, const struct queued *q)
{
    struct store *chosen;

    if (selection_store(v->host, q->argv[1], &chosen) != OK)
        return;
    store_release(v->selected);
    v->selected = chosen;
}

/* Takes a store that is held. */
static struct exchanged *
exchanged(struct view *v, struct store *s)
{
    struct exchanged *x = find(v, s);

    if (x != NULL) {
        store_release(s);
        return x;
    }
    x = arena_alloc(v->scratch, sizeof *x);
    *x = (struct exchanged){.next = v->first, .store = s, .keys = s};
    v->first = x;
    map_insert(&v->exchanged, &x->node, map_hash(address_of(&s)));
    return x;
}

static void
follow_swapdb(struct view *v, const struct queued *q)
{
    struct store *a, *b;

    if (selection_store(v->host, q->argv[1], &a) != OK)
        return;
    if (selection_store(v->host, q->argv[2], &b) != OK) {
        store_release(a);
        return;
    }
    struct exchanged *x = exchanged(v, a), *y = exchanged(v, b);
    struct store *keys = x->keys;
    x->keys = y->keys;
    y->keys = keys;
}

void
view_follow(struct view *v, const struct queued *q)
{
    static const struct {
        command_fn *fn;
        void (*follow)(struct view *v, const struct queued *q);
    } ways[] = {
        {cmd_select, follow_select},
        {cmd_swapdb, follow_swapdb},
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (ways[i].fn == q->command->fn)
            ways[i].follow(v, q);
    }
}

struct store *
view_store(const struct view *v, struct store *s)
{
    const struct exchanged *x = find(v, s);

    return x != NULL ? x->keys : s;
}
