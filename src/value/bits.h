/*
 * bits: strings as rows of bits. Bit 0 is the highest bit of the first byte. What lies
 * behind a string's end is zero.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_BITS_H
#define VALUE_BITS_H

#include "base/bytes.h"
#include <stdint.h>

bool bits_get(struct bytes s, uint64_t at);

/* at lies in the bytes. */
void bits_put(char *bytes, uint64_t at, bool bit);

/* How many of the count bits from first on are set. All lie in the string. */
uint64_t bits_count(struct bytes s, uint64_t first, uint64_t count);

/* Where the first such bit is among them; -1: nowhere. */
int64_t bits_find(struct bytes s, bool bit, uint64_t first, uint64_t count);

enum bits_operation { BITS_AND, BITS_OR, BITS_XOR, BITS_NOT };

/* Writes the len bytes from `at` on of what is made of count strings (NOT: of one), bit by
 * bit. */
void bits_combine(enum bits_operation operation, char *to, size_t at, size_t len,
                  const struct bytes *strings, size_t count);

#endif
