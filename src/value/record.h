/*
 * record: a value and its deadline as bytes, in the log and in the tables.
 *
 *   byte 0        version, 1
 *   byte 1        type (enum type); RECORD_HAS_DEADLINE added where a deadline follows
 *   8 bytes       the deadline, ms since 1970, little endian; only where byte 1 says so
 *   the rest      the value; of a string: its bytes
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_RECORD_H
#define VALUE_RECORD_H

#include "base/buf.h"
#include "base/bytes.h"
#include <stdint.h>

#define RECORD_VERSION      1
#define RECORD_HAS_DEADLINE 0x80
#define RECORD_HEAD_MAX     10 /* bytes before the value */

enum type { TYPE_STRING = 1 };

struct record {
    enum type type;
    int64_t deadline;   /* ms since 1970; 0: none */
    struct bytes value; /* borrowed from what was decoded */
};

/* The bytes before the value, written to head[RECORD_HEAD_MAX]; gives their count. */
size_t record_head(char *head, enum type type, int64_t deadline);

void record_encode(struct buf *out, enum type type, int64_t deadline, struct bytes value);

/* 0; or -1 where the bytes are no record of a version and type that is known. */
int record_decode(struct bytes bytes, struct record *out);

/* What TYPE answers for it. */
const char *type_name(enum type type);

#endif
