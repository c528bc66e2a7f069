/* config_print: CONFIG GET *, written as a file. */
// SPDX-License-Identifier: BSD-3-Clause
#include "lib/config_print.h"

static bool
is_list(const char *name)
{
    return strcmp(name, "bind") == 0 || strcmp(name, "refused-store-names") == 0
           || strcmp(name, "latency-tracking-info-percentiles") == 0
           || strcmp(name, "client-output-buffer-limit") == 0;
}

static void
print_quoted(struct buf *out, struct bytes value)
{
    buf_append(out, "\"", 1);
    for (size_t i = 0; i < value.len; i++)
        buf_printf(out, "\\x%02x", (unsigned char)value.data[i]);
    buf_append(out, "\"", 1);
}

static void
print_directive(void *arg, const char *name, struct bytes value)
{
    struct buf *out = arg;

    buf_printf(out, "%s ", name);
    if (is_list(name))
        buf_append_bytes(out, value);
    else
        print_quoted(out, value);
    buf_append(out, "\n", 1);
}

void
config_print(const struct config *c, struct buf *out)
{
    struct bytes all = bytes_str("*");

    config_get(c, &all, 1, print_directive, out);
}
