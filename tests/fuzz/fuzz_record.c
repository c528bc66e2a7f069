/*
 * fuzz_record: any bytes are a record or none, nothing beyond them is read, and what was
 * read is written as the same bytes.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/record.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of((const char *)data, size);
    struct record record;
    struct buf again = {0};

    if (record_decode(input, &record) != 0)
        return 0;
    assert(record.deadline >= 0);
    assert(record.value.data + record.value.len == input.data + input.len);
    record_encode(&again, record.type, record.deadline, record.value);
    assert(bytes_eq(buf_bytes(&again), input));
    buf_deinit(&again);
    return 0;
}
