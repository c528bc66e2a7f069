/*
 * hyperloglog (hll for short): a string that tells about how many different elements it
 * was given, without keeping them. The bytes are Redis's, so that they can be read and written by both:
 *
 *   4 bytes    "HYLL"
 *   1          encoding: 0 dense, 1 sparse
 *   3          unused
 *   8          the count, little endian; its highest bit says that it is out of date
 *   the rest   16384 registers, each 0 to 63
 *
 *   dense      6 bits a register, the lowest bits first: 12288 bytes
 *   sparse     runs of equal registers:
 *                00llllll           zero, l + 1 registers
 *                01llllll llllllll  zero, l + 1 registers, the high bits first
 *                1vvvvvll           value v + 1, l + 1 registers
 *
 * An element is hashed to 64 bits: 14 choose a register, which keeps the highest place
 * that the lowest 1 of the others was ever found at.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_HYPERLOGLOG_H
#define VALUE_HYPERLOGLOG_H

#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

#define HLL_REGISTERS 16384

/* All registers, a byte each. */
struct hll_registers {
    uint8_t at[HLL_REGISTERS];
};

/* Whether the bytes begin as one. Its registers may be damaged nevertheless: functions
 * that look at them give -1 then. */
bool hll_is_one(struct bytes bytes);

bool hll_is_dense(struct bytes hll);

/* Makes hll, which is empty, one that was given nothing. */
void hll_init(struct buf *hll);

/* Gives it an element: 1 if that changed a register, and then its count is out of date; 0
 * if not. A sparse one becomes dense rather than longer than sparse_max bytes. */
int hll_add(struct buf *hll, struct bytes element, size_t sparse_max);

/* The same for a register and the value it must have at least. */
int hll_raise(struct buf *hll, unsigned index, uint8_t value, size_t sparse_max);

/* Makes a sparse one dense. 0. */
int hll_make_dense(struct buf *hll);

/* Raises each of the registers to what it is in hll. 0. */
int hll_gather(struct bytes hll, struct hll_registers *registers);

/* How many different elements the registers speak of (O. Ertl, "New cardinality
 * estimation algorithms for HyperLogLog sketches", 2017, algorithm 6). */
uint64_t hll_estimate(const struct hll_registers *registers);

/* The count that is kept in it, unless it is out of date. */
bool hll_has_count(struct bytes hll, uint64_t *count);

/* Keeps a count in it; or says that there is none. hll has at least a head. */
void hll_set_count(struct buf *hll, uint64_t count);
void hll_forget_count(struct buf *hll);

#endif
