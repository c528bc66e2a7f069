/*
 * See dump.h. How a string is written decides the bytes that clients see, so it is done
 * as Redis does it: as a number where it is one of at most 32 bits, else compressed where
 * that makes it shorter, else as it is.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/dump.h"

#include <endian.h>
#include <stdint.h>

#include <lzf.h>

#include "base/number.h"
#include "value/crc64.h"
#include "value/string.h"

#define VERSION_LEN  2
#define CHECKSUM_LEN 8
#define TAIL         (VERSION_LEN + CHECKSUM_LEN)

#define STRING 0 /* a type */

/* The first byte of a string; the lower 6 bits of the first two belong to the length. */
enum {
    LENGTH_6 = 0x00,
    LENGTH_14 = 0x40,
    LENGTH_32 = 0x80,
    LENGTH_64 = 0x81,
    NUMBER_8 = 0xc0,
    NUMBER_16 = 0xc1,
    NUMBER_32 = 0xc2,
    COMPRESSED = 0xc3
};
#define KIND_MASK 0xc0

#define COMPRESS_ABOVE 20 /* bytes of a string */
#define COMPRESS_GAIN  4  /* bytes it must become shorter by */
#define EXPANSION_MAX  88 /* LZF makes 264 bytes of 3 at most */

/* --- writing --- */

static void
put_byte(struct buf *out, int byte)
{
    char c = (char)byte;

    buf_append(out, &c, 1);
}

static void
put_length(struct buf *out, uint64_t len)
{
    if (len < 1 << 6) {
        put_byte(out, LENGTH_6 | (int)len);
    } else if (len < 1 << 14) {
        put_byte(out, LENGTH_14 | (int)(len >> 8));
        put_byte(out, (int)(len & 0xff));
    } else if (len <= UINT32_MAX) {
        uint32_t be = htobe32((uint32_t)len);
        put_byte(out, LENGTH_32);
        buf_append(out, &be, sizeof be);
    } else {
        uint64_t be = htobe64(len);
        put_byte(out, LENGTH_64);
        buf_append(out, &be, sizeof be);
    }
}

static bool
put_number(struct buf *out, struct bytes string)
{
    int64_t number;

    if (!number_parse(string, &number) || number < INT32_MIN || number > INT32_MAX)
        return false;
    uint64_t le = htole64((uint64_t)number);
    if (number >= INT8_MIN && number <= INT8_MAX) {
        put_byte(out, NUMBER_8);
        buf_append(out, &le, 1);
    } else if (number >= INT16_MIN && number <= INT16_MAX) {
        put_byte(out, NUMBER_16);
        buf_append(out, &le, 2);
    } else {
        put_byte(out, NUMBER_32);
        buf_append(out, &le, 4);
    }
    return true;
}

static bool
put_compressed(struct buf *out, struct bytes string)
{
    if (string.len <= COMPRESS_ABOVE || string.len > STRING_MAX)
        return false;
    unsigned max = (unsigned)string.len - COMPRESS_GAIN;
    struct buf lzf = {0};
    lzf.len =
        lzf_compress(string.data, (unsigned)string.len, buf_reserve(&lzf, max), max);
    if (lzf.len > 0) {
        put_byte(out, COMPRESSED);
        put_length(out, lzf.len);
        put_length(out, string.len);
        buf_append_bytes(out, buf_bytes(&lzf));
    }
    bool shorter = lzf.len > 0;
    buf_deinit(&lzf);
    return shorter;
}

static void
put_tail(struct buf *out, size_t start)
{
    uint16_t version = htole16(DUMP_VERSION);

    buf_append(out, &version, sizeof version);
    uint64_t checksum = htole64(crc64(bytes_of(out->data + start, out->len - start)));
    buf_append(out, &checksum, sizeof checksum);
}

static void
put_string(struct buf *out, struct bytes string)
{
    if (put_number(out, string) || put_compressed(out, string))
        return;
    put_length(out, string.len);
    buf_append_bytes(out, string);
}

size_t
dump_string_size(struct bytes string)
{
    struct buf text = {0};

    put_string(&text, string);
    size_t size = text.len;
    buf_deinit(&text);
    return size;
}

void
dump_encode(struct buf *out, struct bytes string)
{
    size_t start = out->len;

    put_byte(out, STRING);
    put_string(out, string);
    put_tail(out, start);
}

/* --- reading --- */

bool
dump_is_whole(struct bytes payload)
{
    uint16_t version;
    uint64_t checksum;

    if (payload.len < TAIL)
        return false;
    size_t end = payload.len - TAIL;
    memcpy(&version, payload.data + end, sizeof version);
    memcpy(&checksum, payload.data + end + VERSION_LEN, sizeof checksum);
    return le16toh(version) <= DUMP_VERSION
           && le64toh(checksum) == crc64(bytes_of(payload.data, end + VERSION_LEN));
}

/* Takes len bytes from the front. False: there are fewer. */
static bool
take(struct bytes *from, uint64_t len, struct bytes *out)
{
    if (from->len < len)
        return false;
    *out = bytes_of(from->data, (size_t)len);
    *from = bytes_of(from->data + len, from->len - (size_t)len);
    return true;
}

static bool
take_byte(struct bytes *from, int *byte)
{
    struct bytes one;

    if (!take(from, 1, &one))
        return false;
    *byte = (uint8_t)one.data[0];
    return true;
}

/* Takes size bytes of a number, the high ones first. */
static bool
take_big_endian(struct bytes *from, size_t size, uint64_t *number)
{
    struct bytes raw;

    if (!take(from, size, &raw))
        return false;
    *number = 0;
    for (size_t i = 0; i < size; i++)
        *number = *number << 8 | (uint8_t)raw.data[i];
    return true;
}

/* The length whose first byte was taken. */
static bool
finish_length(struct bytes *from, int first, uint64_t *len)
{
    int second;

    *len = (uint64_t)(first & ~KIND_MASK);
    if ((first & KIND_MASK) == LENGTH_6)
        return true;
    if ((first & KIND_MASK) == LENGTH_14) {
        if (!take_byte(from, &second))
            return false;
        *len = *len << 8 | (uint64_t)second;
        return true;
    }
    if (first == LENGTH_32)
        return take_big_endian(from, sizeof(uint32_t), len);
    if (first == LENGTH_64)
        return take_big_endian(from, sizeof(uint64_t), len);
    return false;
}

static bool
take_length(struct bytes *from, uint64_t *len)
{
    int first;

    return take_byte(from, &first) && finish_length(from, first, len);
}

/* The digits of a number of size bytes. */
static bool
take_number(struct bytes *from, size_t size, struct buf *scratch)
{
    struct bytes raw;
    uint64_t le = 0;

    if (!take(from, size, &raw))
        return false;
    memcpy(&le, raw.data, size);
    unsigned above = 64 - 8 * (unsigned)size;
    int64_t number = (int64_t)(le64toh(le) << above) >> above;
    scratch->len = number_format(number, buf_reserve(scratch, NUMBER_TEXT_MAX));
    return true;
}

static bool
take_compressed(struct bytes *from, struct buf *scratch)
{
    uint64_t compressed_len, len;
    struct bytes raw;

    if (!take_length(from, &compressed_len) || !take_length(from, &len)
        || !take(from, compressed_len, &raw))
        return false;
    if (len == 0)
        return true;
    if (raw.len > STRING_MAX || len > STRING_MAX || len > raw.len * EXPANSION_MAX)
        return false;
    scratch->len = lzf_decompress(raw.data, (unsigned)raw.len,
                                  buf_reserve(scratch, (size_t)len), (unsigned)len);
    return scratch->len == len;
}

static bool
take_plain(struct bytes *from, int first, struct bytes *string)
{
    uint64_t len;

    return finish_length(from, first, &len) && len <= STRING_MAX
           && take(from, len, string);
}

/* What stands in the place of a length. */
static bool
take_made(struct bytes *from, int first, struct buf *scratch)
{
    switch (first) {
    case NUMBER_8:
        return take_number(from, 1, scratch);
    case NUMBER_16:
        return take_number(from, 2, scratch);
    case NUMBER_32:
        return take_number(from, 4, scratch);
    case COMPRESSED:
        return take_compressed(from, scratch);
    default:
        return false;
    }
}

int
dump_decode(struct bytes payload, struct buf *scratch, struct bytes *string)
{
    struct bytes rest = bytes_of(payload.data, payload.len - TAIL);
    int type, first;

    if (!take_byte(&rest, &type) || type != STRING || !take_byte(&rest, &first))
        return -1;
    if ((first & KIND_MASK) != KIND_MASK)
        return take_plain(&rest, first, string) ? 0 : -1;
    if (!take_made(&rest, first, scratch))
        return -1;
    *string = bytes_of(scratch->len > 0 ? scratch->data : "", scratch->len);
    return 0;
}
