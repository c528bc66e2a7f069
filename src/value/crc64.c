/*
 * See crc64.h. The table says what becomes of a byte that is pushed out; it is the sum
 * (XOR) of what becomes of its bits, so eight numbers make all of it. For long runs of bytes
 * it is widened to tables for eight bytes at once, which takes a few us.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/crc64.h"

#include <endian.h>

#define LONG (16 * 1024) /* bytes from which on the wider tables pay */

/* clang-format off */
#define OF_BIT(byte, bit, crc) ((byte) & (bit) ? UINT64_C(crc) : 0)
#define OF_BYTE(byte)                                                                    \
    (OF_BIT(byte, 0x01, 0x7ad870c830358979) ^ OF_BIT(byte, 0x02, 0xf5b0e190606b12f2) ^   \
     OF_BIT(byte, 0x04, 0xc038e5739841b68f) ^ OF_BIT(byte, 0x08, 0xab28ecb46814fe75) ^   \
     OF_BIT(byte, 0x10, 0x7d08ff3b88be6f81) ^ OF_BIT(byte, 0x20, 0xfa11fe77117cdf02) ^   \
     OF_BIT(byte, 0x40, 0xdf7adabd7a6e2d6f) ^ OF_BIT(byte, 0x80, 0x95ac9329ac4bc9b5))
#define OF_4(byte)  OF_BYTE(byte), OF_BYTE((byte) + 1), OF_BYTE((byte) + 2), OF_BYTE((byte) + 3)
#define OF_16(byte) OF_4(byte), OF_4((byte) + 4), OF_4((byte) + 8), OF_4((byte) + 12)
#define OF_64(byte) OF_16(byte), OF_16((byte) + 16), OF_16((byte) + 32), OF_16((byte) + 48)
/* clang-format on */

static const uint64_t of_byte[256] = {OF_64(0), OF_64(64), OF_64(128), OF_64(192)};

static uint64_t
push(uint64_t crc)
{
    return crc >> 8 ^ of_byte[crc & 0xff];
}

/* What becomes of a byte that `behind` others follow in its word. */
static void
fill(uint64_t table[8][256])
{
    for (int byte = 0; byte < 256; byte++) {
        table[0][byte] = of_byte[byte];
        for (int behind = 1; behind < 8; behind++)
            table[behind][byte] = push(table[behind - 1][byte]);
    }
}

/* Eight bytes at once: their sums can be looked up side by side. */
static uint64_t
push_word(uint64_t table[8][256], uint64_t crc, const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    word = le64toh(word) ^ crc;
    crc = 0;
    for (int i = 0; i < 8; i++)
        crc ^= table[7 - i][word >> 8 * i & 0xff];
    return crc;
}

uint64_t
crc64(struct bytes bytes)
{
    uint64_t crc = 0, table[8][256];
    size_t i = 0;

    if (bytes.len >= LONG) {
        fill(table);
        for (; bytes.len - i >= 8; i += 8)
            crc = push_word(table, crc, bytes.data + i);
    }
    for (; i < bytes.len; i++)
        crc = push(crc ^ (uint8_t)bytes.data[i]);
    return crc;
}
