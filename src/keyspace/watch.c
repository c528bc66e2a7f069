/* Watched keys, for WATCH: a key's watches hang on one node of its store's map. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
#include <stdlib.h>

struct watched_key {
    struct map_node node;
    struct bytes key; /* its own */
    struct watch *first;
};

struct watch {
    struct store *store; /* held */
    struct watched_key *on;
    struct watch *next, *previous;
    bool present;     /* when it began */
    int64_t deadline; /* then; 0: none */
    bool touched;
    bool unsure; /* the store was swapped; touched if it has the key since then */
};

static bool
has_key(const struct map_node *node, struct bytes key)
{
    return bytes_eq(((const struct watched_key *)node)->key, key);
}

static struct watched_key *
find_watched(const struct store *s, struct bytes key)
{
    return (struct watched_key *)map_find(&s->watched, map_hash(key), key, has_key);
}

struct watch *
watch_new(struct store *s, struct bytes key, int64_t now)
{
    struct watch *w = xcalloc(1, sizeof *w);
    const struct entry *e = store_entry(s, key);
    struct watched_key *k = find_watched(s, key);

    if (k == NULL) {
        k = xcalloc(1, sizeof *k);
        k->key = bytes_of(bytes_dup(key), key.len);
        map_insert(&s->watched, &k->node, map_hash(key));
    }
    w->store = s;
    w->on = k;
    w->present = e != NULL && entry_is_live(e, now);
    w->deadline = w->present ? e->deadline : 0;
    w->next = k->first;
    if (k->first != NULL)
        k->first->previous = w;
    k->first = w;
    s->keyspace->stats.watched++;
    store_hold(s);
    return w;
}

void
watch_free(struct watch *w)
{
    struct watched_key *k = w->on;

    if (w->previous != NULL)
        w->previous->next = w->next;
    else
        k->first = w->next;
    if (w->next != NULL)
        w->next->previous = w->previous;
    if (k->first == NULL) {
        map_remove(&w->store->watched, &k->node);
        free((char *)k->key.data);
        free(k);
    }
    w->store->keyspace->stats.watched--;
    store_release(w->store);
    free(w);
}

bool
watch_is_unsure(const struct watch *w, struct store **store, struct bytes *key)
{
    *store = w->store;
    *key = w->on->key;
    return w->unsure && !w->touched;
}

bool
watch_is_touched(struct watch *w, int64_t now)
{
    if (w->unsure)
        w->touched = w->touched || store_peek(w->store, w->on->key, now) != NULL;
    w->unsure = false;
    /* The answer tells of a change, which may not be safe yet. */
    if (w->touched)
        store_count(w->store);
    return w->touched || (w->deadline != 0 && now > w->deadline);
}

bool
watch_is_of(const struct watch *w, const struct store *s, struct bytes key)
{
    return w->store == s && bytes_eq(w->on->key, key);
}

void
watch_touch(struct store *s, struct bytes key)
{
    struct watched_key *k = find_watched(s, key);

    /* That a key goes that had expired when the watch began is no change. */
    for (struct watch *w = k == NULL ? NULL : k->first; w != NULL; w = w->next)
        w->touched |= w->present || w->unsure || !s->keyspace->expiring;
}

static void
touch_present(struct map_node *node, void *arg)
{
    (void)arg;
    for (struct watch *w = ((struct watched_key *)node)->first; w != NULL; w = w->next)
        w->touched = w->touched || w->present;
}

void
watch_touch_all(struct store *s)
{
    map_each(&s->watched, touch_present, NULL);
}

struct swap {
    const struct store *other; /* whose keys come */
    int64_t now;
};

/* A key that has expired does not come. Where one is not known to come, it is found out when
 * it matters; until then what changes it touches the watch. */
static void
touch_swapped(struct map_node *node, void *arg)
{
    const struct watched_key *k = (const struct watched_key *)node;
    const struct swap *swap = arg;
    const struct entry *e = store_entry(swap->other, k->key);
    bool is_known = e != NULL || swap->other->complete;
    bool comes = e != NULL && entry_is_live(e, swap->now);

    for (struct watch *w = k->first; w != NULL; w = w->next) {
        w->touched = w->touched || w->present || w->unsure || comes;
        w->unsure = !is_known;
    }
}

void
watch_touch_swapped(struct store *s, const struct store *other, int64_t now)
{
    struct swap swap = {other, now};

    map_each(&s->watched, touch_swapped, &swap);
}
