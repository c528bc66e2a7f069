/*
 * A walk over one store's table, a piece at a time, in the background. After a start it
 * brings the store into memory, so that it can answer misses by itself; later it finds
 * keys that expired while they were not in memory. A store is complete when a walk saw
 * all of it, nothing was left out, and no entry left memory meanwhile.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "keyspace/keyspace_priv.h"
#include <assert.h>
#include <stdlib.h>

#define PIECE_BYTES   (64 * 1024)
#define AGAIN_MS      10000 /* between two walks of a store */
#define STORES_A_STEP 64    /* looked at for work */

struct warming {
    struct storage_read read; /* must be first */
    struct flight flight;
    struct store *store; /* held */
    uint64_t generation, evicted;
    bool left_out;
};

static bool
has_room(const struct keyspace *ks)
{
    return ks->maxmemory == 0 || ks->memory < ks->maxmemory - ks->maxmemory / 8;
}

static bool
wants_warming(const struct store *s, int64_t now)
{
    /* Further ahead it is where the clock was set back. */
    bool is_early = now < s->warm_at && s->warm_at - now <= AGAIN_MS;

    if (s->complete || is_early)
        return false;
    return has_room(s->keyspace) || s->expires > (int64_t)s->deadlines.count;
}

static void
ask(struct keyspace *ks, struct warming *warming)
{
    flight_begin(ks, &warming->flight);
    storage_submit(ks->storage, &warming->read);
}

void
warm_step(struct keyspace *ks, int64_t now)
{
    struct store *s = ks->ring;

    for (int i = 0; i < STORES_A_STEP && ks->warming == NULL && s != NULL;
         i++, s = s->next) {
        if (!wants_warming(s, now))
            continue;
        struct warming *warming = ks->warming = xcalloc(1, sizeof *warming);
        warming->store = s;
        warming->generation = s->generation;
        warming->evicted = s->evicted;
        warming->read.scan_store = s->id;
        warming->read.scan_limit = PIECE_BYTES;
        store_hold(s);
        ask(ks, warming);
    }
}

bool
warm_owns(const struct keyspace *ks, const struct storage_read *r)
{
    return ks->warming != NULL && &ks->warming->read == r;
}

static void
end(struct keyspace *ks)
{
    struct warming *warming = ks->warming;

    store_release(warming->store);
    buf_deinit(&warming->read.scan_from);
    buf_deinit(&warming->read.scan_out);
    free(warming);
    ks->warming = NULL;
}

static void
take_in(struct warming *warming, struct bytes key, const struct record *record,
        int64_t now)
{
    struct store *s = warming->store;
    struct keyspace *ks = s->keyspace;
    bool expired = record->deadline != 0 && now > record->deadline && !expiry_is_held(ks);

    if (store_knows(s, key))
        return;
    if (!has_room(ks) && !expired) {
        warming->left_out = true;
        return;
    }
    store_take(s, key, record);
    if (expired && keyspace_may_write(ks) && !ks->failing)
        store_find(s, key, now);
}

/* Gives whether the walk goes on. */
static bool
take_piece(struct warming *warming)
{
    struct storage_read *r = &warming->read;
    struct bytes pairs = buf_bytes(&r->scan_out), key, bytes;
    int64_t now = clock_ms();

    while (scan_next(&pairs, &key, &bytes)) {
        struct record record;

        if (record_decode(bytes, &record) != 0) {
            log_line(LOG_WARNING, "A table has a record that this keyvald cannot read");
            warming->left_out = true;
            return false;
        }
        take_in(warming, key, &record, now);
        if (warming->store->generation != warming->generation)
            return false;
        r->scan_from.len = 0;
        buf_append_bytes(&r->scan_from, key);
        r->scan_begun = true;
    }
    return !r->scan_ended;
}

/* All there is stands in memory. Berkeley DB takes a page of zeros for one without keys, and
 * any btree of another store for this one's. */
static void
count_entries(const struct store *s)
{
    struct store_file file;

    if (store_resident(s) >= store_count(s))
        return;
    store_file(s, &file);
    log_line(LOG_WARNING, "%s is damaged: its store has %lld keys where there were %lld",
             file.path, (long long)store_resident(s), (long long)store_count(s));
}

void
warm_done(struct keyspace *ks, struct storage_read *r)
{
    struct warming *warming = ks->warming;
    struct store *s = warming->store;

    assert(r == &warming->read);
    flight_end(&warming->flight);
    if (r->error == 0 && !ks->closing && !s->complete
        && s->generation == warming->generation) {
        if (take_piece(warming)) {
            ask(ks, warming);
            return;
        }
        if (r->scan_ended && !warming->left_out && s->generation == warming->generation
            && s->evicted == warming->evicted && s->npartial == 0) {
            s->complete = true;
            count_entries(s);
        }
    }
    s->keep_absent = !s->complete;
    s->warm_at = clock_ms() + AGAIN_MS;
    end(ks);
    if (!ks->closing)
        warm_step(ks, clock_ms());
}
