/*
 * bits: bits up to the first whole byte and behind the last one are looked at one by one,
 * what lies between in words of eight bytes.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/bits.h"

#include <assert.h>

#define WORD sizeof(uint64_t)

static uint64_t
load(const char *from)
{
    uint64_t word;

    memcpy(&word, from, WORD);
    return word;
}

static void
store(char *to, uint64_t word)
{
    memcpy(to, &word, WORD);
}

static bool
bit_of(const char *bytes, uint64_t at)
{
    return (unsigned char)bytes[at / 8] >> (7 - at % 8) & 1;
}

bool
bits_get(struct bytes s, uint64_t at)
{
    return at / 8 < s.len && bit_of(s.data, at);
}

void
bits_put(char *bytes, uint64_t at, bool bit)
{
    unsigned mask = 1u << (7 - at % 8);
    unsigned byte = (unsigned char)bytes[at / 8];

    bytes[at / 8] = (char)(bit ? byte | mask : byte & ~mask);
}

/* Added up in pairs, in fours, in bytes, then all bytes at once. The compiler's own is a
 * call where the processor need not have an instruction for it. */
static inline uint64_t
count_word(uint64_t w)
{
    w -= w >> 1 & UINT64_C(0x5555555555555555);
    w = (w & UINT64_C(0x3333333333333333)) + (w >> 2 & UINT64_C(0x3333333333333333));
    w = (w + (w >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return w * UINT64_C(0x0101010101010101) >> 56;
}

static uint64_t
count_bytes(const char *bytes, size_t len)
{
    uint64_t count = 0;

    for (; len >= WORD; bytes += WORD, len -= WORD)
        count += count_word(load(bytes));
    for (; len > 0; bytes++, len--)
        count += count_word((unsigned char)*bytes);
    return count;
}

uint64_t
bits_count(struct bytes s, uint64_t first, uint64_t count)
{
    uint64_t end = first + count, found = 0;

    assert(end <= s.len * 8);
    for (; first < end && first % 8 != 0; first++)
        found += bit_of(s.data, first);
    size_t whole = (size_t)((end - first) / 8);
    found += count_bytes(s.data + first / 8, whole);
    for (first += whole * 8; first < end; first++)
        found += bit_of(s.data, first);
    return found;
}

/* How many bytes there are in front of the first that is not as skipped. */
static size_t
skip_bytes(const char *bytes, size_t len, unsigned char skipped)
{
    uint64_t word = skipped * UINT64_C(0x0101010101010101);
    size_t at = 0;

    while (at + WORD <= len && load(bytes + at) == word)
        at += WORD;
    while (at < len && (unsigned char)bytes[at] == skipped)
        at++;
    return at;
}

int64_t
bits_find(struct bytes s, bool bit, uint64_t first, uint64_t count)
{
    uint64_t end = first + count;

    assert(end <= s.len * 8);
    for (; first < end && first % 8 != 0; first++) {
        if (bit_of(s.data, first) == bit)
            return (int64_t)first;
    }
    first +=
        8 * skip_bytes(s.data + first / 8, (size_t)((end - first) / 8), bit ? 0 : 255);
    for (; first < end; first++) {
        if (bit_of(s.data, first) == bit)
            return (int64_t)first;
    }
    return -1;
}

static uint64_t
combined(enum bits_operation operation, uint64_t a, uint64_t b)
{
    switch (operation) {
    case BITS_AND:
        return a & b;
    case BITS_OR:
        return a | b;
    case BITS_XOR:
        return a ^ b;
    case BITS_NOT:
        return ~b;
    }
    assert(!"an operation");
    return 0;
}

/* Inlined once for each operation, so that none is asked for inside the loops. */
static inline __attribute__((always_inline)) void
combine(enum bits_operation operation, char *to, size_t len, struct bytes from)
{
    size_t at = 0;

    for (; at + WORD <= from.len; at += WORD)
        store(to + at, combined(operation, load(to + at), load(from.data + at)));
    for (; at < from.len; at++)
        to[at] = (char)combined(operation, (unsigned char)to[at],
                                (unsigned char)from.data[at]);
    for (; at + WORD <= len; at += WORD)
        store(to + at, combined(operation, load(to + at), 0));
    for (; at < len; at++)
        to[at] = (char)combined(operation, (unsigned char)to[at], 0);
}

static void
combine_with(enum bits_operation operation, char *to, size_t len, struct bytes from)
{
    switch (operation) {
    case BITS_AND:
        combine(BITS_AND, to, len, from);
        break;
    case BITS_OR:
        combine(BITS_OR, to, len, from);
        break;
    case BITS_XOR:
        combine(BITS_XOR, to, len, from);
        break;
    case BITS_NOT:
        combine(BITS_NOT, to, len, from);
        break;
    }
}

/* What a string has in the len bytes from `at` on. */
static struct bytes
part_of(struct bytes s, size_t at, size_t len)
{
    size_t left = s.len > at ? s.len - at : 0;

    return left == 0 ? bytes_of("", 0) : bytes_of(s.data + at, left < len ? left : len);
}

void
bits_combine(enum bits_operation operation, char *to, size_t at, size_t len,
             const struct bytes *strings, size_t count)
{
    assert(count > 0);
    struct bytes first = part_of(strings[0], at, len);

    memcpy(to, first.data, first.len);
    memset(to + first.len, 0, len - first.len);
    if (operation == BITS_NOT)
        combine_with(BITS_NOT, to, len, first);
    for (size_t i = 1; i < count; i++)
        combine_with(operation, to, len, part_of(strings[i], at, len));
}
