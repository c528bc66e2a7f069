/*
 * reply: replies to bytes. The only place that knows RESP2 from RESP3: commands call
 * these and never ask for the protocol.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef RESP_REPLY_H
#define RESP_REPLY_H

#include "base/buf.h"
#include <stdint.h>

struct reply {
    struct buf *out;   /* borrowed */
    int protocol;      /* 2 or 3 */
    struct buf *spare; /* for what is long (buf_grow_from), borrowed; NULL: none */
};

void reply_ok(struct reply *r);
void reply_simple(struct reply *r, const char *text); /* +text, no CR or LF in it */
void reply_simple_bytes(struct reply *r, struct bytes text); /* the same */
/* -text, where text begins with its code ("ERR ..."); CR and LF become spaces. */
void reply_error(struct reply *r, struct bytes text);
void reply_int(struct reply *r, int64_t number);
void reply_bulk(struct reply *r, struct bytes value);
void reply_bulk_str(struct reply *r, const char *text);
void reply_bulk_int(struct reply *r, int64_t number); /* a bulk string of digits */
void reply_null(struct reply *r);                     /* $-1, or _ */
void reply_null_array(struct reply *r);               /* *-1, or _ */
void reply_array(struct reply *r, size_t count);      /* count elements follow */
void reply_map(struct reply *r, size_t pairs); /* 2 * pairs follow; RESP2: an array */
/* A pair of a map: a name and a number. */
void reply_figure(struct reply *r, const char *name, int64_t number);
void reply_set(struct reply *r, size_t count);     /* RESP2: an array */
void reply_push(struct reply *r, size_t count);    /* RESP2: an array */
void reply_bool(struct reply *r, bool yes);        /* RESP2: 1 or 0 */
void reply_double(struct reply *r, double number); /* RESP2: a bulk string */
/* An integer of any size, in digits; RESP2: a bulk string. */
void reply_big_number(struct reply *r, const char *digits);
/* Pairs about the reply that follows them, 2 * pairs follow; only for RESP3. */
void reply_attribute(struct reply *r, size_t pairs);
/* RESP3 =len txt:...; RESP2 a bulk string. format is three letters, "txt". */
void reply_verbatim(struct reply *r, const char *format, struct bytes text);

#endif
