/* lcs: the longest common subsequence of two strings, and where it stands in them. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_LCS_H
#define VALUE_LCS_H

#include "base/bytes.h"
#include <stdint.h>

struct arena;

/* A run of bytes that both have. */
struct lcs_match {
    size_t a, b; /* where it begins in the one and in the other */
    size_t len;
};

struct lcs {
    struct bytes text;
    struct lcs_match *matches; /* the last comes first */
    size_t nmatches;
};

/* What Redis would need for it, in bytes: four for each byte of the one with each byte of
 * the other. Time goes with it; lcs_find takes about a 32nd of the memory. */
uint64_t lcs_cost(struct bytes a, struct bytes b);

/* Everything it gives is in the arena. */
void lcs_find(struct arena *scratch, struct bytes a, struct bytes b, struct lcs *out);

#endif
