/* lifetime: the options of SET and GETEX that say how long a string is to live. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_LIFETIME_H
#define COMMAND_LIFETIME_H

#include "command/call.h"
#include <stdbool.h>

struct lifetime_unit;

/* A zeroed one says nothing. */
struct lifetime {
    const struct lifetime_unit *unit; /* NULL: no deadline was asked for */
    int amount;                       /* the argument that says how many units */
};

/* Takes EX s, PX ms, EXAT s or PXAT ms at argument *i, and moves *i to the amount. An
 * option only goes with itself. ERR_SYNTAX for anything else. */
enum err lifetime_read(const struct call *c, int *i, struct lifetime *life);

/* The deadline it asks for; 0 where it asks for none. Fails with "invalid expire time"
 * for an amount that is not positive or does not fit. */
enum err lifetime_deadline(struct call *c, const struct lifetime *life, int64_t *deadline);

/* Whether it names a point in time, which may be over. */
bool lifetime_is_absolute(const struct lifetime *life);

/* The deadline that is argument i times unit_ms from now, in the same way. */
enum err lifetime_from_now(struct call *c, int i, int64_t unit_ms, int64_t *deadline);

#endif
