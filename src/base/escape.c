/* See escape.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/escape.h"
#include <assert.h>

/* The value of a hexadecimal digit, or -1. */
static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static char
escaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'b':
        return '\b';
    case 'a':
        return '\a';
    default:
        return c;
    }
}

size_t
escape_read(struct bytes text, char *byte)
{
    assert(text.len > 0);
    if (text.len >= 3 && text.data[0] == 'x' && hex_digit(text.data[1]) >= 0
        && hex_digit(text.data[2]) >= 0) {
        *byte = (char)(hex_digit(text.data[1]) * 16 + hex_digit(text.data[2]));
        return 3;
    }
    *byte = escaped(text.data[0]);
    return 1;
}
