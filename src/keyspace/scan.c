/* See keyspace.h: the keys of a store as memory has them, walked over. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/random.h"
#include "keyspace/keyspace_priv.h"
#include <assert.h>

void
store_look_at_all(struct store *s)
{
    keyspace_see(s->keyspace, s->stamp);
    keyspace_see(s->keyspace, s->named_at);
}

/* --- in the order of their places --- */

struct scan {
    int64_t now;
    store_key_fn *visit;
    void *arg;
};

static void
tell(struct map_node *node, void *arg)
{
    struct scan *scan = arg;
    struct entry *e = (struct entry *)node;

    if (entry_is_live(e, scan->now))
        scan->visit(scan->arg, entry_key(e), entry_type(e));
}

uint32_t
store_scan(struct store *s, uint32_t place, int64_t now, store_key_fn *visit, void *arg)
{
    struct scan scan = {now, visit, arg};

    assert(s->complete);
    store_look_at_all(s);
    return map_scan(&s->entries, place, tell, &scan);
}

void
store_each(struct store *s, int64_t now, store_key_fn *visit, void *arg)
{
    struct scan scan = {now, visit, arg};

    assert(s->complete);
    store_look_at_all(s);
    map_each(&s->entries, tell, &scan);
}

/* --- by chance --- */

struct draw {
    int64_t now;
    uint64_t left; /* live entries before the one that is drawn */
    uint64_t count;
    struct entry *drawn;
};

static void
count(struct map_node *node, void *arg)
{
    struct draw *draw = arg;

    draw->count += entry_is_live((struct entry *)node, draw->now);
}

static void
take(struct map_node *node, void *arg)
{
    struct draw *draw = arg;
    struct entry *e = (struct entry *)node;

    if (entry_is_live(e, draw->now) && draw->left-- == 0)
        draw->drawn = e;
}

/* From a slot drawn by chance to the next one that has a live entry. */
struct entry *
store_random(struct store *s, int64_t now, size_t max_slots)
{
    struct draw draw = {.now = now};
    uint64_t number = random_number();
    uint32_t place = map_scan_start(&s->entries, (uint32_t)number), here = place;
    size_t most = map_walk_end(&s->entries) + 1; /* once round */

    store_look_at_all(s);
    if (max_slots > most)
        max_slots = most;
    for (size_t i = 0; i < max_slots && draw.count == 0; i++) {
        here = place;
        place = map_scan(&s->entries, here, count, &draw);
    }
    if (draw.count == 0)
        return NULL;
    draw.left = (number >> 32) % draw.count;
    map_scan(&s->entries, here, take, &draw);
    assert(draw.drawn != NULL);
    return draw.drawn;
}
