/*
 * fuzz_effect: any bytes are effects up to where they are none, nothing beyond them is
 * read, and what was read is written as the same bytes.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/effect.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of((const char *)data, size), rest = input;
    struct buf again = {0};
    struct effect e;
    int64_t count = 0, expires = 0;
    int more;

    while ((more = effect_next(&rest, &e)) == 1) {
        assert(e.kind >= EFFECT_CREATE && e.kind <= EFFECT_PATCH);
        assert(e.key.data >= input.data);
        assert(e.record.data + e.record.len == rest.data);
        effect_count(&e, &count, &expires);
        effect_begin(&again, e.kind, e.flags, e.store, e.key, e.record.len);
        buf_append_bytes(&again, e.record);
    }
    assert((more == 0) == (rest.len == 0));
    assert(rest.data + rest.len == input.data + input.len);
    assert(bytes_eq(buf_bytes(&again), bytes_of(input.data, size - rest.len)));
    buf_deinit(&again);
    return 0;
}
