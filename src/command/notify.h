/*
 * notify: keyspace notifications, which tell subscribers what happens to keys. Classes and
 * events are Redis's (https://redis.io/docs/manual/keyspace-notifications/).
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_NOTIFY_H
#define COMMAND_NOTIFY_H

#include "base/bytes.h"
#include "command/call.h"
#include "config/events.h"

/* Tells who subscribed to it that this happened to the key of the call's store, or of
 * another one. */
void notify(struct call *c, enum notify_class class, const char *event, struct bytes key);
void notify_in(struct call *c, struct store *s, enum notify_class class,
               const char *event, struct bytes key);

/* The same outside of any call, for keys that expire. */
void notify_host(struct host *h, const struct store *s, enum notify_class class,
                 const char *event, struct bytes key);

#endif
