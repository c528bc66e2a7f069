/*
 * A store's keys: looking up, changing. Every change ends in changed(), which stamps the
 * entry, writes the effect into the batch and tells the watchers.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
#include "storage/effect.h"
#include <assert.h>
#include <stdlib.h>

#define DISCARD_FROM 1000 /* entries: fewer are freed at once */

/* --- life --- */

void
store_heap_place(void *owner, uint32_t index)
{
    ((struct store *)owner)->heap_index = index;
}

static void
place_entry(void *owner, uint32_t index)
{
    ((struct entry *)owner)->heap_index = index;
}

struct store *
store_new(struct keyspace *ks, struct bytes name)
{
    struct store *s = xcalloc(1, sizeof *s);

    assert(name.len <= STORE_NAME_MAX);
    s->keyspace = ks;
    s->name = bytes_of(bytes_dup(name), name.len);
    s->complete = true;
    heap_init(&s->deadlines, place_entry);
    map_insert(&ks->stores, &s->node, map_hash(name));
    if (ks->ring == NULL) {
        ks->ring = s->next = s->previous = s;
    } else {
        s->next = ks->ring->next;
        s->previous = ks->ring;
        s->next->previous = s->previous->next = s;
    }
    return s;
}

static void
note_memory(struct store *s, const struct entry *e, int sign)
{
    s->keyspace->memory += sign * (int64_t)entry_memory(e);
    s->keyspace->nentries += sign;
}

/* 0: it has none. */
static int64_t
first_deadline(const struct store *s)
{
    const struct heap_item *first = heap_first(&s->deadlines);

    return first == NULL ? 0 : first->at;
}

/* The keyspace knows each store by its first deadline, which was `before`. */
static void
note_first_deadline(struct store *s, int64_t before)
{
    int64_t first = first_deadline(s);
    struct heap *stores = &s->keyspace->deadlines;

    if (first == before)
        return;
    if (first == 0)
        heap_remove(stores, s->heap_index);
    else if (before == 0)
        heap_insert(stores, first, s);
    else
        heap_move(stores, s->heap_index, first);
}

/* Brings the deadlines up to date with e, which had one at `old` or none (0). */
static void
place_deadline(struct store *s, struct entry *e, int64_t old, int64_t fresh)
{
    if (old == fresh)
        return;
    int64_t before = first_deadline(s);

    if (old == 0)
        heap_insert(&s->deadlines, fresh, e);
    else if (fresh == 0)
        heap_remove(&s->deadlines, e->heap_index);
    else
        heap_move(&s->deadlines, e->heap_index, fresh);
    e->deadline = fresh;
    note_first_deadline(s, before);
}

void
store_forget(struct store *s, struct entry *e)
{
    place_deadline(s, e, e->deadline, 0);
    map_remove(&s->entries, &e->node);
    note_memory(s, e, -1);
    free(e);
}

static void
forget_node(struct map_node *node, void *arg)
{
    store_forget(arg, (struct entry *)node);
}

static void
forget_all(struct store *s)
{
    while (s->entries.count > 0) {
        for (size_t at = 0; at < map_walk_end(&s->entries); at++)
            map_walk(&s->entries, at, forget_node, s);
    }
}

void
store_free(struct store *s)
{
    struct keyspace *ks = s->keyspace;

    assert(s->holds == 0 && s->watched.count == 0);
    forget_all(s);
    map_remove(&ks->stores, &s->node);
    if (ks->ring == s)
        ks->ring = s->next == s ? NULL : s->next;
    s->next->previous = s->previous;
    s->previous->next = s->next;
    map_deinit(&s->entries);
    map_deinit(&s->watched);
    heap_deinit(&s->deadlines);
    free((char *)s->name.data);
    free(s);
}

void
store_hold(struct store *s)
{
    s->holds++;
}

void
store_release(struct store *s)
{
    assert(s->holds > 0);
    if (--s->holds == 0 && s->id == 0)
        store_free(s);
}

/* --- what it is --- */

static void
see(struct keyspace *ks, uint64_t stamp)
{
    if (stamp > ks->seen)
        ks->seen = stamp;
}

struct bytes
store_name(const struct store *s)
{
    return s->name;
}

uint32_t
store_id(const struct store *s)
{
    return s->id;
}

int64_t
store_count(const struct store *s)
{
    see(s->keyspace, s->stamp);
    return s->count;
}

int64_t
store_expires(const struct store *s)
{
    see(s->keyspace, s->stamp);
    return s->expires;
}

int64_t
store_resident(const struct store *s)
{
    return (int64_t)s->entries.count;
}

bool
store_is_complete(const struct store *s)
{
    return s->complete;
}

struct keyspace *
store_keyspace(const struct store *s)
{
    return s->keyspace;
}

/* --- looking up --- */

struct entry *
store_entry(const struct store *s, struct bytes key)
{
    return (struct entry *)map_find(&s->entries, map_hash(key), key, entry_has_key);
}

bool
store_knows(const struct store *s, struct bytes key)
{
    return s->complete || store_entry(s, key) != NULL;
}

void
store_prefetch(const struct store *s, const struct bytes *keys, size_t count)
{
    uint32_t hashes[STORE_PREFETCH_MAX];

    assert(count <= STORE_PREFETCH_MAX);
    for (size_t i = 0; i < count; i++)
        hashes[i] = map_hash(keys[i]);
    map_prefetch(&s->entries, hashes, count);
}

struct entry *
store_find(struct store *s, struct bytes key, int64_t now)
{
    struct entry *e = store_entry(s, key);

    if (e == NULL) {
        assert(s->complete);
        see(s->keyspace, s->bare_until);
        return NULL;
    }
    see(s->keyspace, e->stamp);
    e->referenced = true;
    if (entry_is_absent(e))
        return NULL;
    if (e->deadline != 0 && now > e->deadline) {
        s->keyspace->stats.expired++;
        store_delete(s, e);
        return NULL;
    }
    return e;
}

/* --- changing --- */

/* Puts fresh in the place of an entry that is in memory at `old`, or may have been until
 * now. */
static void
replace(struct store *s, uintptr_t old, struct entry *fresh, uint32_t hash)
{
    map_replace(&s->entries, old, &fresh->node, hash);
    if (fresh->deadline != 0)
        heap_rename(&s->deadlines, fresh->heap_index, fresh);
}

/* Gives e another length of value; what fits of the old value stays. */
static struct entry *
resize(struct store *s, struct entry *e, size_t value_len)
{
    uintptr_t old = (uintptr_t)e;
    uint32_t hash = e->node.hash;

    note_memory(s, e, -1);
    e = entry_resize(e, value_len);
    note_memory(s, e, +1);
    if ((uintptr_t)e != old)
        replace(s, old, e, hash);
    return e;
}

static struct entry *
insert(struct store *s, struct bytes key, uint32_t hash, uint8_t type, size_t value_len)
{
    struct entry *e = entry_new(key, type, value_len);

    map_insert(&s->entries, &e->node, hash);
    note_memory(s, e, +1);
    return e;
}

/* An entry of that length in the place of e, for a value that may lie in e: the caller
 * fills it in and frees *old, which is NULL where e was kept. */
static struct entry *
make_room(struct store *s, struct entry *e, size_t value_len, struct entry **old)
{
    *old = NULL;
    if (entry_fits(e, value_len)) {
        e->value_len = (uint32_t)value_len;
        return e;
    }
    struct entry *fresh = entry_new(entry_key(e), e->type, value_len);
    fresh->node = e->node;
    fresh->deadline = e->deadline;
    fresh->heap_index = e->heap_index;
    note_memory(s, e, -1);
    note_memory(s, fresh, +1);
    replace(s, (uintptr_t)e, fresh, e->node.hash);
    *old = e;
    return fresh;
}

/* The one place every change of a key comes through. e is as it is now (absent:
 * deleted). */
static void
changed(struct store *s, struct entry *e, bool existed, int64_t old_deadline)
{
    struct keyspace *ks = s->keyspace;
    struct effect effect = {.kind = EFFECT_PUT, .store = s->id, .key = entry_key(e)};
    char head[RECORD_HEAD_MAX];
    size_t head_len = 0, value_len = 0;

    if (existed && old_deadline != 0)
        effect.flags |= EFFECT_HAD_DEADLINE;
    if (entry_is_absent(e)) {
        effect.kind = EFFECT_DELETE;
    } else {
        head_len = record_head(head, entry_type(e), e->deadline);
        value_len = e->value_len;
        effect.flags |= existed ? 0 : EFFECT_NEW;
        effect.flags |= e->deadline != 0 ? EFFECT_HAS_DEADLINE : 0;
    }
    effect_begin(&ks->batch, effect.kind, effect.flags, s->id, effect.key,
                 head_len + value_len);
    buf_append(&ks->batch, head, head_len);
    buf_append(&ks->batch, entry_value(e), value_len);

    effect_count(&effect, &s->count, &s->expires);
    e->stamp = s->stamp = ks->next;
    see(ks, ks->next);
    if (s->watched.count > 0)
        watch_touch(s, entry_key(e));
}

/* A store has an id and stands in the log before its first key does. */
static void
announce(struct store *s)
{
    if (s->count > 0)
        return;
    if (s->id == 0)
        s->id = storage_new_store(s->keyspace->storage);
    effect_begin(&s->keyspace->batch, EFFECT_CREATE, 0, s->id, s->name, 0);
}

void
store_set(struct store *s, struct bytes key, struct bytes value, int64_t deadline)
{
    uint32_t hash = map_hash(key);
    struct entry *e = (struct entry *)map_find(&s->entries, hash, key, entry_has_key);
    struct entry *old = NULL;
    bool existed = e != NULL && !entry_is_absent(e);
    int64_t old_deadline = existed ? e->deadline : 0;

    announce(s);
    if (e == NULL)
        e = insert(s, key, hash, TYPE_STRING, value.len);
    else
        e = make_room(s, e, value.len, &old);
    e->type = TYPE_STRING;
    memmove(entry_value(e), value.data, value.len);
    free(old);
    place_deadline(s, e, old_deadline, deadline);
    changed(s, e, existed, old_deadline);
}

struct entry *
store_append(struct store *s, struct entry *e, struct bytes more)
{
    size_t len = e->value_len;

    e = resize(s, e, len + more.len);
    memcpy(entry_value(e) + len, more.data, more.len);
    changed(s, e, true, e->deadline);
    return e;
}

void
store_set_deadline(struct store *s, struct entry *e, int64_t deadline)
{
    int64_t old = e->deadline;

    place_deadline(s, e, old, deadline);
    changed(s, e, true, old);
}

void
store_delete(struct store *s, struct entry *e)
{
    int64_t old_deadline = e->deadline;

    assert(!entry_is_absent(e));
    place_deadline(s, e, old_deadline, 0);
    e->type = ENTRY_ABSENT;
    changed(s, e, true, old_deadline);
    if (s->count == 0) {
        store_empty(s, s->keyspace->next);
    } else if (s->complete && !s->keep_absent) {
        s->bare_until = s->keyspace->next;
        store_forget(s, e);
    } else {
        resize(s, e, 0);
    }
}

/* As forget_all, in a time that does not depend on their number. */
static void
discard_all(struct store *s)
{
    int64_t before = first_deadline(s);

    s->deadlines.count = 0;
    note_first_deadline(s, before);
    discard(s->keyspace, &s->entries);
}

void
store_empty(struct store *s, uint64_t stamp)
{
    if (s->entries.count > DISCARD_FROM)
        discard_all(s);
    else
        forget_all(s);
    s->complete = true;
    s->keep_absent = false;
    s->bare_until = stamp;
    s->generation++;
    s->hand = 0;
}

void
store_flush(struct store *s)
{
    struct keyspace *ks = s->keyspace;

    see(ks, s->stamp);
    if (s->count == 0)
        return;
    watch_touch_all(s);
    effect_begin(&ks->batch, EFFECT_FLUSH, 0, s->id, bytes_of(NULL, 0), 0);
    s->count = s->expires = 0;
    s->stamp = ks->next;
    see(ks, ks->next);
    store_empty(s, ks->next);
}

/* --- from the disk --- */

void
store_load(struct store *s, struct bytes key, uint32_t hash, const struct record *record,
           uint64_t stamp)
{
    struct entry *e = (struct entry *)map_find(&s->entries, hash, key, entry_has_key);
    struct entry *old = NULL;
    uint8_t type = record == NULL ? ENTRY_ABSENT : (uint8_t)record->type;
    struct bytes value = record == NULL ? bytes_of("", 0) : record->value;

    if (record == NULL && s->complete && !s->keep_absent) {
        s->bare_until = stamp;
        if (e != NULL)
            store_forget(s, e);
        return;
    }
    if (e == NULL)
        e = insert(s, key, hash, type, value.len);
    else
        e = make_room(s, e, value.len, &old);
    e->type = type;
    memcpy(entry_value(e), value.data, value.len);
    free(old);
    place_deadline(s, e, e->deadline, record == NULL ? 0 : record->deadline);
    e->stamp = stamp;
    if (stamp > s->stamp)
        s->stamp = stamp;
    if (stamp <= s->keyspace->evict_limit)
        s->keyspace->idle_slots = 0;
}

bool
store_may_shrink(struct store *s, uint64_t limit)
{
    if (!s->complete)
        return true;
    s->keep_absent = true;
    return s->bare_until <= limit;
}
