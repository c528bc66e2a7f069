/*
 * fake_keyspace: the keyspace room for tests of sessions: a few keys, and a disk that is
 * as slow and as broken as a test wants. It stands in for parts of the room at linking, so
 * a program includes it once; the tests come to no other part.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_FAKE_KEYSPACE_H
#define TESTS_FAKE_KEYSPACE_H

#include "base/mem.h"
#include "keyspace/cursors.h"
#include "keyspace/fetch.h"
#include "keyspace/keyspace.h"
#include "keyspace/listing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 16
#define ASKED_MAX   256

struct store {
    struct keyspace *ks;
    char name[16];
    int holds;
};

struct entry {
    struct store *store; /* NULL: free */
    char key[16];
    char value[64];
};

struct fetch {
    struct keyspace *ks;
    fetch_done_fn *done;
    void *arg;
};

struct keyspace {
    struct store stores[4];
    struct entry entries[ENTRIES_MAX];
    bool is_cold; /* no key is known */
    bool is_slow; /* no writes are taken */
    bool is_failing;
    uint64_t stamp; /* of what is looked at */
    uint64_t seen;
    char asked[ASKED_MAX]; /* "store/key " for each key that was asked for last */
    int nfetches;
    int ncancelled;
    struct fetch *fetch;          /* NULL: none is under way */
    keyspace_changed_fn *changed; /* or NULL */
    void *changed_arg;
};

void
keyspace_tell(struct keyspace *ks, keyspace_told_fn *expired, keyspace_told_fn *created,
              void *arg)
{
    (void)ks;
    (void)expired;
    (void)created;
    (void)arg;
}

void
keyspace_tell_changes(struct keyspace *ks, keyspace_changed_fn *changed, void *arg)
{
    ks->changed = changed;
    ks->changed_arg = arg;
}

uint64_t
keyspace_seen(const struct keyspace *ks)
{
    return ks->seen;
}

void
keyspace_forget_seen(struct keyspace *ks)
{
    ks->seen = 0;
}

bool
keyspace_may_write(struct keyspace *ks)
{
    return !ks->is_slow;
}

bool
keyspace_is_failing(const struct keyspace *ks)
{
    return ks->is_failing;
}

int
keyspace_save(struct keyspace *ks)
{
    return ks->is_failing ? -1 : 0;
}

struct store *
keyspace_store(struct keyspace *ks, struct bytes name)
{
    for (size_t i = 0; i < sizeof ks->stores / sizeof *ks->stores; i++) {
        struct store *s = &ks->stores[i];
        if (s->name[0] == '\0') {
            snprintf(s->name, sizeof s->name, "%.*s", (int)name.len, name.data);
            s->ks = ks;
        }
        if (bytes_eq(bytes_str(s->name), name)) {
            s->holds++;
            return s;
        }
    }
    fail_msg("too many stores");
    return NULL;
}

struct bytes
store_name(const struct store *s)
{
    return bytes_str(s->name);
}

void
store_hold(struct store *s)
{
    s->holds++;
}

void
store_release(struct store *s)
{
    assert_true(s->holds > 0);
    s->holds--;
}

bool
store_knows(const struct store *s, struct bytes key)
{
    (void)key;
    return !s->ks->is_cold;
}

struct entry *
store_find(struct store *s, struct bytes key, int64_t now)
{
    (void)now;
    assert_false(s->ks->is_cold);
    s->ks->seen = s->ks->stamp;
    for (int i = 0; i < ENTRIES_MAX; i++) {
        struct entry *e = &s->ks->entries[i];
        if (e->store == s && bytes_eq(bytes_str(e->key), key))
            return e;
    }
    return NULL;
}

struct entry *
store_peek(struct store *s, struct bytes key, int64_t now)
{
    return store_find(s, key, now);
}

void
store_set(struct store *s, struct bytes key, struct bytes value, int64_t deadline,
          int64_t now)
{
    struct entry *e = store_find(s, key, 0);

    (void)deadline;
    (void)now;
    for (int i = 0; e == NULL; i++) {
        assert_true(i < ENTRIES_MAX);
        if (s->ks->entries[i].store == NULL)
            e = &s->ks->entries[i];
    }
    e->store = s;
    snprintf(e->key, sizeof e->key, "%.*s", (int)key.len, key.data);
    snprintf(e->value, sizeof e->value, "%.*s", (int)value.len, value.data);
    if (s->ks->changed != NULL)
        s->ks->changed(s->ks->changed_arg, key, false);
}

enum type
entry_type(const struct entry *e)
{
    (void)e;
    return TYPE_STRING;
}

struct bytes
entry_string(const struct entry *e)
{
    return bytes_str(e->value);
}

int64_t
entry_deadline(const struct entry *e)
{
    (void)e;
    return 0;
}

struct fetch *
fetch_start(struct keyspace *ks, const struct fetch_key *keys, size_t nkeys,
            fetch_done_fn *done, void *arg)
{
    ks->nfetches++;
    ks->asked[0] = '\0';
    for (size_t i = 0; i < nkeys; i++) {
        size_t len = strlen(ks->asked);
        snprintf(ks->asked + len, ASKED_MAX - len, "%s/%.*s ", keys[i].store->name,
                 (int)keys[i].key.len, keys[i].key.data);
    }
    ks->fetch = xmalloc(sizeof *ks->fetch);
    *ks->fetch = (struct fetch){ks, done, arg};
    return ks->fetch;
}

void
fetch_cancel(struct fetch *f)
{
    f->ks->fetch = NULL;
    f->ks->ncancelled++;
    free(f);
}

/* The disk answers: the keys are known until done returns. */
static void
disk_answers(struct keyspace *ks, int error)
{
    struct fetch *f = ks->fetch;

    ks->fetch = NULL;
    ks->is_cold = error != 0;
    f->done(f->arg, error);
    ks->is_cold = true;
    free(f);
}

/* What the processor would be asked for lies in the real stores. */
void
store_prefetch(const struct store *s, const struct bytes *keys, size_t count)
{
    (void)s;
    (void)keys;
    (void)count;
}

#endif
