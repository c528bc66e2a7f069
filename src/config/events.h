/*
 * events: the classes of keyspace notifications, and their letters. Redis's
 * (https://redis.io/docs/manual/keyspace-notifications/).
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef CONFIG_EVENTS_H
#define CONFIG_EVENTS_H

#include "base/buf.h"
#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

enum notify_class {
    NOTIFY_GENERIC = 1 << 0, /* g */
    NOTIFY_STRING = 1 << 1,  /* $ */
    NOTIFY_LIST = 1 << 2,    /* l */
    NOTIFY_SET = 1 << 3,     /* s */
    NOTIFY_HASH = 1 << 4,    /* h */
    NOTIFY_ZSET = 1 << 5,    /* z */
    NOTIFY_EXPIRED = 1 << 6, /* x */
    NOTIFY_EVICTED = 1 << 7, /* e: never happens here, nothing is evicted from a store */
    NOTIFY_STREAM = 1 << 8,  /* t */
    NOTIFY_MODULE = 1 << 9,  /* d */
    NOTIFY_NEW = 1 << 10,    /* n */
    NOTIFY_KEYSPACE = 1 << 11,  /* K: told by key, in __keyspace@<store>__ */
    NOTIFY_KEYEVENT = 1 << 12,  /* E: told by event, in __keyevent@<store>__ */
    NOTIFY_MISS = 1 << 13,      /* m */
    NOTIFY_ALL = NOTIFY_NEW - 1 /* A: g to d */
};

/* The classes of these letters; false where one is none. */
bool events_parse(struct bytes letters, int64_t *classes);

/* Appends the letters in the order in which CONFIG GET tells them. */
void events_print(struct buf *out, int64_t classes);

#endif
