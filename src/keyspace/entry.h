/*
 * entry: a key and what is known of it, in one piece of memory. An absent entry says that
 * there is no such key. A partial one has only patches, which a start found in the log: the
 * table has the value they are for. Private to keyspace.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef KEYSPACE_ENTRY_H
#define KEYSPACE_ENTRY_H

#include "base/map.h"
#include "value/record.h"
#include <stdbool.h>
#include <stdint.h>

#define ENTRY_ABSENT     0 /* in place of an enum type */
#define ENTRY_TYPE_MAX   0xf
#define ENTRY_LOOKED_MAX 0xffffff

struct entry {
    struct map_node node;
    uint64_t stamp;      /* the batch of its last change; 0: as the table has it */
    int64_t deadline;    /* ms since 1970; 0: none */
    uint32_t heap_index; /* in the store's deadlines, where it has one */
    uint32_t key_len;
    uint32_t value_len;
    uint32_t type : 4; /* enum type or ENTRY_ABSENT */
    uint32_t partial : 1; /* its value is patches, each with its length before it (4 bytes) */
    uint32_t referenced : 1; /* was looked at since the evictor came by */
    uint32_t form : 2;       /* enum string_form */
    uint32_t looked : 24;    /* when it was last looked at: seconds, their lower bits */
    char data[];             /* the key, then the value */
};

/* Room for a key and value_len bytes of value, which the caller fills in; without stamp,
 * deadline and place. */
struct entry *entry_new(struct bytes key, uint8_t type, size_t value_len);

/* The same with another length of value, as realloc. */
struct entry *entry_resize(struct entry *e, size_t value_len);

/* Whether value_len bytes of value fit where it is, without much being wasted. */
bool entry_fits(const struct entry *e, size_t value_len);

static inline char *
entry_value(struct entry *e)
{
    return e->data + e->key_len;
}

static inline bool
entry_is_absent(const struct entry *e)
{
    return e->type == ENTRY_ABSENT;
}

/* Whether there is such a key, and it has not expired. */
static inline bool
entry_is_live(const struct entry *e, int64_t now)
{
    return !entry_is_absent(e) && (e->deadline == 0 || now <= e->deadline);
}

/* For map_find. */
static inline bool
entry_has_key(const struct map_node *node, struct bytes key)
{
    const struct entry *e = (const struct entry *)node;

    return e->key_len == key.len && memcmp(e->data, key.data, key.len) == 0;
}

#endif
