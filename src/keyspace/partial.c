/*
 * Partial entries: what a start found in the log are patches of a value that is in the
 * table. It is not read for them, so that a start takes no longer; they are carried out
 * when the value is wanted, on whatever the table has by then: it may have some of them.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/keyspace_priv.h"
#include "value/patch.h"
#include <assert.h>

void
store_set_partial(struct store *s, struct entry *e, bool partial)
{
    s->npartial += partial - e->partial;
    e->partial = partial;
}

/* Takes over what a patch says besides the bytes. */
static void
take_head(struct store *s, struct entry *e, const struct patch *p)
{
    e->type = p->type & ENTRY_TYPE_MAX;
    store_place_deadline(s, e, e->deadline, p->deadline);
}

/* Carries a patch out on an entry that has a value. */
static int
carry_out(struct store *s, struct entry *e, struct bytes patch)
{
    struct patch p;

    if (patch_decode(patch, &p) != 0)
        return -1;
    size_t old_len = e->value_len, len = patch_length(&p, old_len);
    if (len > old_len)
        e = store_resize(s, e, len);
    patch_write(&p, entry_value(e), old_len);
    take_head(s, e, &p);
    return 0;
}

/* Keeps a patch with those before it. */
static int
keep(struct store *s, struct entry *e, struct bytes patch)
{
    uint32_t len = (uint32_t)patch.len;
    size_t end = e->value_len;
    struct patch p;

    if (patch_decode(patch, &p) != 0 || patch.len > UINT32_MAX - sizeof len - end)
        return -1;
    e = store_resize(s, e, end + sizeof len + patch.len);
    memcpy(entry_value(e) + end, &len, sizeof len);
    memcpy(entry_value(e) + end + sizeof len, patch.data, patch.len);
    take_head(s, e, &p);
    return 0;
}

int
store_load_patch(struct store *s, struct bytes key, uint32_t hash, struct bytes patch,
                 uint64_t stamp)
{
    struct entry *e = (struct entry *)map_find(&s->entries, hash, key, entry_has_key);

    if (e != NULL ? entry_is_absent(e) : s->complete)
        return -1;
    if (e == NULL) {
        e = store_insert(s, key, hash, ENTRY_ABSENT, 0);
        store_set_partial(s, e, true);
    }
    e->stamp = stamp;
    return e->partial ? keep(s, e, patch) : carry_out(s, e, patch);
}

static bool
next_kept(struct bytes *kept, struct patch *out)
{
    uint32_t len;

    if (kept->len == 0)
        return false;
    memcpy(&len, kept->data, sizeof len);
    struct bytes patch = bytes_of(kept->data + sizeof len, len);
    int failed = patch_decode(patch, out);
    assert(!failed);
    *kept = bytes_of(patch.data + len, kept->len - sizeof len - len);
    return true;
}

/* There may be a million of them, but the entry grows once. */
static void
carry_out_kept(struct store *s, struct entry *e, struct bytes kept)
{
    size_t len = e->value_len, end = len;
    struct patch p;

    for (struct bytes rest = kept; next_kept(&rest, &p);)
        end = patch_length(&p, end);
    e = store_resize(s, e, end);
    while (next_kept(&kept, &p)) {
        patch_write(&p, entry_value(e), len);
        len = patch_length(&p, len);
    }
    take_head(s, e, &p);
}

int
store_take(struct store *s, struct bytes key, const struct record *record)
{
    struct entry *e = store_entry(s, key);
    struct buf kept = {0};

    assert(!store_knows(s, key));
    if (e == NULL) {
        store_load(s, key, map_hash(key), record, 0);
        return 0;
    }
    if (record == NULL)
        return -1;
    buf_append(&kept, entry_value(e), e->value_len);
    store_load(s, key, e->node.hash, record, e->stamp);
    carry_out_kept(s, store_entry(s, key), buf_bytes(&kept));
    buf_deinit(&kept);
    return 0;
}
