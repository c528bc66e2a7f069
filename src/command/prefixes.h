/*
 * prefixes: which sessions want to hear of changes of all keys that begin in some way, and
 * which keys have changed since they were last told.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_PREFIXES_H
#define COMMAND_PREFIXES_H

#include "base/bytes.h"
#include <stdint.h>

struct host;
struct listener;
struct prefix;
struct session;

/* The host's. All zero: none. */
struct prefixes {
    struct prefix **all; /* those that are listened to, in the order of bytes_cmp */
    size_t count;
    bool has_noted; /* that a key has changed, */
    uint64_t seen;  /* which depends on this */
};

/* From now on the session hears of keys that begin with this, if it did not already. */
void prefixes_listen(struct session *s, struct bytes text);

/* It hears of none any more, nor of what was noted for it. */
void prefixes_leave(struct session *s);

/* Those of a session, in the order of bytes_cmp: the first is its tracker's listener. */
struct bytes listener_prefix(const struct listener *l);
struct listener *listener_next(const struct listener *l);

/* Notes that a key has changed because of the session with this id (0: by itself). */
void prefixes_note(struct host *h, struct bytes key, uint64_t by);

/* Tells of the keys that were noted, and forgets them. */
void prefixes_tell(struct host *h);

void prefixes_deinit(struct prefixes *p);

#endif
