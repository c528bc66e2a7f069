/* number: numbers to and from text, the way Redis reads and writes them. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/bytes.h"
#include <stdint.h>

#define NUMBER_TEXT_MAX      21   /* "-9223372036854775808" and a NUL */
#define NUMBER_REAL_TEXT_MAX 5120 /* of a long double, all digits written, and a NUL */

/* Strict, as Redis's string2ll: an optional '-', digits without leading zeros, nothing
 * else, within int64. False leaves *number alone. */
bool number_parse(struct bytes text, int64_t *number);

/* Writes the decimal digits and a NUL to text[NUMBER_TEXT_MAX]; gives their count. */
size_t number_format(int64_t number, char *text);

/* A number with a fraction, as strtold reads it without blanks; infinity may be one. False
 * for what is no number or fits no long double; it leaves *number alone. */
bool number_parse_real(struct bytes text, long double *number);

/* Writes a finite number with at most 17 digits behind the point, without an exponent and
 * without zeros at the end, and a NUL; gives the length. */
size_t number_format_real(long double number, char *text);

/* Whether a + b does not fit int64. */
static inline bool
number_add_overflows(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum);
}

#endif
