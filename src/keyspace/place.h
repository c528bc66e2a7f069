/*
 * place: where a walk over a store's keys goes on. A walk goes through memory first, and
 * tells there what the table does not have; then through the table, in key order.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef KEYSPACE_PLACE_H
#define KEYSPACE_PLACE_H

#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

/* Zeroed: at the start. */
struct place {
    uint32_t from;   /* keys whose map_place is below were told of before the walk */
    uint32_t memory; /* map_place to go on with, while it is not in the table */
    bool in_table;
    bool begun;     /* in the table: it goes on behind key */
    bool ended;     /* there is nothing more */
    struct buf key; /* its own */
};

static inline void
place_copy(struct place *to, const struct place *from)
{
    *to = *from;
    to->key = (struct buf){0};
    buf_append_bytes(&to->key, buf_bytes(&from->key));
}

static inline void
place_deinit(struct place *p)
{
    buf_deinit(&p->key);
}

#endif
