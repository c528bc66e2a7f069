/* bits: strings as rows of bits. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/random.h"
#include "value/bits.h"

#define BYTES 40

static struct bytes
any_bytes(uint64_t *random, char data[BYTES])
{
    size_t len = random_below(random, BYTES + 1);
    static const char fills[] = {0, (char)0xff};

    memset(data, fills[random_below(random, 2)], len);
    for (size_t i = random_below(random, 4); i > 0 && len > 0; i--)
        data[random_below(random, len)] = (char)random_next(random);
    return bytes_of(data, len);
}

static void
test_bits_begin_with_the_highest_of_the_first_byte(void **state)
{
    struct bytes s = bytes_of("\x80\x01", 2);

    (void)state;
    assert_true(bits_get(s, 0));
    assert_false(bits_get(s, 1));
    assert_true(bits_get(s, 15));
}

static void
test_bits_behind_the_end_are_clear(void **state)
{
    (void)state;
    assert_false(bits_get(bytes_of("\xff", 1), 8));
    assert_false(bits_get(bytes_of("", 0), 0));
    assert_false(bits_get(bytes_of("\xff", 1), UINT64_MAX));
}

static void
test_bits_that_are_put_are_there_and_nothing_else_changes(void **state)
{
    char bytes[2] = {0x55, 0x55};

    (void)state;
    bits_put(bytes, 0, true);
    bits_put(bytes, 15, false);
    bits_put(bytes, 1, true);
    assert_memory_equal(bytes, "\xd5\x54", 2);
}

static void
test_bits_are_counted_and_found_as_one_by_one(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char data[BYTES];
        struct bytes s = any_bytes(&random, data);
        uint64_t first = random_below(&random, s.len * 8 + 1);
        uint64_t count = random_below(&random, s.len * 8 - first + 1), set = 0;
        int64_t where[2] = {-1, -1};
        for (uint64_t at = first; at < first + count; at++) {
            bool bit = bits_get(s, at);
            set += bit;
            if (where[bit] == -1)
                where[bit] = (int64_t)at;
        }
        assert_int_equal(bits_count(s, first, count), set);
        assert_int_equal(bits_find(s, false, first, count), where[false]);
        assert_int_equal(bits_find(s, true, first, count), where[true]);
    }
}

static bool
expected(enum bits_operation operation, bool a, bool b)
{
    if (operation == BITS_AND)
        return a && b;
    return operation == BITS_OR ? a || b : a != b;
}

/* The bit that is made of those of all strings. */
static bool
expected_of(enum bits_operation operation, const struct bytes *strings, size_t count,
            size_t at)
{
    bool bit = bits_get(strings[0], at);

    if (operation == BITS_NOT)
        return !bit;
    for (size_t i = 1; i < count; i++)
        bit = expected(operation, bit, bits_get(strings[i], at));
    return bit;
}

static void
test_bits_are_combined_as_one_by_one(void **state)
{
    uint64_t random = 2;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        enum bits_operation operation = (enum bits_operation)(round % 4);
        size_t count = operation == BITS_NOT ? 1 : 1 + random_below(&random, 4), len = 0;
        char data[4][BYTES], to[BYTES];
        struct bytes strings[4];
        for (size_t i = 0; i < count; i++) {
            strings[i] = any_bytes(&random, data[i]);
            len = strings[i].len > len ? strings[i].len : len;
        }
        size_t at = random_below(&random, len + 1);
        bits_combine(operation, to, 0, at, strings, count);
        bits_combine(operation, to + at, at, len - at, strings, count);
        for (size_t bit = 0; bit < len * 8; bit++)
            assert_int_equal(bits_get(bytes_of(to, len), bit),
                             expected_of(operation, strings, count, bit));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_begin_with_the_highest_of_the_first_byte),
        cmocka_unit_test(test_bits_behind_the_end_are_clear),
        cmocka_unit_test(test_bits_that_are_put_are_there_and_nothing_else_changes),
        cmocka_unit_test(test_bits_are_counted_and_found_as_one_by_one),
        cmocka_unit_test(test_bits_are_combined_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
