/*
 * See tracked.h. A reading stands in one map, where it is found again when the session
 * reads the key once more, and in the list of its key.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/tracked.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"

#define SLOTS_AT_ONCE 64 /* between looks at the clock */

struct reading {
    struct map_node node;
    struct tracked_key *of;
    uint64_t id; /* of the session */
    struct reading *next;
};

struct tracked_key {
    struct map_node node;
    struct reading *first;
    size_t len;
    char text[];
};

/* Nodes that nobody can find any more. */
struct dropped {
    struct dropped *next;
    struct map nodes;
    size_t at; /* the slot to go on with */
};

/* What a reading is found by. */
struct pair {
    const struct tracked_key *key;
    uint64_t id;
};

static struct bytes
text_of(const struct tracked_key *k)
{
    return bytes_of(k->text, k->len);
}

static bool
key_has_text(const struct map_node *node, struct bytes text)
{
    return bytes_eq(text_of((const struct tracked_key *)node), text);
}

static bool
reading_is_of(const struct map_node *node, struct bytes bytes)
{
    const struct reading *r = (const struct reading *)node;
    const struct pair *pair = (const struct pair *)(const void *)bytes.data;

    return r->of == pair->key && r->id == pair->id;
}

static struct tracked_key *
find_key(const struct tracked *t, struct bytes key, uint32_t hash)
{
    return (struct tracked_key *)map_find(&t->keys, hash, key, key_has_text);
}

static struct tracked_key *
add_key(struct tracked *t, struct bytes key, uint32_t hash)
{
    struct tracked_key *k = xmalloc(sizeof *k + key.len);

    k->first = NULL;
    k->len = key.len;
    if (key.len > 0)
        memcpy(k->text, key.data, key.len);
    map_insert(&t->keys, &k->node, hash);
    return k;
}

void
tracked_add(struct tracked *t, struct bytes key, uint64_t id)
{
    uint32_t hash = map_hash(key);
    struct tracked_key *k = find_key(t, key, hash);

    if (k == NULL)
        k = add_key(t, key, hash);
    struct pair pair = {k, id};
    struct bytes bytes = bytes_of((const char *)&pair, sizeof pair);
    hash = map_hash(bytes);
    if (map_find(&t->readings, hash, bytes, reading_is_of) != NULL)
        return;
    struct reading *r = xmalloc(sizeof *r);
    r->of = k;
    r->id = id;
    r->next = k->first;
    k->first = r;
    map_insert(&t->readings, &r->node, hash);
}

static void
forget(struct tracked *t, struct tracked_key *k, tracked_fn *visit, void *arg)
{
    map_remove(&t->keys, &k->node);
    for (struct reading *r = k->first, *next; r != NULL; r = next) {
        next = r->next;
        map_remove(&t->readings, &r->node);
        visit(arg, text_of(k), r->id);
        free(r);
    }
    free(k);
}

void
tracked_forget(struct tracked *t, struct bytes key, tracked_fn *visit, void *arg)
{
    struct tracked_key *k = find_key(t, key, map_hash(key));

    if (k != NULL)
        forget(t, k, visit, arg);
}

static void
keep_one(struct map_node *node, void *arg)
{
    *(struct tracked_key **)arg = (struct tracked_key *)node;
}

void
tracked_forget_any(struct tracked *t, tracked_fn *visit, void *arg)
{
    uint32_t place = (uint32_t)random_number();
    struct tracked_key *k = NULL;

    while (k == NULL)
        place = map_scan(&t->keys, place, keep_one, &k);
    forget(t, k, visit, arg);
}

static void
drop(struct tracked *t, struct map *m)
{
    struct dropped *d = xcalloc(1, sizeof *d);

    d->nodes = *m;
    *m = (struct map){0};
    d->next = t->dropped;
    t->dropped = d;
}

void
tracked_clear(struct tracked *t)
{
    if (t->keys.count == 0)
        return;
    drop(t, &t->readings);
    drop(t, &t->keys);
}

static void
free_node(struct map_node *node, void *arg)
{
    map_remove(arg, node);
    free(node);
}

void
tracked_tidy(struct tracked *t, int64_t until_us)
{
    struct dropped *d;

    while ((d = t->dropped) != NULL) {
        for (int i = 0; i < SLOTS_AT_ONCE && d->nodes.count > 0; i++) {
            if (d->at >= map_walk_end(&d->nodes))
                d->at = 0;
            map_walk(&d->nodes, d->at++, free_node, &d->nodes);
        }
        if (d->nodes.count == 0) {
            t->dropped = d->next;
            free(d);
        }
        if (clock_mono_us() >= until_us)
            return;
    }
}
