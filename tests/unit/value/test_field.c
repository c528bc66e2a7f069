/* field: integers that stand anywhere in a string. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "value/field.h"

static struct field
field_of(const char *text)
{
    struct field f;

    assert_true(field_parse(bytes_str(text), &f));
    return f;
}

static void
test_field_types_are_read(void **state)
{
    static const char *const wrong[] = {"",
                                        "i",
                                        "u",
                                        "i0",
                                        "u0",
                                        "i65",
                                        "u64",
                                        "x8",
                                        "U8",
                                        "I8",
                                        "u08",
                                        "u 8",
                                        "u+8",
                                        "i-1",
                                        "8",
                                        "u8 ",
                                        "i9999999999999999999"};

    (void)state;
    for (unsigned bits = 1; bits <= 64; bits++) {
        char text[] = {'i', (char)('0' + bits / 10), (char)('0' + bits % 10), '\0'};
        if (bits < 10)
            memmove(text + 1, text + 2, 2);
        struct field f = field_of(text);
        assert_true(f.is_signed && f.bits == bits);
    }
    assert_false(field_of("u63").is_signed);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct field f;
        assert_false(field_parse(bytes_str(wrong[i]), &f));
    }
}

static void
test_field_gives_back_what_was_put(void **state)
{
    char bytes[FIELD_BYTES_MAX];

    (void)state;
    for (unsigned bits = 1; bits <= 64; bits++) {
        for (unsigned at = 0; at < 8; at++) {
            struct field f = {true, bits};
            struct bytes s = bytes_of(bytes, sizeof bytes);
            int64_t least = INT64_MIN >> (64 - bits);
            memset(bytes, 0x5a, sizeof bytes);
            field_put(f, bytes, at, least);
            assert_int_equal(field_get(f, s, at), least);
            field_put(f, bytes, at, -1 - least);
            assert_int_equal(field_get(f, s, at), -1 - least);
        }
    }
}

static void
test_field_leaves_its_neighbours_alone(void **state)
{
    char bytes[3] = {0, 0, 0};

    (void)state;
    field_put((struct field){false, 9}, bytes, 7, 0x1ff);
    assert_memory_equal(bytes, "\x01\xff\x00", 3);
    memset(bytes, 0xff, sizeof bytes);
    field_put((struct field){true, 9}, bytes, 7, 0);
    assert_memory_equal(bytes, "\xfe\x00\xff", 3);
}

static void
test_field_is_zero_behind_the_end(void **state)
{
    struct bytes s = bytes_of("\xff", 1);

    (void)state;
    assert_int_equal(field_get(field_of("u8"), s, 4), 0xf0);
    assert_int_equal(field_get(field_of("i64"), s, 8), 0);
}

static void
assert_sum(const char *type, enum field_overflow overflow, int64_t value, int64_t delta,
           int64_t expected)
{
    int64_t sum;

    assert_true(field_add(field_of(type), overflow, value, delta, &sum));
    assert_int_equal(sum, expected);
}

static void
test_field_sums_wrap(void **state)
{
    (void)state;
    assert_sum("u8", FIELD_WRAP, 255, 1, 0);
    assert_sum("u8", FIELD_WRAP, 0, -1, 255);
    assert_sum("u8", FIELD_WRAP, -1, 0, 255);
    assert_sum("i8", FIELD_WRAP, 127, 1, -128);
    assert_sum("i8", FIELD_WRAP, -128, -1, 127);
    assert_sum("i8", FIELD_WRAP, 1000, 0, -24);
    assert_sum("i64", FIELD_WRAP, INT64_MAX, 1, INT64_MIN);
    assert_sum("i64", FIELD_WRAP, INT64_MIN, INT64_MIN, 0);
    assert_sum("u63", FIELD_WRAP, INT64_MAX, 1, 0);
    assert_sum("u63", FIELD_WRAP, INT64_MAX, INT64_MAX, INT64_MAX - 1);
}

static void
test_field_sums_stay_at_the_ends(void **state)
{
    (void)state;
    assert_sum("u8", FIELD_SATURATE, 250, 10, 255);
    assert_sum("u8", FIELD_SATURATE, 5, -10, 0);
    assert_sum("i8", FIELD_SATURATE, 120, 10, 127);
    assert_sum("i8", FIELD_SATURATE, -120, -10, -128);
    assert_sum("i1", FIELD_SATURATE, 0, 1, 0);
    assert_sum("i1", FIELD_SATURATE, 0, -7, -1);
    assert_sum("i64", FIELD_SATURATE, INT64_MAX, 1, INT64_MAX);
    assert_sum("i64", FIELD_SATURATE, INT64_MIN, -1, INT64_MIN);
    assert_sum("u63", FIELD_SATURATE, INT64_MAX, 1, INT64_MAX);
    assert_sum("u63", FIELD_SATURATE, 0, INT64_MIN, 0);
}

static void
test_field_without_a_sign_takes_a_negative_value_for_too_large(void **state)
{
    (void)state;
    assert_sum("u8", FIELD_SATURATE, -1, 0, 255);
    assert_sum("u63", FIELD_SATURATE, INT64_MIN, 0, INT64_MAX);
}

static void
test_field_takes_a_value_for_too_large_that_is_too_far_from_its_greatest(void **state)
{
    (void)state;
    assert_sum("i8", FIELD_SATURATE, INT64_MIN, 0, 127);
    assert_sum("i8", FIELD_SATURATE, INT64_MIN + 126, 0, 127);
    assert_sum("i8", FIELD_SATURATE, INT64_MIN + 128, 0, -128);
    assert_sum("i64", FIELD_SATURATE, INT64_MIN, 0, INT64_MIN);
}

static void
test_field_tells_sums_that_do_not_fit(void **state)
{
    int64_t sum;

    (void)state;
    assert_false(field_add(field_of("u8"), FIELD_FAIL, 250, 10, &sum));
    assert_false(field_add(field_of("u8"), FIELD_FAIL, -1, 0, &sum));
    assert_false(field_add(field_of("i64"), FIELD_FAIL, INT64_MAX, 1, &sum));
    assert_false(field_add(field_of("i64"), FIELD_FAIL, INT64_MIN, -1, &sum));
    assert_sum("u8", FIELD_FAIL, 250, 5, 255);
    assert_sum("i64", FIELD_FAIL, INT64_MAX, INT64_MIN, -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_types_are_read),
        cmocka_unit_test(test_field_gives_back_what_was_put),
        cmocka_unit_test(test_field_leaves_its_neighbours_alone),
        cmocka_unit_test(test_field_is_zero_behind_the_end),
        cmocka_unit_test(test_field_sums_wrap),
        cmocka_unit_test(test_field_sums_stay_at_the_ends),
        cmocka_unit_test(test_field_without_a_sign_takes_a_negative_value_for_too_large),
        cmocka_unit_test(
            test_field_takes_a_value_for_too_large_that_is_too_far_from_its_greatest),
        cmocka_unit_test(test_field_tells_sums_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
