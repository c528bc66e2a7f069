/* client: what CLIENT tells of a session, and what it changes in one. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_CLIENT_H
#define COMMAND_CLIENT_H

#include "base/buf.h"
#include "command/call.h"

/* Names have no blanks, and nothing a terminal would not print. */
enum err client_check_name(struct bytes name);
void client_set_name(struct session *s, struct bytes name); /* empty: none */

/* Those that CLIENT LIST and CLIENT KILL tell apart. */
enum client_type {
    CLIENT_NORMAL,
    CLIENT_PUBSUB,
    CLIENT_MASTER, /* these two are there for clients that ask */
    CLIENT_REPLICA
};

/* Reads argument i, or fails with what is wrong. */
enum err client_read_type(struct call *c, int i, enum client_type *type);
enum client_type client_type(const struct session *s);

/* Appends a store's name, which may have any bytes: one that would end the field is
 * written as \xHH. */
void client_append_store(struct buf *out, struct bytes name);

/* Appends the line that describes it, with its LF. */
void client_describe(const struct session *s, struct buf *out);

/* All sessions but those that were killed, the oldest first, which is the order of their
 * ids; in c's scratch. */
struct session **client_all(struct call *c, size_t *count);

#endif
