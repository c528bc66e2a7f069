/*
 * migration: keys of a session's store on their way to another server, for MIGRATE. Values
 * are sent as they are at that moment. What the other server has acknowledged is removed
 * here at the end, unless it was changed since it was sent; so whatever happens, each key
 * is on one of the two sides, or on both.
 *
 * A request is sent ahead of the answers to those before it, as far as MIGRATION_AHEAD
 * goes. Keys that have left memory by the time it is their turn are read then.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_MIGRATION_H
#define COMMAND_MIGRATION_H

#include "command/call.h"
#include "command/peer.h"
#include <stdbool.h>

#define MIGRATION_AHEAD (1024 * 1024) /* bytes, and one value more */

struct migration;

/* What is asked for. Borrowed. */
struct migration_request {
    struct peer_address to;
    struct bytes store; /* its name there */
    bool copy, replace;
    const struct bytes *user, *password; /* NULL: none */
    int first, nkeys;                    /* arguments; the keys are known */
};

/* Begins it for the call's session. Freed with migration_drop. */
struct migration *migration_new(struct call *c, const struct migration_request *r);

/* Whether the session waits for its migration to end. */
bool migration_is_awaited(const struct session *s);

/* Removes what went over, and replies, or gives what went wrong. The session has a
 * migration that ended, and its keys are known. */
enum err migration_settle(struct call *c);

/* The session has none any more; one that has not ended is broken off. */
void migration_drop(struct session *s);

#endif
