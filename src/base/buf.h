/* buf: bytes that grow. Owns its memory; a zeroed struct is an empty one. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_deinit(struct buf *b);

/* Makes room for extra more bytes behind the last; the length stays. It doubles as it
 * grows. */
void buf_grow(struct buf *b, size_t extra);

/* The same, doing nothing where there is room: for hot paths. Gives where to write. */
static inline char *
buf_reserve(struct buf *b, size_t extra)
{
    if (b->cap - b->len < extra)
        buf_grow(b, extra);
    return b->data + b->len;
}

static inline void
buf_append(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(b, len), data, len);
    b->len += len;
}

static inline void
buf_append_bytes(struct buf *b, struct bytes s)
{
    buf_append(b, s.data, s.len);
}

void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops the first len bytes; the rest moves to the front. */
void buf_consume(struct buf *b, size_t len);

/* Empties it; memory over keep bytes is given back. */
void buf_clear(struct buf *b, size_t keep);

/* The same two with a spare, an empty buffer whose memory goes round: what is fresh from
 * the kernel has to be cleared, page by page, and that takes longer than filling it. It is
 * used where much is wanted, and takes the place of a smaller one. */
#define BUF_SPARE_MAX ((size_t)9 * 1024 * 1024) /* bytes it has at the most */
void buf_grow_from(struct buf *b, size_t extra, struct buf *spare);
void buf_clear_to(struct buf *b, size_t keep, struct buf *spare);

static inline struct bytes
buf_bytes(const struct buf *b)
{
    return bytes_of(b->data, b->len);
}

#endif
