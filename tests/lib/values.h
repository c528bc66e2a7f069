/*
 * values: what two stores have, byte for byte, and what a change of a value does.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_VALUES_H
#define TESTS_VALUES_H

#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

#define KEYS     8
#define FLEETING 6 /* keys from here on are made, written into and expire */

enum kind { SET, APPEND, WRITE, BOTH, DEADLINE, DELETE, RENAME, COPY, FLUSH, SWAP };

struct step {
    enum kind kind;
    int key, other;
    uint64_t seed; /* of the bytes */
    size_t at, len;
    int64_t deadline; /* 0: none from now on */
};

struct value {
    bool there;
    struct buf bytes;
    int64_t deadline;
};

/* What is in both stores; requests go to the first. */
struct state {
    struct value values[2][KEYS];
};

void state_deinit(struct state *s);

void state_carry_out(struct state *s, const struct step *step);

/* The first value of `known` that is not as seen; NULL: none. What has expired may be
 * gone. */
const struct value *state_difference(const struct state *known, const struct state *seen);

/* What is not seen is no longer known; all else is as seen. */
void state_forget_expired(struct state *known, const struct state *seen);

#endif
