/*
 * fuzz_patch: any bytes, cut in two, are a record and a patch or not; what is patched is a
 * record again, and the same when it is patched once more.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/patch.h"
#include <assert.h>

#define LENGTH_MAX (1024 * 1024) /* a patch far beyond the end would only fill memory */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] > size - 1)
        return 0;
    struct bytes old = bytes_of((const char *)data + 1, data[0]);
    struct bytes patch = bytes_of(old.data + old.len, size - 1 - old.len);
    struct buf record = {0}, once = {0};
    struct record after;
    struct patch p;

    buf_append_bytes(&record, old);
    if (patch_decode(patch, &p) == 0 && p.at < LENGTH_MAX) {
        if (patch_record(&record, &p) == 0) {
            assert(record_decode(buf_bytes(&record), &after) == 0);
            assert(after.deadline == p.deadline && after.value.len >= p.at + p.bytes.len);
            assert(bytes_eq(bytes_of(after.value.data + p.at, p.bytes.len), p.bytes));
            buf_append_bytes(&once, buf_bytes(&record));
            assert(patch_record(&record, &p) == 0);
            assert(bytes_eq(buf_bytes(&record), buf_bytes(&once)));
        } else {
            assert(bytes_eq(buf_bytes(&record), old));
        }
    }
    buf_deinit(&once);
    buf_deinit(&record);
    return 0;
}
