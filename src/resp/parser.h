/*
 * parser: bytes from a client to requests, RESP arrays of bulk strings and inline
 * commands (https://redis.io/docs/reference/protocol-spec/, and redis-server 7.0.15 where
 * it is silent).
 *
 * It keeps where it is in an unfinished request, so that a request that comes in many
 * pieces is read once. It holds offsets, never addresses: the caller may move the bytes
 * between calls.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef RESP_PARSER_H
#define RESP_PARSER_H

#include "base/buf.h"
#include "base/bytes.h"
#include <stdint.h>

#define PARSER_INLINE_MAX     (64 * 1024) /* bytes in a line: inline request or a count */
#define PARSER_ARGS_MAX       INT32_MAX   /* arguments in a request, as in Redis 7.0 */
#define PARSER_GUEST_ARGS_MAX 10          /* the same limits for who has not logged in */
#define PARSER_GUEST_BULK_MAX 16384

enum parsed {
    PARSED_MORE,    /* no whole request yet */
    PARSED_REQUEST, /* argv and argc say what */
    PARSED_ERROR    /* error says what; the connection is to be closed after it */
};

struct parser {
    size_t bulk_max;    /* bytes in one argument (proto-max-bulk-len) */
    bool guest;         /* has to log in and has not: small requests only */
    struct bytes *argv; /* of the last request; points into the bytes that were given, or,
                           if it was inline, into the parser */
    int argc;           /* 0: an empty line or array, which asks for nothing */
    size_t consumed;    /* bytes the request took */
    char error[128];    /* "Protocol error: ..." without the "-ERR " */
    /* The parser's own: */
    size_t pos;        /* bytes of the current request that are already understood */
    size_t searched;   /* bytes behind pos in which the end of a line was not found */
    int64_t args_left; /* -1: the count is not known yet */
    int64_t bulk_len;  /* -1: the next length is not known yet */
    size_t nargs, cap_args;
    struct buf unquoted; /* arguments of an inline request */
};

void parser_init(struct parser *p, size_t bulk_max);
void parser_deinit(struct parser *p);

/* Looks for one request at the front of data. data begins where the last request ended,
 * and is as before with more behind it after PARSED_MORE. After PARSED_REQUEST, argv is
 * good until the next call or until data goes away. */
enum parsed parser_next(struct parser *p, const char *data, size_t len);

/* Forgets an unfinished request: the next call starts at the front of its data. Also for
 * reading a request that was given already once more. */
void parser_restart(struct parser *p);

/* How many more bytes the unfinished request is known to need, 0 where it cannot be
 * known: for sizing the buffer of a large argument once. len is what parser_next last
 * had. */
size_t parser_missing(const struct parser *p, size_t len);

#endif
