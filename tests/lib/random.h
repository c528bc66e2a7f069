/* random: numbers that can be drawn again from the same seed (xorshift64*). */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The state is any number but 0. */
static inline uint64_t
random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* One of 0 ... count - 1. */
static inline uint64_t
random_below(uint64_t *state, uint64_t count)
{
    return (random_next(state) >> 11) % count;
}

#endif
