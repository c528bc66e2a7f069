/* keyspace_priv: what the files of keyspace share. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef KEYSPACE_KEYSPACE_PRIV_H
#define KEYSPACE_KEYSPACE_PRIV_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/map.h"
#include "keyspace/entry.h"
#include "keyspace/keyspace.h"
#include "storage/storage.h"

struct store {
    /* What goes by its name, and stays when stores are swapped: */
    struct map_node node; /* in keyspace->stores */
    struct keyspace *keyspace;
    struct store *next, *previous; /* the ring of all stores */
    struct bytes name;             /* its own */
    int holds;
    uint32_t heap_index; /* in keyspace->deadlines, while it has any */
    struct map watched;
    struct listing *listings; /* that are to know of changes */
    uint64_t named_at;        /* the batch of its last swap; looks depend on it */

    /* What goes by its id; from here to the end stores are swapped: */
    uint32_t id;            /* 0: never written to */
    int64_t count, expires; /* keys, and those with a deadline, on disk or not */
    struct map entries;
    struct heap deadlines; /* of the entries in memory */
    uint64_t stamp;        /* the batch of its last change */
    uint64_t generation;   /* raised when it is flushed, or swapped */

    /* Every key it has is in memory. Then a deleted key need not stay as an absent entry,
     * unless keep_absent says that memory is short and entries will have to go. None may
     * go before bare_until is applied: up to there deletions left nothing behind that
     * hides the table. */
    bool complete, keep_absent;
    uint64_t bare_until;
    int64_t npartial; /* partial entries; a complete store has none */

    /* The evictor's and the warming's. */
    size_t hand;      /* slot the evictor looks at next */
    uint64_t evicted; /* entries that left */
    int64_t warm_at;  /* ms: the next warming, not before */
};

/* A read on its way: how far the tables were when it was asked for. */
struct flight {
    struct flight *next, *previous;
    uint64_t applied;
};

struct warming;
struct cursors;
struct discarded;
struct listing;

struct keyspace {
    struct storage *storage;
    struct map stores;     /* by name */
    struct store *ring;    /* where the background work goes on */
    struct heap deadlines; /* of stores, by their first */
    struct buf batch;      /* effects since the last commit */
    uint64_t next;         /* the number they will have */
    struct buf refused;    /* the batch before, where the log could not be written */
    uint64_t seen;
    uint32_t seconds; /* what time it is, for entries that are made */
    bool failing;
    bool flush_soon;       /* once the batch is appended */
    bool idle_expiry;      /* expired keys stay until somebody looks at them */
    int64_t hold_until_us; /* what has expired stays until then */
    bool closing;          /* no read is asked for any more */
    uint64_t evict_limit;  /* the evictor's last, */
    size_t idle_slots;     /* and how many it has looked at since one could leave */
    int64_t memory, maxmemory, nentries;
    struct flight flights; /* a ring with this as its head, oldest first */
    struct storage_read *done, **done_end; /* reads to be taken in */
    struct warming *warming;               /* the one on its way, or NULL */
    struct cursors *cursors;
    struct discarded *discarded; /* entries that are to be freed */
    struct keyspace_stats stats;
    keyspace_told_fn *expired, *created; /* or NULL */
    void *told;
    keyspace_changed_fn *changed; /* or NULL */
    void *changed_arg;
    bool expiring; /* what changes does so because it has expired */
};

/* --- keyspace.c --- */

/* The store of that name, with keys or without; NULL: memory has none. */
struct store *store_named(const struct keyspace *ks, struct bytes name);

/* --- load.c --- */

/* Takes the catalog and the log into memory. -1 with the reason logged. */
int keyspace_load(struct keyspace *ks);

/* --- store.c --- */

struct store *store_new(struct keyspace *ks, struct bytes name);
void store_free(struct store *s); /* with its entries; nothing is logged */

struct entry *store_entry(const struct store *s, struct bytes key); /* absent ones too */

/* Removes a key because it has expired. */
void store_expire(struct store *s, struct entry *e);

/* What a record says of a key, put into memory as it is in the table (stamp 0) or in the
 * log. NULL: no such key. */
void store_load(struct store *s, struct bytes key, uint32_t hash,
                const struct record *record, uint64_t stamp);

/* --- partial.c --- */

void store_set_partial(struct store *s, struct entry *e, bool partial);

/* A patch from the log, put into memory. -1: the log contradicts itself. */
int store_load_patch(struct store *s, struct bytes key, uint32_t hash, struct bytes patch,
                     uint64_t stamp);

/* What the table says of a key that is not known, put into memory; the patches of a partial
 * entry are carried out on it. NULL: no such key. -1: the table contradicts the log. */
int store_take(struct store *s, struct bytes key, const struct record *record);

/* --- store.c again --- */

/* Takes an entry out of memory; what it said is known to the table. */
void store_forget(struct store *s, struct entry *e);

/* Forgets all entries, and answers misses from now on. */
void store_empty(struct store *s, uint64_t stamp);

/* Whether entries may leave a store now: see bare_until. */
bool store_may_shrink(struct store *s, uint64_t limit);

void store_heap_place(void *owner, uint32_t index);

/* Notes that a stamp was looked at. */
void keyspace_see(struct keyspace *ks, uint64_t stamp);

/* A new entry of a key that has none; the caller fills its value in. */
struct entry *store_insert(struct store *s, struct bytes key, uint32_t hash, uint8_t type,
                           size_t value_len);

/* Gives e another length of value; what fits of the old value stays. */
struct entry *store_resize(struct store *s, struct entry *e, size_t value_len);

/* An entry of that length in the place of e, for a value that may lie in e: the caller
 * fills it in and frees *old, which is NULL where e was kept. */
struct entry *store_make_room(struct store *s, struct entry *e, size_t value_len,
                              struct entry **old);

/* Brings the deadlines up to date with e, which had one at `old` or none (0). */
void store_place_deadline(struct store *s, struct entry *e, int64_t old, int64_t fresh);

/* --- swap.c --- */

/* store_swap without watches and without the log. */
void store_exchange(struct store *a, struct store *b);

/* --- watch.c --- */

void watch_touch(struct store *s, struct bytes key);
void watch_touch_all(struct store *s);

/* For keys that s has, or other has, whose keys it is about to get. */
void watch_touch_swapped(struct store *s, const struct store *other, int64_t now);

/* --- listing.c --- */

/* Before a change of e is stamped: it may be absent by now, or there only now. */
void listings_note(struct store *s, const struct entry *e, bool existed,
                   int64_t old_deadline);

/* All entries have gone. */
void listings_break(struct store *s);

/* The stores are getting each other's keys: what is held goes with them. */
void listings_exchange(struct store *a, struct store *b);

void listing_take(struct storage_read *r); /* a read that was a listing's */

/* --- cursors.c --- */

struct cursors *cursors_new(void);
void cursors_free(struct cursors *c);

/* --- reads.c --- */

void flight_begin(struct keyspace *ks, struct flight *f);
void flight_end(struct flight *f);

/* Entries stamped above this stay in memory. */
uint64_t keyspace_evict_limit(const struct keyspace *ks);

/* Takes all entries out of a map, to be freed later. No deadline refers to them any more. */
void discard(struct keyspace *ks, struct map *entries);

/* Whether what has expired stays for now. */
bool expiry_is_held(const struct keyspace *ks);

/* --- background work: each gives true where there is more to do at once --- */

bool expiry_step(struct keyspace *ks, int64_t now, int64_t until_us);
bool discard_step(struct keyspace *ks, int64_t until_us);
bool evict_step(struct keyspace *ks, int64_t until_us);
void warm_step(struct keyspace *ks, int64_t now);
void warm_done(struct keyspace *ks,
               struct storage_read *r); /* a read that was the warming's */
bool warm_owns(const struct keyspace *ks, const struct storage_read *r);
void fetch_finish(struct keyspace *ks, struct storage_read *r);

#endif
