/*
 * listing: the keys of a store that is not complete, walked over while the loop goes on.
 *
 * A whole listing tells each key once that the store had when it began, whatever changes
 * meanwhile: a key that is about to change is told of before. A page is a part of a walk
 * that goes from call to call (SCAN): it tells what is there as it comes by.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef KEYSPACE_LISTING_H
#define KEYSPACE_LISTING_H

#include "base/buf.h"
#include "base/bytes.h"
#include "value/record.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listing;
struct place;
struct store;

/* False: enough, tell no more. It may not change the keyspace. type is 0 for a key that
 * was changed since a whole listing began. */
typedef bool listing_key_fn(void *arg, struct bytes key, enum type type);

/* Called on the loop when the listing is ready. */
typedef void listing_done_fn(void *arg);

struct listing_request {
    struct store *store;      /* not complete */
    struct bytes pattern;     /* of the keys that are told; data NULL: of all */
    size_t page;              /* keys to look at, about; 0: a whole listing */
    const struct place *from; /* of a page: where to go on; copied */
    bool hold;                /* changes are noted until it is freed */
    listing_key_fn *visit;
    listing_done_fn *done;
    void *arg;
    const struct buf *filled; /* by visit, or NULL; so that its memory is made ready */
};

/* Begins it. It may be ready at once; then done is not called. Freed with listing_free,
 * also before it is ready: done is not called then. */
struct listing *listing_start(const struct listing_request *request);
void listing_free(struct listing *l);

/* Whether all was told; if so, whether something went wrong: the disk failed. */
bool listing_is_ready(const struct listing *l);
bool listing_is_failed(const struct listing *l);

/* Whether what was told is of no use: the store was flushed, so it is complete now, or
 * was; or it was swapped before the listing was ready. */
bool listing_is_broken(const struct listing *l);

/* Whether its keys are in s: one that is held goes where they go. */
bool listing_is_of(const struct listing *l, const struct store *s);

/* Where the page after one that is ready goes on; NULL for a whole listing. */
const struct place *listing_place(const struct listing *l);

/* Whether it is ready and holds: changes are noted still. */
bool listing_is_held(const struct listing *l);

/* Of one that is held: whether the key was changed since it began, and those of the changed
 * keys that are there now. Without them, and with those, it is as of now. */
bool listing_has_changed(const struct listing *l, struct bytes key);
void listing_each_changed(const struct listing *l, int64_t now, listing_key_fn *visit,
                          void *arg);

#endif
