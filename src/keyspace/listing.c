/*
 * See listing.h. Each key is told of by one of two: by memory, if its entry is stamped
 * above the applied mark of the listing's flight, or else by the table, which has it as
 * it was when the listing began or as it is now. While the flight is on its way no entry
 * of the first kind leaves memory.
 *
 * What is changed while a whole listing is on its way is told of just before, if it was
 * not told of yet, and noted: from then on neither memory nor the table tells of it.
 *
 * A page does not have that: between two pages nothing is held. So its walk over memory
 * is over before its walk over the table begins. A key that was there all the while is
 * told of in memory if the table did not have it when the walk came by; else the table
 * has it ever since. One that is held, for EXEC, notes what is changed, which is looked at
 * again when it is used.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/listing.h"
#include "base/clock.h"
#include "base/glob.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pages.h"
#include "keyspace/keyspace_priv.h"
#include "keyspace/place.h"
#include <assert.h>
#include <stdlib.h>

#define PIECE_BYTES   (8 * 1024)  /* of keys and heads of records, read at once */
#define ROOM_BYTES    (16 * 1024) /* made ready for what they fill */
#define SLICE_US      250         /* in memory, at once */
#define SLOTS_AT_ONCE 64          /* between looks at the clock */

struct listing {
    struct storage_read read; /* must be first: a read is found again by its address */
    struct flight flight;
    struct listing *next; /* of the store's, while it is attached */
    struct keyspace *keyspace;
    struct store *store;  /* held; NULL: freed, but for the read on its way */
    struct bytes pattern; /* its own */
    size_t page, seen;
    struct place place;
    struct map changed; /* keys that were changed since it began */
    int64_t now;        /* while it tells */
    bool hold, attached, asked;
    bool enough, broken, failed, ready;
    listing_key_fn *visit;
    listing_done_fn *done;
    void *arg;
    const struct buf *filled;
};

/* --- what was changed --- */

struct changed_key {
    struct map_node node;
    size_t key_len;
    char key[];
};

static bool
has_key(const struct map_node *node, struct bytes key)
{
    const struct changed_key *k = (const struct changed_key *)node;

    return bytes_eq(bytes_of(k->key, k->key_len), key);
}

bool
listing_has_changed(const struct listing *l, struct bytes key)
{
    return l->changed.count > 0
           && map_find(&l->changed, map_hash(key), key, has_key) != NULL;
}

static void
note(struct listing *l, struct bytes key, uint32_t hash)
{
    struct changed_key *k = xmalloc(sizeof *k + key.len);

    k->key_len = key.len;
    memcpy(k->key, key.data, key.len);
    map_insert(&l->changed, &k->node, hash);
    l->keyspace->memory += (int64_t)(sizeof *k + key.len);
}

static void
forget_changed(struct map_node *node, void *arg)
{
    struct listing *l = arg;
    struct changed_key *k = (struct changed_key *)node;

    l->keyspace->memory -= (int64_t)(sizeof *k + k->key_len);
    map_remove(&l->changed, node);
    free(k);
}

struct now_visit {
    const struct listing *listing;
    int64_t now;
    listing_key_fn *visit;
    void *arg;
};

static void
tell_as_of_now(struct map_node *node, void *arg)
{
    struct now_visit *v = arg;
    struct changed_key *k = (struct changed_key *)node;
    struct bytes key = bytes_of(k->key, k->key_len);
    struct entry *e = store_entry(v->listing->store, key);

    if (e != NULL && entry_is_live(e, v->now))
        v->visit(v->arg, key, entry_type(e));
}

void
listing_each_changed(const struct listing *l, int64_t now, listing_key_fn *visit,
                     void *arg)
{
    struct now_visit v = {l, now, visit, arg};
    struct map changed = l->changed;

    assert(l->hold && l->attached);
    map_each(&changed, tell_as_of_now, &v);
}

/* --- telling --- */

static bool
matches(const struct listing *l, struct bytes key)
{
    return l->pattern.data == NULL || glob_match(l->pattern, key, false);
}

static void
tell(struct listing *l, struct bytes key, enum type type)
{
    if (!l->enough && !l->visit(l->arg, key, type))
        l->enough = true;
}

static bool
is_memorys(const struct listing *l, const struct entry *e)
{
    return e->stamp > l->flight.applied;
}

static void
tell_entry(struct map_node *node, void *arg)
{
    struct listing *l = arg;
    struct entry *e = (struct entry *)node;
    struct bytes key = entry_key(e);

    if (!is_memorys(l, e) || !entry_is_live(e, l->now) || listing_has_changed(l, key))
        return;
    l->seen++;
    if (matches(l, key))
        tell(l, key, entry_type(e));
}

/* Goes on in memory for a slice, or until it has what a page wants. */
static void
tell_memory(struct listing *l)
{
    struct place *p = &l->place;
    int64_t until_us = clock_mono_us() + SLICE_US;

    l->now = clock_ms();
    do {
        for (int i = 0; i < SLOTS_AT_ONCE && !p->in_table; i++) {
            p->memory = map_scan(&l->store->entries, p->memory, tell_entry, l);
            p->in_table = p->memory == 0;
        }
    } while (!p->in_table && !l->enough && (l->page == 0 || l->seen < l->page)
             && clock_mono_us() < until_us);
}

static void
tell_record(struct listing *l, struct bytes key, const struct record *record)
{
    struct store *s = l->store;
    int64_t deadline = record->deadline;

    if (!matches(l, key) || listing_has_changed(l, key)
        || (l->place.from > 0 && map_place(map_hash(key)) < l->place.from))
        return;
    struct entry *e = store_entry(s, key);
    if (e == NULL && s->complete)
        return;
    if (e != NULL) {
        if (entry_is_absent(e) || (l->page == 0 && is_memorys(l, e)))
            return;
        deadline = e->deadline;
    }
    if (deadline == 0 || l->now <= deadline)
        tell(l, key, e != NULL ? entry_type(e) : record->type);
}

/* 0, or -1 where the table has what cannot be read. */
static int
tell_piece(struct listing *l)
{
    struct bytes pairs = buf_bytes(&l->read.scan_out), key = {NULL, 0}, bytes;

    l->now = clock_ms();
    while (!l->enough && scan_next(&pairs, &key, &bytes)) {
        struct record record;

        if (record_decode(bytes, &record) != 0) {
            log_line(LOG_WARNING, "A table has a record that this keyvald cannot read");
            return -1;
        }
        tell_record(l, key, &record);
    }
    if (l->read.scan_out.len > 0) {
        l->place.begun = true;
        l->place.key.len = 0;
        buf_append_bytes(&l->place.key, key);
    }
    l->place.ended = l->read.scan_ended;
    return 0;
}

/* --- its course --- */

static void
attach(struct listing *l)
{
    flight_begin(l->keyspace, &l->flight);
    l->next = l->store->listings;
    l->store->listings = l;
    l->attached = true;
}

static void
detach(struct listing *l)
{
    struct listing **link = &l->store->listings;

    if (!l->attached)
        return;
    flight_end(&l->flight);
    while (*link != l)
        link = &(*link)->next;
    *link = l->next;
    l->attached = false;
}

/* Where the next keys go: fresh memory may cost the loop a millisecond. */
static struct bytes
room_ahead(const struct listing *l)
{
    const struct buf *b = l->filled;

    if (b == NULL || b->cap < PAGES_FROM)
        return bytes_of(NULL, 0);
    size_t room = b->cap - b->len;
    return bytes_of(b->data + b->len, room < ROOM_BYTES ? room : ROOM_BYTES);
}

/* The next piece of the table; while it is in memory, nothing, so that the loop comes to
 * others in between. */
static void
ask(struct listing *l)
{
    l->read.scan_store = l->place.in_table ? l->store->id : 0;
    l->read.scan_begun = l->place.begun;
    l->read.scan_from.len = 0;
    buf_append_bytes(&l->read.scan_from, buf_bytes(&l->place.key));
    l->read.scan_room = room_ahead(l);
    l->asked = true;
    storage_submit(l->keyspace->storage, &l->read);
}

/* Goes on in memory, or asks for what it goes on with. False: it is over. */
static bool
advance(struct listing *l)
{
    if (l->broken || l->enough || l->place.ended)
        return false;
    if (!l->place.in_table) {
        tell_memory(l);
        if (l->enough || (l->page > 0 && (l->seen > 0 || !l->place.in_table)))
            return false;
    }
    ask(l);
    return true;
}

static void
make_ready(struct listing *l)
{
    l->ready = true;
    if (!l->hold || l->failed || l->broken)
        detach(l);
}

struct listing *
listing_start(const struct listing_request *request)
{
    struct listing *l = xcalloc(1, sizeof *l);
    struct store *s = request->store;

    assert(!s->complete);
    l->keyspace = s->keyspace;
    l->store = s;
    if (request->pattern.data != NULL)
        l->pattern = bytes_of(bytes_dup(request->pattern), request->pattern.len);
    l->page = request->page;
    if (request->from != NULL)
        place_copy(&l->place, request->from);
    l->hold = request->hold;
    l->visit = request->visit;
    l->done = request->done;
    l->arg = request->arg;
    l->filled = request->filled;
    l->read.scan_limit = PIECE_BYTES;
    l->read.scan_count = l->page;
    l->read.scan_head = RECORD_HEAD_MAX;
    store_hold(s);
    attach(l);
    if (s->stamp <= l->flight.applied)
        l->place.in_table = true;
    if (!advance(l))
        make_ready(l);
    return l;
}

static void
destroy(struct listing *l)
{
    map_each(&l->changed, forget_changed, l);
    free((char *)l->pattern.data);
    place_deinit(&l->place);
    buf_deinit(&l->read.scan_from);
    buf_deinit(&l->read.scan_out);
    free(l);
}

void
listing_free(struct listing *l)
{
    detach(l);
    store_release(l->store);
    l->store = NULL;
    if (!l->asked)
        destroy(l);
}

void
listing_take(struct storage_read *r)
{
    struct listing *l = (struct listing *)r;

    l->asked = false;
    if (l->store == NULL) {
        destroy(l);
        return;
    }
    if (r->error != 0 || (l->place.in_table && !l->broken && tell_piece(l) != 0))
        l->failed = true;
    bool over = l->failed || (l->page > 0 && l->place.in_table);
    if (!over && advance(l))
        return;
    make_ready(l);
    l->done(l->arg);
}

bool
listing_is_ready(const struct listing *l)
{
    return l->ready;
}

bool
listing_is_failed(const struct listing *l)
{
    return l->failed;
}

bool
listing_is_broken(const struct listing *l)
{
    return l->broken;
}

bool
listing_is_held(const struct listing *l)
{
    return l->ready && l->attached;
}

bool
listing_is_of(const struct listing *l, const struct store *s)
{
    return l->store == s;
}

const struct place *
listing_place(const struct listing *l)
{
    assert(l->ready);
    return l->page > 0 ? &l->place : NULL;
}

/* --- told by the store --- */

/* Whether it has come by e, as it was until now. */
static bool
is_past(const struct listing *l, const struct entry *e)
{
    const struct place *p = &l->place;

    if (l->ready)
        return true;
    if (is_memorys(l, e))
        return p->in_table || map_place(e->node.hash) < p->memory;
    return p->begun && bytes_cmp(entry_key(e), buf_bytes(&p->key)) <= 0;
}

void
listings_note(struct store *s, const struct entry *e, bool existed, int64_t old_deadline)
{
    bool live = existed && (old_deadline == 0 || clock_ms() <= old_deadline);
    struct bytes key = entry_key(e);

    for (struct listing *l = s->listings; l != NULL; l = l->next) {
        if ((l->page > 0 && !l->hold) || l->broken || !matches(l, key)
            || listing_has_changed(l, key))
            continue;
        if (l->page == 0 && live && !is_past(l, e))
            tell(l, key, 0);
        note(l, key, e->node.hash);
    }
}

void
listings_break(struct store *s)
{
    for (struct listing *l = s->listings; l != NULL; l = l->next)
        l->broken = true;
}

/* Gives those that are held, and leaves those that are on their way. */
static struct listing *
take_held(struct store *s)
{
    struct listing *held = NULL, **link = &s->listings;

    while (*link != NULL) {
        struct listing *l = *link;
        if (!l->ready) {
            link = &l->next;
            continue;
        }
        *link = l->next;
        l->next = held;
        held = l;
    }
    return held;
}

static void
join(struct store *s, struct listing *held)
{
    while (held != NULL) {
        struct listing *l = held;
        held = l->next;
        store_hold(s);
        store_release(l->store);
        l->store = s;
        l->next = s->listings;
        s->listings = l;
    }
}

void
listings_exchange(struct store *a, struct store *b)
{
    struct listing *of_a = take_held(a), *of_b = take_held(b);

    listings_break(a);
    listings_break(b);
    join(b, of_a);
    join(a, of_b);
}
