/*
 * Stores get each other's keys. A store stands for its name: sessions and watches refer to
 * it by that. Its keys, its id and its table go together, and go over to another name
 * without being touched.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/keyspace_priv.h"
#include "storage/effect.h"

#define CONTENT offsetof(struct store, id) /* what goes by the id begins here */

static void
leave_deadlines(struct store *s)
{
    if (heap_first(&s->deadlines) != NULL)
        heap_remove(&s->keyspace->deadlines, s->heap_index);
}

static void
join_deadlines(struct store *s)
{
    const struct heap_item *first = heap_first(&s->deadlines);

    if (first != NULL)
        heap_insert(&s->keyspace->deadlines, first->at, s);
}

void
store_exchange(struct store *a, struct store *b)
{
    char content[sizeof(struct store) - CONTENT];
    uint64_t generation = a->generation > b->generation ? a->generation : b->generation;

    listings_exchange(a, b);
    leave_deadlines(a);
    leave_deadlines(b);
    memcpy(content, (char *)a + CONTENT, sizeof content);
    memcpy((char *)a + CONTENT, (char *)b + CONTENT, sizeof content);
    memcpy((char *)b + CONTENT, content, sizeof content);
    join_deadlines(a);
    join_deadlines(b);
    /* A read on its way was of the other's table. */
    a->generation = b->generation = generation + 1;
}

/* An empty store is announced when it is written to. */
static void
announce_name(struct store *s)
{
    struct keyspace *ks = s->keyspace;

    s->stamp = s->named_at = ks->next;
    if (s->count > 0)
        effect_begin(&ks->batch, EFFECT_CREATE, 0, s->id, s->name, 0);
}

void
store_swap(struct store *a, struct store *b, int64_t now)
{
    /* Also that there is nothing to be done may not be told before it is safe. */
    int64_t count = store_count(a) + store_count(b);

    if (a == b || count == 0)
        return;
    watch_touch_swapped(a, b, now);
    watch_touch_swapped(b, a, now);
    store_exchange(a, b);
    announce_name(a);
    announce_name(b);
    a->keyspace->seen = a->keyspace->next;
}
