/* See effect.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/effect.h"
#include <assert.h>
#include <endian.h>

static void
write_u32(char *at, uint32_t number)
{
    number = htole32(number);
    memcpy(at, &number, sizeof number);
}

static uint32_t
read_u32(const char *at)
{
    uint32_t number;

    memcpy(&number, at, sizeof number);
    return le32toh(number);
}

void
effect_begin(struct buf *out, enum effect_kind kind, unsigned flags, uint32_t store,
             struct bytes key, size_t record_len)
{
    assert(key.len <= UINT32_MAX && record_len <= UINT32_MAX);

    char *at = buf_reserve(out, EFFECT_HEAD + key.len + record_len);
    at[0] = (char)kind;
    at[1] = (char)flags;
    write_u32(at + 2, store);
    write_u32(at + 6, (uint32_t)key.len);
    write_u32(at + 10, (uint32_t)record_len);
    if (key.len > 0)
        memcpy(at + EFFECT_HEAD, key.data, key.len);
    out->len += EFFECT_HEAD + key.len;
}

int
effect_next(struct bytes *bytes, struct effect *out)
{
    const char *at = bytes->data;

    if (bytes->len == 0)
        return 0;
    if (bytes->len < EFFECT_HEAD || at[0] < EFFECT_CREATE || at[0] > EFFECT_PATCH)
        return -1;

    size_t key_len = read_u32(at + 6), record_len = read_u32(at + 10);
    size_t len = EFFECT_HEAD + key_len + record_len;
    if (bytes->len < len)
        return -1;

    out->kind = (enum effect_kind)at[0];
    out->flags = (unsigned char)at[1];
    out->store = read_u32(at + 2);
    out->key = bytes_of(at + EFFECT_HEAD, key_len);
    out->record = bytes_of(at + EFFECT_HEAD + key_len, record_len);
    *bytes = bytes_of(at + len, bytes->len - len);
    return 1;
}

void
effect_count(const struct effect *e, int64_t *count, int64_t *expires)
{
    if (e->kind == EFFECT_FLUSH) {
        *count = 0;
        *expires = 0;
        return;
    }
    if (e->kind == EFFECT_DELETE)
        *count -= 1;
    if (e->flags & EFFECT_NEW)
        *count += 1;
    if (e->flags & EFFECT_HAD_DEADLINE)
        *expires -= 1;
    if (e->flags & EFFECT_HAS_DEADLINE)
        *expires += 1;
}
