/*
 * listed: what KEYS, SCAN and RANDOMKEY have to know of a store that is not complete. It
 * is walked over before they run, and kept with the session until they have. EXEC needs
 * what each of its queued requests needs; theirs is as of now when they run, because
 * what was changed since is looked at again.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_LISTED_H
#define COMMAND_LISTED_H

#include "base/buf.h"
#include "command/call.h"
#include "value/record.h"
#include <stdbool.h>
#include <stddef.h>

struct listed;
struct place;
struct session;

/* Which keys, and how many of them. */
struct wanted {
    struct bytes pattern; /* borrowed; data NULL: any */
    int type;             /* enum type; 0: any; -1: none is of such a type */
    size_t page;          /* about so many, for SCAN; 0: all */
    size_t enough;        /* of these; 0: all */
};

/* Keys as bulk strings. Zeroed but for wanted: none yet. */
struct found {
    struct wanted wanted;
    struct buf text; /* the keys, behind `hole` bytes that found_reply uses */
    size_t hole;
    size_t count;
};

/* Leaves room for the head of an array of about so many, so that a long reply need not be
 * copied; before the first is added. */
void found_expect(struct found *f, int64_t count);

/* Adds a key if it is wanted; false: that is enough. */
bool found_add(struct found *f, struct bytes key, enum type type);

/* The keys, and how to take one from their front: false at their end. */
struct bytes found_keys(const struct found *f);
bool found_next(struct bytes *keys, struct bytes *key);

/* Replies with an array of them, and frees them. */
void found_reply(struct call *c, struct found *f);
void found_deinit(struct found *f);

/* That of the session's request number `at`: of the queue, or 0; NULL where none was
 * begun. */
struct listed *listed_at(struct session *s, size_t at);

/* Begins it for c, from a place (of a page; else NULL). c->listed is what was begun. */
void listed_begin(struct call *c, size_t at, const struct wanted *wanted,
                  const struct place *from);

/* Whether c has what it needs. */
bool listed_is_ready(const struct call *c);

/* What was found for c, which is ready. The caller frees it with found_deinit. */
void listed_take(struct call *c, struct found *out);

/* Of a page: where the next one goes on; NULL where there is nothing more. */
const struct place *listed_place(const struct call *c);

/* Whether the session waits for one. */
bool listed_is_awaited(const struct session *s);

/* Ends all of a session's. */
void listed_drop(struct session *s);

#endif
