/* buf: the slow paths of a growing buffer. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/buf.h"

#include "base/mem.h"
#include "base/pages.h"
#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST_CAP   64
#define BUF_PRINTF_ROOM 128 /* tried before the length of the text is known */

void
buf_deinit(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void
buf_grow(struct buf *b, size_t extra)
{
    assert(extra <= SIZE_MAX / 2 - b->len);
    size_t need = b->len + extra;
    if (need <= b->cap)
        return;

    size_t cap = b->cap < BUF_FIRST_CAP ? BUF_FIRST_CAP : 2 * b->cap;
    if (cap < need)
        cap = need;
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
}

/* vsnprintf behind the last byte; what it gives, the length of the whole text. */
static int
print_behind(struct buf *b, size_t room, const char *format, va_list args)
{
    return vsnprintf(buf_reserve(b, room), room, format, args);
}

void
buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int len = print_behind(b, BUF_PRINTF_ROOM, format, args);
    assert(len >= 0);
    if (len >= BUF_PRINTF_ROOM)
        print_behind(b, (size_t)len + 1, format, again);
    va_end(again);
    va_end(args);
    b->len += (size_t)len;
}

void
buf_consume(struct buf *b, size_t len)
{
    assert(len <= b->len);
    if (len == 0)
        return;
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

void
buf_clear(struct buf *b, size_t keep)
{
    b->len = 0;
    if (b->cap > keep)
        buf_deinit(b);
}

void
buf_grow_from(struct buf *b, size_t extra, struct buf *spare)
{
    size_t need = b->len + extra;

    if (need < PAGES_FROM || need > spare->cap) {
        buf_grow(b, extra);
        return;
    }
    buf_append_bytes(spare, buf_bytes(b));
    buf_deinit(b);
    *b = *spare;
    *spare = (struct buf){0};
}

void
buf_clear_to(struct buf *b, size_t keep, struct buf *spare)
{
    if (b->cap >= PAGES_FROM && b->cap <= BUF_SPARE_MAX && b->cap > spare->cap) {
        buf_deinit(spare);
        *spare = *b;
        *b = (struct buf){0};
        spare->len = 0;
    } else {
        buf_clear(b, keep);
    }
}
