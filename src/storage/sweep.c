/* See sweep.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/sweep.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/order.h"
#include <assert.h>
#include <endian.h>
#include <stdlib.h>

/* What the first pass over the effects knows. */
struct gather {
    struct sweep *sweep;
    struct tables *tables;
    struct table *last; /* the table of the effect before: most have the same */
    size_t cap;
    uint32_t order;
};

static struct table *
table_of(struct gather *g, const struct effect *e)
{
    if (g->last != NULL && g->last->id == e->store)
        return g->last;

    struct table *t = tables_find(g->tables, e->store);
    if (t == NULL && e->kind == EFFECT_CREATE)
        t = tables_add(g->tables, e->store, e->key);
    if (t != NULL && !t->touched) {
        t->touched = true;
        t->flushed = false;
        t->flushed_at = 0;
        t->new_count = t->count;
        t->new_expires = t->expires;
        t->new_name = t->name;
        t->first_key = bytes_of(NULL, 0);
        t->next_touched = g->sweep->touched;
        g->sweep->touched = t;
    }
    g->last = t;
    return t;
}

static void
share_prefix(struct table *t, struct bytes key)
{
    size_t len = 0;

    if (t->first_key.data == NULL) {
        t->first_key = key;
        t->prefix_len = key.len;
        return;
    }
    while (len < t->prefix_len && len < key.len && t->first_key.data[len] == key.data[len])
        len++;
    t->prefix_len = len;
}

static void
add_change(struct gather *g, struct table *t, const char *at, size_t len, bool patch)
{
    struct sweep *s = g->sweep;

    assert(len <= UINT32_MAX);
    if (s->nchanges == g->cap) {
        g->cap = g->cap == 0 ? 1024 : 2 * g->cap;
        s->changes = xrealloc(s->changes, g->cap * sizeof *s->changes);
    }
    s->changes[s->nchanges++] = (struct change){
        .table = t, .at = at, .order = g->order, .len = (uint32_t)len, .patch = patch};
}

static int
gather_batch(struct gather *g, struct bytes rest)
{
    const char *at = rest.data;
    struct effect e;
    int more;

    for (; (more = effect_next(&rest, &e)) == 1; at = rest.data) {
        struct table *t = table_of(g, &e);
        if (t == NULL)
            break;
        g->order++;
        if (e.store > g->sweep->max_id)
            g->sweep->max_id = e.store;
        effect_count(&e, &t->new_count, &t->new_expires);
        if (e.kind == EFFECT_CREATE) {
            t->new_name = e.key;
        } else if (e.kind == EFFECT_FLUSH) {
            t->flushed = true;
            t->flushed_at = g->order;
        } else {
            share_prefix(t, e.key);
            add_change(g, t, at, (size_t)(rest.data - at), e.kind == EFFECT_PATCH);
        }
    }
    if (more == 0)
        return 0;
    log_line(LOG_WARNING, "The log has an effect for a store that is not in the catalog");
    return -1;
}

static int
gather_chunks(struct gather *g, const struct chunk *chunks)
{
    struct wal_batch batch;

    for (const struct chunk *c = chunks; c != NULL; c = c->next) {
        struct bytes batches = c->batches;
        while (chunk_next(&batches, &batch)) {
            if (gather_batch(g, batch.effects) != 0)
                return -1;
        }
        g->sweep->number = c->number;
    }
    return 0;
}

/* A store without keys has no file, whichever way it lost them. -1: the counts cannot
 * be. */
static int
flush_empty(struct sweep *s)
{
    for (struct table *t = s->touched; t != NULL; t = t->next_touched) {
        if (t->new_count < 0) {
            log_line(LOG_WARNING, "The log removes more keys than the catalog has");
            return -1;
        }
        if (t->new_count == 0) {
            t->flushed = true;
            t->flushed_at = UINT32_MAX;
        }
    }
    return 0;
}

static uint64_t
rank_of(struct bytes key, size_t prefix_len)
{
    uint64_t rank = 0;
    size_t len = key.len - prefix_len < sizeof rank ? key.len - prefix_len : sizeof rank;

    memcpy(&rank, key.data + prefix_len, len);
    return be64toh(rank);
}

static void
drop_flushed(struct sweep *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->nchanges; i++) {
        struct change c = s->changes[i];
        if (c.order <= c.table->flushed_at)
            continue;
        struct bytes key = change_effect(&c).key;
        c.rank = rank_of(key, c.table->prefix_len);
        c.tail_len = (uint32_t)(key.len - c.table->prefix_len);
        s->changes[kept++] = c;
    }
    s->nchanges = kept;
}

static void
keep_last_of_each_key(struct sweep *s)
{
    size_t kept = 0, first = 0; /* of those kept, the first of this key */

    for (size_t i = 0; i < s->nchanges; i++) {
        struct change c = s->changes[i];
        if (kept == 0 || s->changes[kept - 1].table != c.table
            || order_keys(&s->changes[kept - 1], &c) != 0)
            first = kept;
        if (!c.patch)
            kept = first;
        c.follows = kept > first;
        s->changes[kept++] = c;
    }
    s->nchanges = kept;
}

int
sweep_build(struct sweep *s, struct tables *tables, const struct chunk *chunks)
{
    struct gather g = {.sweep = s, .tables = tables};

    *s = (struct sweep){0};
    if (gather_chunks(&g, chunks) != 0 || flush_empty(s) != 0) {
        sweep_free(s);
        return -1;
    }
    drop_flushed(s);
    order_changes(s->changes, s->nchanges);
    keep_last_of_each_key(s);
    return 0;
}

void
sweep_free(struct sweep *s)
{
    for (struct table *t = s->touched; t != NULL; t = t->next_touched)
        t->touched = false;
    free(s->changes);
}

struct effect
change_effect(const struct change *c)
{
    struct bytes rest = bytes_of(c->at, c->len);
    struct effect e;
    int one = effect_next(&rest, &e);

    assert(one == 1);
    return e;
}
