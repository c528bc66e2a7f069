/*
 * fuzz_hyperloglog: any bytes are a HyperLogLog, a damaged one or none; nothing beyond
 * them is read; one that is not damaged keeps its registers through every change.
 *
 * The first byte says how long a sparse one may be, the second to fourth which register
 * is raised, and how far; the rest is the value.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/hyperloglog.h"
#include <assert.h>

#define HEAD 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
assert_registers(const struct buf *hll, const struct hll_registers *expected)
{
    struct hll_registers registers = {0};

    assert(hll_is_one(buf_bytes(hll)));
    assert(hll_gather(buf_bytes(hll), &registers) == 0);
    assert(memcmp(&registers, expected, sizeof registers) == 0);
}

static void
change_whole(struct buf *hll, struct hll_registers *registers, unsigned index,
             uint8_t value, size_t sparse_max)
{
    bool more = value > registers->at[index];

    assert(hll_raise(hll, index, value, sparse_max) == more);
    if (more)
        registers->at[index] = value;
    assert_registers(hll, registers);
    assert(hll_make_dense(hll) == 0);
    assert(hll_is_dense(buf_bytes(hll)));
    assert_registers(hll, registers);
    (void)hll_estimate(registers);
}

static void
change(struct buf *hll, const uint8_t *data)
{
    struct hll_registers registers = {0};
    size_t sparse_max = (size_t)data[0] * 64;
    unsigned index = (data[1] | data[2] << 8) % HLL_REGISTERS;
    uint8_t value = data[3] % 63 + 1;

    if (hll_gather(buf_bytes(hll), &registers) == 0) {
        change_whole(hll, &registers, index, value, sparse_max);
        return;
    }
    assert(hll_make_dense(hll) == -1);
    hll_raise(hll, index, value, sparse_max);
    hll_add(hll, bytes_of((const char *)data, HEAD), sparse_max);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf hll = {0};

    if (size < HEAD)
        return 0;
    buf_append(&hll, data + HEAD, size - HEAD);
    if (hll_is_one(buf_bytes(&hll)))
        change(&hll, data);
    buf_deinit(&hll);
    return 0;
}
