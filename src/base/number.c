/* number: decimal integers, strict in reading and fast in writing; the C library does the
 * others. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS_MAX 19 /* of an int64 */

/* The number of a run of digits without a leading zero; false if it does not fit uint64.
 */
static bool
parse_digits(const char *text, size_t len, uint64_t *number)
{
    if (len == 0 || len > DIGITS_MAX || text[0] < '1' || text[0] > '9')
        return false;

    uint64_t n = 0; /* 19 digits always fit */
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        n = n * 10 + digit;
    }
    *number = n;
    return true;
}

bool
number_parse(struct bytes text, int64_t *number)
{
    uint64_t magnitude;

    if (text.len == 1 && text.data[0] == '0') {
        *number = 0;
        return true;
    }
    if (text.len == 0)
        return false;
    bool negative = text.data[0] == '-';
    if (!parse_digits(text.data + negative, text.len - negative, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *number = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

size_t
number_format(int64_t number, char *text)
{
    char reversed[DIGITS_MAX];
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t ndigits = 0;
    char *end = text;

    do {
        reversed[ndigits++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);

    if (number < 0)
        *end++ = '-';
    while (ndigits > 0)
        *end++ = reversed[--ndigits];
    *end = '\0';
    return (size_t)(end - text);
}

bool
number_parse_real(struct bytes text, long double *number)
{
    char room[NUMBER_REAL_TEXT_MAX];
    char *end;

    if (text.len == 0 || text.len >= sizeof room || isspace((unsigned char)*text.data))
        return false;
    memcpy(room, text.data, text.len);
    room[text.len] = '\0';

    errno = 0;
    long double value = strtold(room, &end);
    bool too_large = errno == ERANGE && isinf(value);
    bool too_small = errno == ERANGE && value == 0;
    if (end != room + text.len || too_large || too_small || isnan(value))
        return false;
    *number = value;
    return true;
}

size_t
number_format_real(long double number, char *text)
{
    int len = snprintf(text, NUMBER_REAL_TEXT_MAX, "%.17Lf", number);
    assert(isfinite(number) && len > 0 && len < NUMBER_REAL_TEXT_MAX);

    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    text[len] = '\0';
    if (strcmp(text, "-0") == 0) {
        memcpy(text, "0", 2);
        len = 1;
    }
    return (size_t)len;
}
