/* bytes: comparing and copying borrowed runs of bytes. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/bytes.h"

#include "base/mem.h"
#include <strings.h>

int
bytes_cmp(struct bytes a, struct bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool
bytes_is(struct bytes a, const char *text)
{
    return strlen(text) == a.len && (a.len == 0 || strncasecmp(a.data, text, a.len) == 0);
}

char *
bytes_dup(struct bytes a)
{
    char *copy = xmalloc(a.len + 1);
    if (a.len > 0)
        memcpy(copy, a.data, a.len);
    copy[a.len] = '\0';
    return copy;
}
