/*
 * See fetch.h. First the keys that are not known are read. Should another of them have
 * left memory meanwhile, all are read at once: then they stand in memory together,
 * whatever leaves.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/fetch.h"
#include "base/log.h"
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
#include <assert.h>
#include <stdlib.h>

struct fetch {
    struct storage_read read; /* must be first: a read is found again by its address */
    struct flight flight;
    struct keyspace *keyspace;
    struct fetch_key *keys; /* copies; stores held */
    uint64_t *generations;  /* of their stores, when they were asked for */
    size_t *asked;          /* which key each item of the read is */
    size_t nkeys;
    fetch_done_fn *done; /* NULL: cancelled */
    void *arg;
};

static bool
is_known(const struct fetch_key *k)
{
    return store_knows(k->store, k->key);
}

static void
ask(struct fetch *f, bool all)
{
    struct storage_read *r = &f->read;

    r->nitems = 0;
    for (size_t i = 0; i < f->nkeys; i++) {
        if (!all && is_known(&f->keys[i]))
            continue;
        struct read_item *item = &r->items[r->nitems];
        item->store = f->keys[i].store->id;
        item->key = f->keys[i].key;
        item->record.len = 0;
        f->generations[i] = f->keys[i].store->generation;
        f->asked[r->nitems++] = i;
    }
    assert(r->nitems > 0);
    flight_begin(f->keyspace, &f->flight);
    storage_submit(f->keyspace->storage, r);
}

struct fetch *
fetch_start(struct keyspace *ks, const struct fetch_key *keys, size_t nkeys,
            fetch_done_fn *done, void *arg)
{
    struct fetch *f = xcalloc(1, sizeof *f);

    f->keyspace = ks;
    f->nkeys = nkeys;
    f->done = done;
    f->arg = arg;
    f->keys = xcalloc(nkeys, sizeof *f->keys);
    f->generations = xcalloc(nkeys, sizeof *f->generations);
    f->asked = xcalloc(nkeys, sizeof *f->asked);
    f->read.items = xcalloc(nkeys, sizeof *f->read.items);
    for (size_t i = 0; i < nkeys; i++) {
        f->keys[i].store = keys[i].store;
        f->keys[i].key = bytes_of(bytes_dup(keys[i].key), keys[i].key.len);
        store_hold(keys[i].store);
    }
    ask(f, false);
    return f;
}

static void
fetch_free(struct fetch *f)
{
    for (size_t i = 0; i < f->nkeys; i++) {
        buf_deinit(&f->read.items[i].record);
        store_release(f->keys[i].store);
        free((char *)f->keys[i].key.data);
    }
    free(f->read.items);
    free(f->asked);
    free(f->generations);
    free(f->keys);
    free(f);
}

void
fetch_cancel(struct fetch *f)
{
    f->done = NULL;
}

/* Puts what was read into memory, where memory does not know better. */
static int
take_in(struct fetch *f)
{
    for (size_t i = 0; i < f->read.nitems; i++) {
        struct read_item *item = &f->read.items[i];
        struct fetch_key *k = &f->keys[f->asked[i]];
        struct record record;

        if (is_known(k) || k->store->generation != f->generations[f->asked[i]])
            continue;
        if ((item->found && record_decode(buf_bytes(&item->record), &record) != 0)
            || store_take(k->store, k->key, item->found ? &record : NULL) != 0) {
            log_line(LOG_WARNING, "A table has a record that this keyvald cannot read");
            return -1;
        }
        f->keyspace->stats.cold++;
    }
    return 0;
}

static bool
all_known(const struct fetch *f)
{
    for (size_t i = 0; i < f->nkeys; i++) {
        if (!is_known(&f->keys[i]))
            return false;
    }
    return true;
}

void
fetch_finish(struct keyspace *ks, struct storage_read *r)
{
    struct fetch *f = (struct fetch *)r;

    assert(f->keyspace == ks);
    flight_end(&f->flight);
    if (f->done != NULL && !ks->closing) {
        int error = r->error != 0 ? -1 : take_in(f);
        if (error == 0 && !all_known(f)) {
            ask(f, true);
            return;
        }
        f->done(f->arg, error);
    }
    fetch_free(f);
}
