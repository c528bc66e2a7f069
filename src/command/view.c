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

/* Two stores that have each other's keys afterwards. */
struct exchange {
    struct exchange *before;
    struct store *a, *b; /* held */
};

void
view_begin(struct view *v, struct call *c)
{
    *v = (struct view){.host = c->host, .scratch = c->scratch, .selected = c->store};
    store_hold(v->selected);
}

void
view_end(struct view *v)
{
    for (struct exchange *x = v->exchanges; x != NULL; x = x->before) {
        store_release(x->a);
        store_release(x->b);
    }
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
    struct exchange *x = arena_alloc(v->scratch, sizeof *x);
    *x = (struct exchange){v->exchanges, a, b};
    v->exchanges = x;
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
    for (const struct exchange *x = v->exchanges; x != NULL; x = x->before) {
        if (s == x->a)
            s = x->b;
        else if (s == x->b)
            s = x->a;
    }
    return s;
}
