/* bytes: a borrowed run of bytes, which may hold NULs and owns nothing. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
    const char *data;
    size_t len;
};

static inline struct bytes
bytes_of(const char *data, size_t len)
{
    return (struct bytes){data, len};
}

/* The bytes of a C string, without its NUL. */
static inline struct bytes
bytes_str(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

static inline bool
bytes_eq(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Order as memcmp gives it, the shorter first where one begins the other. */
int bytes_cmp(struct bytes a, struct bytes b);

/* Whether a is the C string text, ASCII letters compared without their case. */
bool bytes_is(struct bytes a, const char *text);

/* A NUL-terminated copy; the caller frees it with free. */
char *bytes_dup(struct bytes a);

#endif
