/* field: integers of 1 to 64 bits that stand anywhere in a string, highest bit first. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_FIELD_H
#define VALUE_FIELD_H

#include "base/bytes.h"
#include <stdint.h>

#define FIELD_BYTES_MAX 9 /* that a field has bits in */

struct field {
    bool is_signed;
    unsigned bits; /* at most 64 with a sign, 63 without */
};

/* What becomes of a number that a field has no room for. */
enum field_overflow { FIELD_WRAP, FIELD_SATURATE, FIELD_FAIL };

/* Reads "i5" or "u63"; false for what is no such type. */
bool field_parse(struct bytes text, struct field *f);

/* The number in the field that begins at bit `at`. */
int64_t field_get(struct field f, struct bytes s, uint64_t at);

/* Puts a number that fits into the field, which lies in the bytes. */
void field_put(struct field f, char *bytes, uint64_t at, int64_t number);

/* What value + delta becomes in the field. As in Redis, a negative value counts as too
 * large where there is no sign, and where the way from it to the greatest number does not
 * fit 64 bits. False: it does not fit, and overflow is FIELD_FAIL. */
bool field_add(struct field f, enum field_overflow overflow, int64_t value, int64_t delta,
               int64_t *sum);

#endif
