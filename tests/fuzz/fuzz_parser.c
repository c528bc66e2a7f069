/*
 * fuzz_parser: bytes give the same requests, and the same error, whole, cut in two and
 * one by one; and no request takes more bytes than there are, as lib/requests.h asserts.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "lib/requests.h"

#define BULK_MAX  1000
#define INPUT_MAX 2000 /* the time grows with the square of it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
assert_same(struct buf expected, struct buf log)
{
    assert(bytes_eq(buf_bytes(&expected), buf_bytes(&log)));
    buf_deinit(&log);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    struct bytes wire = bytes_of((const char *)data + 1, size - 1);
    size_t cut = data[0] * wire.len / UINT8_MAX;

    struct buf whole = requests_cut(wire, wire.len, BULK_MAX);
    assert_same(whole, requests_cut(wire, cut, BULK_MAX));
    assert_same(whole, requests_trickle(wire, BULK_MAX));
    buf_deinit(&whole);
    return 0;
}
