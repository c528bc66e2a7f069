/* A store and its entries in memory: their life, looking up, what comes from the disk. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
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

void
store_place_deadline(struct store *s, struct entry *e, int64_t old, int64_t fresh)
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
    store_place_deadline(s, e, e->deadline, 0);
    store_set_partial(s, e, false);
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
    map_each(&s->entries, forget_node, s);
}

void
store_free(struct store *s)
{
    struct keyspace *ks = s->keyspace;

    assert(s->holds == 0 && s->watched.count == 0 && s->listings == NULL);
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
    /* Where it had keys until it was swapped, misses still have to tell of that. */
    if (--s->holds == 0 && s->id == 0 && s->stamp == 0)
        store_free(s);
}

/* --- what it is --- */

void
keyspace_see(struct keyspace *ks, uint64_t stamp)
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
    keyspace_see(s->keyspace, s->stamp);
    return s->count;
}

int64_t
store_expires(const struct store *s)
{
    keyspace_see(s->keyspace, s->stamp);
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

void
store_overhead(const struct store *s, struct store_overhead *out)
{
    *out = (struct store_overhead){
        .slots = (int64_t)map_memory(&s->entries),
        .deadlines = (int64_t)(s->deadlines.cap * sizeof(struct heap_item)),
    };
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
    if (s->complete)
        return true;
    const struct entry *e = store_entry(s, key);
    return e != NULL && !e->partial;
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
store_peek(struct store *s, struct bytes key, int64_t now)
{
    struct entry *e = store_entry(s, key);

    keyspace_see(s->keyspace, s->named_at);
    if (e == NULL) {
        assert(s->complete);
        keyspace_see(s->keyspace, s->bare_until);
        return NULL;
    }
    assert(!e->partial);
    keyspace_see(s->keyspace, e->stamp);
    if (entry_is_absent(e))
        return NULL;
    if (entry_is_live(e, now))
        return e;
    if (!expiry_is_held(s->keyspace))
        store_expire(s, e);
    return NULL;
}

struct entry *
store_find(struct store *s, struct bytes key, int64_t now)
{
    struct entry *e = store_peek(s, key, now);

    s->keyspace->seconds = (uint32_t)(now / 1000);
    if (e != NULL) {
        e->referenced = true;
        e->looked = s->keyspace->seconds & ENTRY_LOOKED_MAX;
    }
    return e;
}

/* --- entries --- */

/* Puts fresh in the place of an entry that is in memory at `old`, or may have been until
 * now. */
static void
replace(struct store *s, uintptr_t old, struct entry *fresh, uint32_t hash)
{
    map_replace(&s->entries, old, &fresh->node, hash);
    if (fresh->deadline != 0)
        heap_rename(&s->deadlines, fresh->heap_index, fresh);
}

struct entry *
store_resize(struct store *s, struct entry *e, size_t value_len)
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

struct entry *
store_insert(struct store *s, struct bytes key, uint32_t hash, uint8_t type,
             size_t value_len)
{
    struct entry *e = entry_new(key, type, value_len);

    map_insert(&s->entries, &e->node, hash);
    e->looked = s->keyspace->seconds & ENTRY_LOOKED_MAX;
    note_memory(s, e, +1);
    return e;
}

struct entry *
store_make_room(struct store *s, struct entry *e, size_t value_len, struct entry **old)
{
    *old = NULL;
    if (entry_fits(e, value_len)) {
        e->value_len = (uint32_t)value_len;
        return e;
    }
    struct entry *fresh = entry_new(entry_key(e), e->type, value_len);
    fresh->node = e->node;
    fresh->stamp = e->stamp;
    fresh->looked = e->looked;
    fresh->deadline = e->deadline;
    fresh->heap_index = e->heap_index;
    note_memory(s, e, -1);
    note_memory(s, fresh, +1);
    replace(s, (uintptr_t)e, fresh, e->node.hash);
    *old = e;
    return fresh;
}

/* As forget_all, in a time that does not depend on their number. */
static void
discard_all(struct store *s)
{
    int64_t before = first_deadline(s);

    heap_deinit(&s->deadlines);
    s->npartial = 0;
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
    listings_break(s);
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
    if (e == NULL) {
        e = store_insert(s, key, hash, type, value.len);
    } else {
        store_set_partial(s, e, false);
        e = store_make_room(s, e, value.len, &old);
    }
    e->type = type & ENTRY_TYPE_MAX;
    e->form = FORM_SET;
    memcpy(entry_value(e), value.data, value.len);
    free(old);
    store_place_deadline(s, e, e->deadline, record == NULL ? 0 : record->deadline);
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
