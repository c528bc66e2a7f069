/*
 * requests: what a parser makes of bytes that come in pieces, written down as text, so
 * that two ways of cutting them can be compared. Each piece is given at a fresh address
 * in a block of its exact length: a sanitizer sees what is read too far or kept too long.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_REQUESTS_H
#define TESTS_REQUESTS_H

#include "base/mem.h"
#include "resp/parser.h"
#include <assert.h>
#include <stdlib.h>

struct requests {
    struct parser parser;
    struct buf pending; /* bytes from the first that is not consumed */
    struct buf log;     /* a line a request: "<3:GET><1:k>\n", or the error */
    bool failed;
};

static inline void
requests_init(struct requests *r, size_t bulk_max)
{
    *r = (struct requests){0};
    parser_init(&r->parser, bulk_max);
}

static inline void
requests_deinit(struct requests *r)
{
    parser_deinit(&r->parser);
    buf_deinit(&r->pending);
    buf_deinit(&r->log);
}

static inline void
requests_note(struct requests *r, enum parsed parsed)
{
    const struct parser *p = &r->parser;

    if (parsed == PARSED_ERROR)
        buf_printf(&r->log, "%s", p->error);
    for (int i = 0; parsed == PARSED_REQUEST && i < p->argc; i++) {
        buf_printf(&r->log, "<%zu:", p->argv[i].len);
        buf_append_bytes(&r->log, p->argv[i]);
        buf_append(&r->log, ">", 1);
    }
    buf_append(&r->log, "\n", 1);
}

/* Takes one request from what is pending; false when there is none. */
static inline bool
requests_next(struct requests *r)
{
    struct bytes pending = buf_bytes(&r->pending);
    char *fresh = xmalloc(pending.len);

    if (pending.len > 0)
        memcpy(fresh, pending.data, pending.len);
    enum parsed parsed = parser_next(&r->parser, fresh, pending.len);
    if (parsed != PARSED_MORE)
        requests_note(r, parsed);
    free(fresh);
    if (parsed == PARSED_REQUEST) {
        assert(r->parser.consumed > 0 && r->parser.consumed <= pending.len);
        buf_consume(&r->pending, r->parser.consumed);
    }
    r->failed = parsed == PARSED_ERROR;
    return parsed == PARSED_REQUEST;
}

static inline void
requests_feed(struct requests *r, const char *data, size_t len)
{
    if (r->failed)
        return;
    buf_append(&r->pending, data, len);
    while (requests_next(r))
        continue;
}

/* The log of data cut in two. The caller frees it with buf_deinit. */
static inline struct buf
requests_cut(struct bytes data, size_t cut, size_t bulk_max)
{
    struct requests r;

    requests_init(&r, bulk_max);
    requests_feed(&r, data.data, cut);
    requests_feed(&r, data.data + cut, data.len - cut);
    struct buf log = r.log;
    r.log = (struct buf){0};
    requests_deinit(&r);
    return log;
}

/* The log of data that comes byte by byte. */
static inline struct buf
requests_trickle(struct bytes data, size_t bulk_max)
{
    struct requests r;

    requests_init(&r, bulk_max);
    for (size_t i = 0; i < data.len; i++)
        requests_feed(&r, data.data + i, 1);
    struct buf log = r.log;
    r.log = (struct buf){0};
    requests_deinit(&r);
    return log;
}

#endif
