/*
 * See crc64.h. The table says what becomes of a byte that is pushed out; it is the sum
 * (XOR) of what becomes of its bits, so eight numbers make all of it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/crc64.h"

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

static const uint64_t table[256] = {OF_64(0), OF_64(64), OF_64(128), OF_64(192)};

uint64_t
crc64(struct bytes bytes)
{
    uint64_t crc = 0;

    for (size_t i = 0; i < bytes.len; i++)
        crc = crc >> 8 ^ table[(crc ^ (uint8_t)bytes.data[i]) & 0xff];
    return crc;
}
