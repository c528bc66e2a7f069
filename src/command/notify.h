/*
 * notify: keyspace notifications, which tell subscribers what happens to keys. Classes and
 * events are Redis's (https://redis.io/docs/manual/keyspace-notifications/).
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_NOTIFY_H
#define COMMAND_NOTIFY_H

#include "base/bytes.h"
#include "command/call.h"

enum notify_class {
    NOTIFY_KEYSPACE = 1 << 0, /* K: by key, in __keyspace@<store>__ */
    NOTIFY_KEYEVENT = 1 << 1, /* E: by event, in __keyevent@<store>__ */
    NOTIFY_GENERIC = 1 << 2,  /* g */
    NOTIFY_STRING = 1 << 3,   /* $ */
    NOTIFY_LIST = 1 << 4,     /* l */
    NOTIFY_SET = 1 << 5,      /* s */
    NOTIFY_HASH = 1 << 6,     /* h */
    NOTIFY_ZSET = 1 << 7,     /* z */
    NOTIFY_EXPIRED = 1 << 8,  /* x */
    NOTIFY_EVICTED = 1 << 9,  /* e: never happens here, nothing is evicted from a store */
    NOTIFY_STREAM = 1 << 10,  /* t */
    NOTIFY_MISS = 1 << 11,    /* m */
    NOTIFY_MODULE = 1 << 12,  /* d */
    NOTIFY_NEW = 1 << 13      /* n */
};

/* Tells who subscribed to it that this happened to the key of the call's store, or of
 * another one. */
void notify(struct call *c, enum notify_class class, const char *event, struct bytes key);
void notify_in(struct call *c, struct store *s, enum notify_class class,
               const char *event, struct bytes key);

#endif
