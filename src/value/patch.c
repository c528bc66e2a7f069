/* See patch.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/patch.h"
#include <endian.h>

#define REACH_MAX (UINT32_MAX - RECORD_HEAD_MAX) /* a record has its length in 4 bytes */

size_t
patch_head(char *head, enum type type, int64_t deadline, size_t at)
{
    size_t len = record_head(head, type, deadline);
    uint64_t le = htole64(at);

    memcpy(head + len, &le, sizeof le);
    return len + sizeof le;
}

int
patch_decode(struct bytes bytes, struct patch *out)
{
    struct record record;
    uint64_t le;

    if (record_decode(bytes, &record) != 0 || record.value.len < sizeof le)
        return -1;
    memcpy(&le, record.value.data, sizeof le);
    uint64_t at = le64toh(le);
    size_t len = record.value.len - sizeof le;
    if (at > REACH_MAX || len > REACH_MAX - at)
        return -1;

    out->type = record.type;
    out->deadline = record.deadline;
    out->at = (size_t)at;
    out->bytes = bytes_of(record.value.data + sizeof le, len);
    return 0;
}

size_t
patch_length(const struct patch *p, size_t len)
{
    size_t end = p->at + p->bytes.len;

    return end > len ? end : len;
}

void
patch_write(const struct patch *p, char *value, size_t len)
{
    if (p->at > len)
        memset(value + len, 0, p->at - len);
    if (p->bytes.len > 0)
        memcpy(value + p->at, p->bytes.data, p->bytes.len);
}

int
patch_record(struct buf *record, const struct patch *p)
{
    struct record old = {.value = bytes_of(NULL, 0)};
    char head[RECORD_HEAD_MAX];

    if (record->len > 0 && record_decode(buf_bytes(record), &old) != 0)
        return -1;
    size_t head_len = record_head(head, p->type, p->deadline);
    size_t old_head_len = record->len - old.value.len;
    size_t len = patch_length(p, old.value.len);

    record->len = 0;
    buf_reserve(record, head_len + len);
    if (head_len != old_head_len)
        memmove(record->data + head_len, record->data + old_head_len, old.value.len);
    memcpy(record->data, head, head_len);
    patch_write(p, record->data + head_len, old.value.len);
    record->len = head_len + len;
    return 0;
}
