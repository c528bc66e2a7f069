/* See record.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/record.h"
#include <assert.h>
#include <endian.h>

#define TYPE_MASK 0x7f

size_t
record_head(char *head, enum type type, int64_t deadline)
{
    assert(deadline >= 0);

    head[0] = RECORD_VERSION;
    head[1] = (char)type;
    if (deadline == 0)
        return 2;

    uint64_t le = htole64((uint64_t)deadline);
    head[1] = (char)(type | RECORD_HAS_DEADLINE);
    memcpy(head + 2, &le, sizeof le);
    return 2 + sizeof le;
}

void
record_encode(struct buf *out, enum type type, int64_t deadline, struct bytes value)
{
    out->len += record_head(buf_reserve(out, RECORD_HEAD_MAX), type, deadline);
    buf_append_bytes(out, value);
}

int
record_decode(struct bytes bytes, struct record *out)
{
    if (bytes.len < 2 || bytes.data[0] != RECORD_VERSION)
        return -1;

    unsigned char second = (unsigned char)bytes.data[1];
    size_t head = 2;

    out->type = second & TYPE_MASK;
    out->deadline = 0;
    if (out->type != TYPE_STRING)
        return -1;
    if (second & RECORD_HAS_DEADLINE) {
        uint64_t le;

        if (bytes.len < head + sizeof le)
            return -1;
        memcpy(&le, bytes.data + head, sizeof le);
        out->deadline = (int64_t)le64toh(le);
        if (out->deadline <= 0)
            return -1;
        head += sizeof le;
    }
    out->value = bytes_of(bytes.data + head, bytes.len - head);
    return 0;
}

const char *
type_name(enum type type)
{
    assert(type == TYPE_STRING);
    return "string";
}
