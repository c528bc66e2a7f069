/*
 * What a start takes into memory: a store for each row of the catalog, and the changes of the
 * log that the tables do not have.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
#include <stdlib.h>

#define EFFECT_BYTES 128         /* of log, taken for a common effect */
#define EXPECT_FROM  (64 * 1024) /* entries of a store, before more are expected */

/* What a replay keeps between effects. */
struct loader {
    struct keyspace *keyspace;
    struct map by_id;   /* of struct numbered: ids grow with all stores there ever were */
    struct store *last; /* the store of the effect before: most have the same */
    int64_t neffects, nnew; /* so far; and how many of them made a key */
    int64_t most;           /* there can be about so many, at the most */
    int failed;
};

struct numbered {
    struct map_node node;
    uint32_t id;
    struct store *store;
};

static struct bytes
id_bytes(const uint32_t *id)
{
    return bytes_of((const char *)id, sizeof *id);
}

static bool
has_id(const struct map_node *node, struct bytes id)
{
    return bytes_eq(id_bytes(&((const struct numbered *)node)->id), id);
}

static struct numbered *
find_id(const struct loader *l, uint32_t id)
{
    struct bytes bytes = id_bytes(&id);

    return (struct numbered *)map_find(&l->by_id, map_hash(bytes), bytes, has_id);
}

static void
note_id(struct loader *l, struct store *s)
{
    struct numbered *n = find_id(l, s->id);

    if (n == NULL) {
        n = xcalloc(1, sizeof *n);
        n->id = s->id;
        map_insert(&l->by_id, &n->node, map_hash(id_bytes(&n->id)));
    }
    n->store = s;
}

static void
forget_id(struct map_node *node, void *arg)
{
    map_remove(arg, node);
    free(node);
}

static void
load_row(void *arg, const struct storage_row *row)
{
    struct loader *l = arg;
    struct store *s = store_new(l->keyspace, row->name);

    s->id = row->id;
    note_id(l, s);
    s->count = row->count;
    s->expires = row->expires;
    s->complete = row->count == 0;
    s->keep_absent = false;
}

/* The store with this id; NULL where there is none. */
static struct store *
store_with_id(struct loader *l, uint32_t id)
{
    if (l->last != NULL && l->last->id == id)
        return l->last;
    const struct numbered *n = find_id(l, id);
    l->last = n != NULL && n->store->id == id ? n->store : NULL;
    return l->last;
}

/* Gives the name to the store with this id. Who had the name gets its old one, until the
 * next effect says what it is called. */
static struct store *
name_store(struct loader *l, uint32_t id, struct bytes name)
{
    struct store *named = store_named(l->keyspace, name), *old = store_with_id(l, id);

    if (named == NULL)
        named = store_new(l->keyspace, name);
    if (old != NULL && old != named) {
        store_exchange(old, named);
        note_id(l, old);
    }
    named->id = id;
    note_id(l, named);
    return named;
}

static struct store *
loaded_store(struct loader *l, const struct effect *e)
{
    if (e->kind == EFFECT_CREATE)
        return name_store(l, e->store, e->key);
    return store_with_id(l, e->store);
}

static int
load_key(struct store *s, const struct replayed *change, uint64_t number)
{
    const struct effect *e = &change->effect;
    struct record record;

    if (e->kind == EFFECT_PATCH)
        return store_load_patch(s, e->key, change->hash, e->record, number);
    if (e->kind == EFFECT_PUT && record_decode(e->record, &record) != 0)
        return -1;
    store_load(s, e->key, change->hash, e->kind == EFFECT_PUT ? &record : NULL, number);
    return 0;
}

/* Makes room for what a store that grows will have in the end, if the rest of the log is
 * like its beginning: so that entries are not moved again and again. */
static void
expect_entries(const struct loader *l, struct store *s)
{
    if (s->entries.count < EXPECT_FROM || !map_is_full(&s->entries)
        || l->neffects >= l->most)
        return;
    double rest = (double)l->most / (double)l->neffects - 1;
    double entries = (double)s->entries.count * (1 + rest);
    double keys = (double)s->count + (double)l->nnew * rest;
    map_reserve(&s->entries, (size_t)(entries < keys ? entries : keys));
}

static void
load_change(struct loader *l, uint64_t number, const struct replayed *change)
{
    const struct effect *e = &change->effect;
    struct store *s = loaded_store(l, e);

    if (s == NULL) {
        l->failed = -1;
        return;
    }
    l->neffects++;
    l->nnew += (e->flags & EFFECT_NEW) != 0;
    expect_entries(l, s);
    effect_count(e, &s->count, &s->expires);
    s->stamp = number;
    if (e->kind == EFFECT_FLUSH || (e->kind == EFFECT_DELETE && s->count == 0))
        store_empty(s, number);
    else if (e->kind != EFFECT_CREATE && load_key(s, change, number) != 0)
        l->failed = -1;
}

static void
prefetch_changes(struct loader *l, const struct replayed *changes, size_t count)
{
    const struct store *s = store_with_id(l, changes[0].effect.store);
    uint32_t hashes[REPLAY_GROUP] = {0};

    for (size_t i = 0; i < count; i++) {
        __builtin_prefetch(changes[i].effect.record.data);
        hashes[i] = changes[i].hash;
    }
    /* Most groups are of one store; the others are as right, only slower. */
    if (s != NULL)
        map_prefetch(&s->entries, hashes, count);
}

static void
load_changes(void *arg, uint64_t number, const struct replayed *changes, size_t count)
{
    struct loader *l = arg;

    prefetch_changes(l, changes, count);
    for (size_t i = 0; i < count; i++)
        load_change(l, number, &changes[i]);
}

int
keyspace_load(struct keyspace *ks)
{
    struct loader loader = {.keyspace = ks};
    struct storage_stats stats;

    int64_t begin_us = clock_mono_us();
    storage_stats(ks->storage, &stats);
    loader.most = stats.log_bytes / EFFECT_BYTES;
    bool loaded = storage_rows(ks->storage, load_row, &loader) == 0
                  && storage_replay(ks->storage, load_changes, &loader) == 0;
    map_each(&loader.by_id, forget_id, &loader.by_id);
    log_line(LOG_NOTICE, "Log replayed: %lld changes, %.3f seconds",
             (long long)loader.neffects, (double)(clock_mono_us() - begin_us) / 1e6);
    if (loader.failed)
        log_line(LOG_WARNING, "The log has a change that this keyvald cannot read");
    return loaded ? loader.failed : -1;
}
