/*
 * dump: a value as DUMP answers it and RESTORE takes it, in Redis's format, so that
 * values can be carried from one to the other.
 *
 *   1 byte    type: 0 string
 *   ...       the value
 *   2         version, little endian
 *   8         checksum of all before (crc64.h), little endian
 *
 * A string begins with a length or with what stands in its place:
 *
 *   00llllll                      length, the bytes
 *   01llllll llllllll             length, big endian, the bytes
 *   10000000 and 4 bytes          the same
 *   10000001 and 8 bytes          the same
 *   11000000 and 1 byte           a number, little endian; the string is its digits
 *   11000001 and 2 bytes          the same
 *   11000010 and 4 bytes          the same
 *   11000011 length length bytes  compressed: length as it is, length as it was, LZF
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_DUMP_H
#define VALUE_DUMP_H

#include "base/buf.h"
#include <stdbool.h>

#define DUMP_VERSION 10 /* the newest that is read; that of Redis 7.0 */

/* Appends the payload of a string. */
void dump_encode(struct buf *out, struct bytes string);

/* How many bytes the string takes in a payload. */
size_t dump_string_size(struct bytes string);

/* Whether a payload is of a version that is known, and its checksum is right. */
bool dump_is_whole(struct bytes payload);

/* The string of a whole payload, borrowed from the payload or, where it had to be made,
 * from scratch, which was empty. 0, or -1 where it is no string or makes no sense. */
int dump_decode(struct bytes payload, struct buf *scratch, struct bytes *string);

#endif
