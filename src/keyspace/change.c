/*
 * Changing keys. Every change ends in changed(), which stamps the entry, writes the effect
 * into the batch and tells those who want to know.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/keyspace_priv.h"
#include "storage/effect.h"
#include "value/patch.h"
#include <assert.h>
#include <stdlib.h>

#define PATCH_FROM 4096 /* bytes of value; a smaller one is written whole */
#define FILL_BLOCK 4096 /* bytes; stays in the nearest cache */

/* What of a value is new: len bytes from `at` on. */
struct part {
    size_t at, len;
};

#define WHOLE ((struct part){0, SIZE_MAX})

/* Whether a patch tells of the change, rather than the whole record. */
static bool
is_patch(const struct entry *e, bool existed, struct part part)
{
    return existed && e->value_len >= PATCH_FROM && part.len <= e->value_len / 2;
}

/* The one place every change of a key comes through. e is as it is now (absent:
 * deleted). */
static void
changed(struct store *s, struct entry *e, bool existed, int64_t old_deadline,
        struct part part)
{
    struct keyspace *ks = s->keyspace;
    struct effect effect = {.kind = EFFECT_PUT, .store = s->id, .key = entry_key(e)};
    char head[PATCH_HEAD_MAX];
    size_t head_len = 0;

    if (existed && old_deadline != 0)
        effect.flags |= EFFECT_HAD_DEADLINE;
    if (!entry_is_absent(e)) {
        effect.flags |= existed ? 0 : EFFECT_NEW;
        effect.flags |= e->deadline != 0 ? EFFECT_HAS_DEADLINE : 0;
    }
    if (entry_is_absent(e)) {
        effect.kind = EFFECT_DELETE;
        part = (struct part){0, 0};
    } else if (is_patch(e, existed, part)) {
        effect.kind = EFFECT_PATCH;
        head_len = patch_head(head, entry_type(e), e->deadline, part.at);
    } else {
        head_len = record_head(head, entry_type(e), e->deadline);
        part = (struct part){0, e->value_len};
    }
    effect_begin(&ks->batch, effect.kind, effect.flags, s->id, effect.key,
                 head_len + part.len);
    buf_append(&ks->batch, head, head_len);
    buf_append(&ks->batch, entry_value(e) + part.at, part.len);
    if (s->listings != NULL)
        listings_note(s, e, existed, old_deadline);
    effect_count(&effect, &s->count, &s->expires);
    e->stamp = s->stamp = ks->next;
    keyspace_see(ks, ks->next);
    if (s->watched.count > 0)
        watch_touch(s, entry_key(e));
    if (ks->changed != NULL)
        ks->changed(ks->changed_arg, entry_key(e), ks->expiring);
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

static void
tell_created(struct store *s, struct bytes key)
{
    const struct keyspace *ks = s->keyspace;

    if (ks->created != NULL)
        ks->created(ks->told, s, key);
}

/* The entry of that name and hash, absent or not; what has expired is removed. */
static struct entry *
find_to_replace(struct store *s, struct bytes key, uint32_t hash, int64_t now)
{
    struct map_node *node = map_find(&s->entries, hash, key, entry_has_key);
    struct entry *e = (struct entry *)node;

    if (e == NULL || e->deadline == 0 || now <= e->deadline)
        return e;
    store_expire(s, e);
    return (struct entry *)map_find(&s->entries, hash, key, entry_has_key);
}

/* What of a large value is another one now, and WHOLE of a small one. */
static struct part
differing(const char *old, struct bytes value)
{
    size_t from = 0, to = value.len;

    if (value.len < PATCH_FROM)
        return WHOLE;
    while (from < to && old[from] == value.data[from])
        from++;
    while (to > from && old[to - 1] == value.data[to - 1])
        to--;
    return (struct part){from, to - from};
}

/* A value that is being replaced. */
struct setting {
    struct entry *e;   /* whose value is to be written */
    struct entry *old; /* to be freed, where it moved */
    bool existed;
    bool is_as_long; /* the old value stands there and is as long */
    int64_t old_deadline;
};

static struct setting
begin_set(struct store *s, struct bytes key, size_t len, int64_t now)
{
    uint32_t hash = map_hash(key);
    struct setting set = {.e = find_to_replace(s, key, hash, now)};

    set.existed = set.e != NULL && !entry_is_absent(set.e);
    set.old_deadline = set.existed ? set.e->deadline : 0;
    set.is_as_long = set.existed && set.e->value_len == len;
    announce(s);
    if (set.e == NULL)
        set.e = store_insert(s, key, hash, TYPE_STRING, len);
    else
        set.e = store_make_room(s, set.e, len, &set.old);
    set.is_as_long = set.is_as_long && set.old == NULL;
    set.e->type = TYPE_STRING;
    set.e->form = FORM_SET;
    set.e->looked = (uint32_t)(now / 1000) & ENTRY_LOOKED_MAX;
    return set;
}

static void
end_set(struct store *s, const struct setting *set, int64_t deadline, struct part part)
{
    free(set->old);
    store_place_deadline(s, set->e, set->old_deadline, deadline);
    changed(s, set->e, set->existed, set->old_deadline, part);
}

/* Gives whether there was such a key. */
static bool
set(struct store *s, struct bytes key, struct bytes value, int64_t deadline, int64_t now)
{
    struct setting set = begin_set(s, key, value.len, now);
    struct part part = WHOLE;

    if (set.is_as_long)
        part = differing(entry_value(set.e), value);
    memmove(entry_value(set.e), value.data, value.len);
    end_set(s, &set, deadline, part);
    return set.existed;
}

void
store_set(struct store *s, struct bytes key, struct bytes value, int64_t deadline,
          int64_t now)
{
    if (!set(s, key, value, deadline, now))
        tell_created(s, key);
}

/* Writes a value block by block, and gives what of it becomes another one. */
static struct part
fill_blocks(const struct setting *set, store_fill_fn *fill, void *arg)
{
    char block[FILL_BLOCK], *value = entry_value(set->e);
    size_t len = set->e->value_len, first = len, end = 0;

    for (size_t at = 0, n; at < len; at += n) {
        n = len - at < FILL_BLOCK ? len - at : FILL_BLOCK;
        fill(arg, at, block, n);
        if (set->is_as_long && memcmp(value + at, block, n) == 0)
            continue;
        memcpy(value + at, block, n);
        first = first < at ? first : at;
        end = at + n;
    }
    return first < end ? (struct part){first, end - first} : (struct part){0, 0};
}

void
store_fill(struct store *s, struct bytes key, size_t len, store_fill_fn *fill, void *arg,
           int64_t now)
{
    struct setting set = begin_set(s, key, len, now);
    struct part part = fill_blocks(&set, fill, arg);

    end_set(s, &set, 0, set.is_as_long ? part : WHOLE);
    if (!set.existed)
        tell_created(s, key);
}

struct entry *
store_write(struct store *s, struct entry *e, size_t at, struct bytes bytes)
{
    size_t len = e->value_len, end = at + bytes.len;

    if (end > len)
        e = store_resize(s, e, end);
    if (at > len)
        memset(entry_value(e) + len, 0, at - len);
    memcpy(entry_value(e) + at, bytes.data, bytes.len);
    e->form = FORM_RAW;
    changed(s, e, true, e->deadline, (struct part){at, bytes.len});
    return e;
}

void
store_copy(struct store *s, struct bytes key, const struct entry *e, int64_t now)
{
    enum string_form form = entry_form(e);

    set(s, key, entry_string(e), e->deadline, now);
    store_set_form(s, key, form);
    tell_created(s, key);
}

void
store_set_form(struct store *s, struct bytes key, enum string_form form)
{
    store_entry(s, key)->form = form;
}

void
store_set_deadline(struct store *s, struct entry *e, int64_t deadline)
{
    int64_t old = e->deadline;

    store_place_deadline(s, e, old, deadline);
    changed(s, e, true, old, (struct part){0, 0});
}

void
store_delete(struct store *s, struct entry *e)
{
    int64_t old_deadline = e->deadline;

    assert(!entry_is_absent(e));
    store_place_deadline(s, e, old_deadline, 0);
    e->type = ENTRY_ABSENT;
    store_set_partial(s, e, false);
    changed(s, e, true, old_deadline, WHOLE);
    if (s->count == 0) {
        store_empty(s, s->keyspace->next);
    } else if (s->complete && !s->keep_absent) {
        s->bare_until = s->keyspace->next;
        store_forget(s, e);
    } else {
        store_resize(s, e, 0);
    }
}

void
store_expire(struct store *s, struct entry *e)
{
    struct keyspace *ks = s->keyspace;

    ks->stats.expired++;
    keyspace_see(ks, ks->next);
    if (ks->expired != NULL)
        ks->expired(ks->told, s, entry_key(e));
    ks->expiring = true;
    store_delete(s, e);
    ks->expiring = false;
}

void
store_flush(struct store *s)
{
    struct keyspace *ks = s->keyspace;

    keyspace_see(ks, s->stamp);
    if (s->count == 0)
        return;
    watch_touch_all(s);
    effect_begin(&ks->batch, EFFECT_FLUSH, 0, s->id, bytes_of(NULL, 0), 0);
    s->count = s->expires = 0;
    s->stamp = ks->next;
    keyspace_see(ks, ks->next);
    store_empty(s, ks->next);
}
