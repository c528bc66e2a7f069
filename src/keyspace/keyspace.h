/*
 * keyspace: the named stores, and what of them is in memory. The loop thread owns all of
 * it.
 *
 * Commands work on entries in memory and never on the disk. Before a command may look a
 * key up, the key must be known: store_knows. What is not known is asked for with
 * fetch_start (fetch.h).
 *
 * Changes gather in a batch; keyspace_commit appends it to the log. Every change stamps
 * what it changed with the batch's number; every look at an entry notes its stamp, so
 * that a reply can be held until what it tells is as safe as was promised
 * (keyspace_promised).
 *
 *   1. An entry whose stamp is above the applied mark stays in memory; a deleted key
 *   stays as an
 *      absent entry.
 *   2. An entry leaves memory only if its stamp is at or below the applied mark that the
 *   oldest
 *      read in flight began with, so that no read brings back what was changed meanwhile.
 *   3. A batch is appended between commands, never inside one.
 *   4. A store is complete when every key it has is in memory: then a miss is an answer.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef KEYSPACE_KEYSPACE_H
#define KEYSPACE_KEYSPACE_H

#include "base/bytes.h"
#include "value/record.h"
#include <stdbool.h>
#include <stdint.h>

#define STORE_NAME_MAX (64 * 1024) /* bytes in a store's name */

struct keyspace;
struct store;
struct entry;
struct storage;

/* Loads the catalog and replays the log into memory; storage stays the caller's, who
 * starts it afterwards. NULL: the reason has been logged. */
struct keyspace *keyspace_new(struct storage *storage);

/* What was not committed is lost; commit first. The sessions are gone, the storage is
 * still open: reads on their way are waited for. */
void keyspace_free(struct keyspace *ks);

/* --- once an iteration of the loop --- */

/* Takes in reads that are done, for a quarter of a millisecond or so (and carries on with
 * what waited for them). True: there are more. */
bool keyspace_take_reads(struct keyspace *ks);

/* Appends the changes since the last time, if any. -1: the log could not be written; the
 * changes are kept for the next call, and keyspace_is_failing until one succeeds. */
int keyspace_commit(struct keyspace *ks);

/* A slice of background work, half a millisecond or so: removes expired keys, lets entries go
 * while memory is over its ceiling, warms stores after a start. Gives the ms until it
 * wants to be called again at the latest; 0: at once. */
int64_t keyspace_tend(struct keyspace *ks, int64_t now);

/* Whether the disk does not take what is written now. */
bool keyspace_is_failing(const struct keyspace *ks);

/* Lets expired(arg, ...) know of each key that is about to go because it expired, and
 * created(arg, ...) of each that was not there before, or is a copy of another. */
typedef void keyspace_told_fn(void *arg, struct store *s, struct bytes key);
void keyspace_tell(struct keyspace *ks, keyspace_told_fn *expired,
                   keyspace_told_fn *created, void *arg);

/* Lets changed(arg, ...) know of each change of a key, as it is made; not of those of whole
 * stores. NULL: nobody wants to know. */
typedef void keyspace_changed_fn(void *arg, struct bytes key, bool has_expired);
void keyspace_tell_changes(struct keyspace *ks, keyspace_changed_fn *changed, void *arg);

/* --- held replies --- */

/* The highest stamp that was written or looked at since the last keyspace_forget_seen. */
uint64_t keyspace_seen(const struct keyspace *ks);
void keyspace_forget_seen(struct keyspace *ks);

/* Replies may leave when what they have seen is at or below this: the written mark, or in
 * appendfsync always the durable one. */
uint64_t keyspace_promised(const struct keyspace *ks);

/* Whether the tables are near enough, memory is free enough, and the batch is small enough
 * for another write. */
bool keyspace_may_write(struct keyspace *ks);

/* --- memory --- */

void keyspace_set_maxmemory(struct keyspace *ks, int64_t bytes); /* 0: no ceiling */

/* Whether more is in memory than should be: keyspace_tend has work. */
bool keyspace_is_over(const struct keyspace *ks);

struct keyspace_stats {
    int64_t memory;   /* bytes of entries, and of keys that listings keep */
    int64_t entries;  /* in memory, absent ones included */
    uint64_t evicted; /* entries that left memory (their data stays) */
    uint64_t expired;
    uint64_t cold; /* keys that were read from their table for a command */
    int64_t watched;
};
void keyspace_stats(const struct keyspace *ks, struct keyspace_stats *out);

/* Lets the figures that only grow begin at zero again. */
void keyspace_reset_stats(struct keyspace *ks);

/* Whether expired keys are removed before somebody looks at them; for tests. */
void keyspace_set_expiring(struct keyspace *ks, bool yes);

/* Keeps what has expired until then, of the measuring clock: nobody sees it, but it is not
 * removed unless it is written over. */
void keyspace_hold_expired(struct keyspace *ks, int64_t until_us);

/* Asks for the tables to be brought up to date, so that the log can get shorter. */
void keyspace_apply_soon(struct keyspace *ks);

/* Commits, and brings the log to the disk before it returns. 0, or -1 with the reason
 * logged. */
int keyspace_save(struct keyspace *ks);

/* The same without waiting: another thread flushes the log once the changes until now are
 * in it. Gives the batch that is durable then. */
uint64_t keyspace_save_soon(struct keyspace *ks);

struct keyspace_disk {
    uint64_t written, durable, applied; /* the three marks: batches */
    int64_t log_ahead;                  /* bytes the tables do not have yet */
    int64_t log_bytes;                  /* what the log takes on the disk */
    int64_t last_sync_ms; /* wall clock of the log's last flush; 0: none yet */
    uint64_t transactions, checkpoints; /* of the tables, since the start */
    uint64_t reads;                     /* keys read from tables */
    int64_t open_tables;
    bool failing; /* log or tables could not be written lately */
};
void keyspace_disk(const struct keyspace *ks, struct keyspace_disk *out);

/* --- stores --- */

/* The store of that name, made in memory if it is not there; it exists for others from
 * its first write. The name has at most STORE_NAME_MAX bytes. Held: give it back with
 * store_release. */
struct store *keyspace_store(struct keyspace *ks, struct bytes name);

/* The store of that name if it has keys, else NULL. Borrowed until the next command. */
struct store *keyspace_find_store(struct keyspace *ks, struct bytes name);

void store_hold(struct store *s);
void store_release(struct store *s);

/* Every store that has keys, in no order. */
typedef void keyspace_store_fn(void *arg, struct store *s);
void keyspace_each_store(struct keyspace *ks, keyspace_store_fn *visit, void *arg);

struct bytes store_name(const struct store *s);
uint32_t store_id(const struct store *s); /* 0: never written to */
int64_t store_count(const struct store *s); /* keys, expired ones not yet removed included */
int64_t store_expires(const struct store *s); /* keys with a deadline */
/* In how many ms keys in memory expire on the average, of those that do; from a sample. */
int64_t store_average_ttl(const struct store *s, int64_t now);
int64_t store_resident(const struct store *s); /* entries in memory, absent ones included */
bool store_is_complete(const struct store *s);

/* Bytes it takes in memory beside its entries. */
struct store_overhead {
    int64_t slots;     /* of the hash table that finds them */
    int64_t deadlines; /* of the heap that orders those that expire */
};
void store_overhead(const struct store *s, struct store_overhead *out);

struct store_file {
    char path[256]; /* below the data directory; "" where the store has none yet */
    int64_t bytes;
};
void store_file(const struct store *s, struct store_file *out);
struct keyspace *store_keyspace(const struct store *s);

/* --- keys --- */

/* Whether a look-up of key can be answered from memory. */
bool store_knows(const struct store *s, struct bytes key);

/* Asks the processor for the memory that look-ups of these keys will read, so that the
 * waits overlap. Changes nothing. */
void store_prefetch(const struct store *s, const struct bytes *keys, size_t count);
#define STORE_PREFETCH_MAX 32 /* keys at once */

/* The entry, or NULL where there is none or it has expired (it is removed then). The key
 * is known. Borrowed until the store's next change. */
struct entry *store_find(struct store *s, struct bytes key, int64_t now);

/* The same for a look that does not count as one: the entry is as idle as before. */
struct entry *store_peek(struct store *s, struct bytes key, int64_t now);

enum type entry_type(const struct entry *e);
struct bytes entry_key(const struct entry *e);
struct bytes entry_string(const struct entry *e);       /* of a TYPE_STRING */
int64_t entry_deadline(const struct entry *e);          /* ms since 1970; 0: none */
int64_t entry_idle(const struct entry *e, int64_t now); /* seconds since the last look */
size_t entry_memory(const struct entry *e);             /* bytes it takes */

/* How a string came to be what it is. Only memory knows: one that was read from its table
 * is as if it had been set. */
enum string_form {
    FORM_SET,
    FORM_TEXT, /* it was made as a text, though it may have digits only */
    FORM_RAW   /* it was lengthened or written into */
};
enum string_form entry_form(const struct entry *e);

/* Makes or replaces the key's value; an old one that has expired goes first. deadline 0:
 * none. The value may point into the old one, unless that has expired. */
void store_set(struct store *s, struct bytes key, struct bytes value, int64_t deadline,
               int64_t now);

/* The same for a value of len bytes, without a deadline: fill(arg, at, to, n) writes n of
 * them, those from `at` on, and is called from the front to the end. Values of other keys
 * are where they were meanwhile; the old one is too, but what is before `at` may be gone.
 */
typedef void store_fill_fn(void *arg, size_t at, char *to, size_t len);
void store_fill(struct store *s, struct bytes key, size_t len, store_fill_fn *fill,
                void *arg, int64_t now);

/* Notes the form of a string that is in memory, which is no change. */
void store_set_form(struct store *s, struct bytes key, enum string_form form);

/* Writes bytes over the string e from offset `at` on, and lengthens it where they go beyond
 * its end, with zeros where they begin beyond it. It keeps its deadline; gives where it is
 * now. The bytes are not its own. */
struct entry *store_write(struct store *s, struct entry *e, size_t at, struct bytes bytes);

/* Makes or replaces the key's value with that of e, which is another entry, of this or
 * another store; its deadline too. */
void store_copy(struct store *s, struct bytes key, const struct entry *e, int64_t now);

void store_set_deadline(struct store *s, struct entry *e, int64_t deadline); /* 0: none */
void store_delete(struct store *s, struct entry *e);

/* Removes every key of the store, or of all stores, without walking the tables. */
void store_flush(struct store *s);
void keyspace_flush_all(struct keyspace *ks);

/* The stores have each other's keys from now on, as if each had the other's name. Who
 * holds or watches a store stays with its name. No key is copied. Watches are not touched by
 * a key that has expired. */
void store_swap(struct store *a, struct store *b, int64_t now);

/* --- walking --- */

/* Calls visit for the keys of a complete store from a place on, a few at a time; visit
 * changes nothing. Gives the place to go on from, 0 at the end. What is there all the
 * while is told of exactly once. (A store that is not complete: listing.h.) */
typedef void store_key_fn(void *arg, struct bytes key, enum type type);
uint32_t store_scan(struct store *s, uint32_t place, int64_t now, store_key_fn *visit,
                    void *arg);

/* All of them at once, which is faster. */
void store_each(struct store *s, int64_t now, store_key_fn *visit, void *arg);

/* A key by chance, of those in memory; NULL where none is found in so many slots. */
struct entry *store_random(struct store *s, int64_t now, size_t max_slots);

/* Notes that a reply tells of any of its keys: its last change is seen. */
void store_look_at_all(struct store *s);

/* --- watching --- */

struct watch;

/* Watches a key, which is known. Freed with watch_free. Twice the same key makes two. */
struct watch *watch_new(struct store *s, struct bytes key, int64_t now);
void watch_free(struct watch *w);

/* Whether the store was swapped since and its key has to be known before
 * watch_is_touched. Both are borrowed. */
bool watch_is_unsure(const struct watch *w, struct store **store, struct bytes *key);

/* Whether the key was changed, or has expired, since watch_new. */
bool watch_is_touched(struct watch *w, int64_t now);
bool watch_is_of(const struct watch *w, const struct store *s, struct bytes key);

#endif
