/*
 * tracking: clients that keep what they have read are told when it changes (CLIENT
 * TRACKING): of the keys they have read (tracked.h), or in broadcasts, at the end of a
 * turn of the loop, of all keys that begin in some way (prefixes.h).
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_TRACKING_H
#define COMMAND_TRACKING_H

#include "base/buf.h"
#include "base/bytes.h"
#include "command/prefixes.h"
#include "command/tracked.h"
#include <stdbool.h>
#include <stdint.h>

struct call;
struct held;
struct host;
struct session;

/* What a client hears of. */
enum tracking_mode {
    TRACKING_READS,  /* what it reads */
    TRACKING_OPTIN,  /* what it reads after CLIENT CACHING YES */
    TRACKING_OPTOUT, /* what it reads, but for that after CLIENT CACHING NO */
    TRACKING_BROADCAST
};

/* A session's part of it. All zero: it does not track. */
struct tracker {
    bool on;
    enum tracking_mode mode;
    bool noloop;     /* it does not hear of what it changes itself */
    bool has_chosen; /* CLIENT CACHING counts for its next request */
    bool is_broken;  /* whom it redirects to was gone when there was something to tell */
    uint64_t redirect;          /* the session that is told instead; 0: itself */
    struct listener *listeners; /* its prefixes */
};

/* The host's part. All zero: nobody tracks. */
struct tracking {
    int64_t nclients;
    struct tracked tracked;
    struct prefixes prefixes;
    int nlate; /* the table was still too large, so many times in a row */
    /* While a request is carried out and somebody tracks: */
    struct session *caller;
    struct held *first_held, *last_held; /* what the caller hears behind its answer */
};

/* Begins to track, or goes on in another way: as `how` says, whose listeners are ignored;
 * the prefixes are added to those it has. */
void tracking_start(struct session *s, const struct tracker *how,
                    const struct bytes *prefixes, size_t nprefixes);
void tracking_stop(struct session *s);

/* Whose messages go where, for CLIENT LIST: an id, 0 for itself, -1 while it does not
 * track. */
int64_t tracking_redirect(const struct session *s);

/* Around a request of s, while somebody tracks; done: it need not be repeated. */
void tracking_begin(struct session *s);
void tracking_end(const struct call *c, bool done);

/* Notes which keys a command has read, which was carried out for a session that tracks. */
void tracking_note_read(const struct call *c);

/* Tells all who track that any key may have changed. */
void tracking_tell_flush(struct host *h);

/* Tells a session, or who hears its messages, of keys: they are given as they stand in the
 * message, which leaves when what was seen may be told. */
void tracking_tell(struct session *s, struct bytes keys, uint64_t seen);

/* Sends the broadcasts. */
void tracking_broadcast(struct host *h);

/* Forgets some of the keys that are over tracking-table-max-keys; who has read them is
 * told that they have changed. To be called often. */
void tracking_tick(struct host *h);

/* No session is left. */
void tracking_deinit(struct host *h);

#endif
