/* hyperloglog: what it counts, its two encodings, and damaged ones. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/random.h"
#include "value/hyperloglog.h"
#include <stdio.h>

#define SPARSE_MAX 3000
#define NO_MAX     SIZE_MAX
#define DENSE_LEN  12304
#define EMPTY      "HYLL\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff"
#define EMPTY_LEN  18
#define HEAD_LEN   16
#define SEED       1

static void
add_numbers(struct buf *hll, int from, int to, size_t sparse_max)
{
    char text[16];

    for (int i = from; i < to; i++) {
        size_t len = (size_t)snprintf(text, sizeof text, "%d", i);
        assert_int_not_equal(hll_add(hll, bytes_of(text, len), sparse_max), -1);
    }
}

static uint64_t
count(const struct buf *hll)
{
    struct hll_registers registers = {0};

    assert_int_equal(hll_gather(buf_bytes(hll), &registers), 0);
    return hll_estimate(&registers);
}

static void
assert_registers(const struct buf *hll, const struct hll_registers *expected)
{
    struct hll_registers registers = {0};

    assert_int_equal(hll_gather(buf_bytes(hll), &registers), 0);
    assert_memory_equal(&registers, expected, sizeof registers);
}

static void
test_hll_that_was_given_nothing_counts_none(void **state)
{
    struct buf hll = {0};
    uint64_t kept;

    (void)state;
    hll_init(&hll);
    assert_int_equal(hll.len, EMPTY_LEN);
    assert_memory_equal(hll.data, EMPTY, EMPTY_LEN);
    assert_true(hll_is_one(buf_bytes(&hll)));
    assert_false(hll_is_dense(buf_bytes(&hll)));
    assert_int_equal(count(&hll), 0);
    assert_true(hll_has_count(buf_bytes(&hll), &kept));
    assert_int_equal(kept, 0);
    buf_deinit(&hll);
}

static void
test_hll_counts_few_elements_exactly(void **state)
{
    struct buf hll = {0};

    (void)state;
    hll_init(&hll);
    for (int i = 0; i < 100; i++) {
        add_numbers(&hll, i, i + 1, SPARSE_MAX);
        assert_int_equal(count(&hll), i + 1);
    }
    buf_deinit(&hll);
}

/* The standard error is 0.81%. */
static void
test_hll_counts_many_elements_about_right(void **state)
{
    static const int numbers[] = {1000, 10000, 100000, 1000000};
    struct buf hll = {0};
    int added = 0;

    (void)state;
    hll_init(&hll);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        add_numbers(&hll, added, numbers[i], SPARSE_MAX);
        added = numbers[i];
        assert_in_range(count(&hll), added / 100 * 97, added / 100 * 103);
    }
    buf_deinit(&hll);
}

static void
test_hll_is_not_changed_by_what_it_was_given_before(void **state)
{
    struct buf hll = {0};

    (void)state;
    hll_init(&hll);
    assert_int_equal(hll_add(&hll, bytes_str("a"), SPARSE_MAX), 1);
    assert_int_equal(hll_add(&hll, bytes_str("a"), SPARSE_MAX), 0);
    assert_int_equal(hll_add(&hll, bytes_str(""), SPARSE_MAX), 1);
    assert_int_equal(hll_add(&hll, bytes_str(""), SPARSE_MAX), 0);
    assert_int_equal(hll_make_dense(&hll), 0);
    assert_int_equal(hll_add(&hll, bytes_str("a"), SPARSE_MAX), 0);
    assert_int_equal(hll_add(&hll, bytes_str("b"), SPARSE_MAX), 1);
    assert_int_equal(hll_add(&hll, bytes_str("b"), SPARSE_MAX), 0);
    buf_deinit(&hll);
}

/* --- the count that is kept --- */

static void
test_hll_keeps_a_count_until_a_register_changes(void **state)
{
    struct buf hll = {0};
    uint64_t kept;

    (void)state;
    hll_init(&hll);
    assert_int_equal(hll_add(&hll, bytes_str("a"), SPARSE_MAX), 1);
    assert_false(hll_has_count(buf_bytes(&hll), &kept));
    hll_set_count(&hll, 0x0102030405060708);
    assert_memory_equal(hll.data + 8, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    assert_int_equal(hll_add(&hll, bytes_str("a"), SPARSE_MAX), 0);
    assert_true(hll_has_count(buf_bytes(&hll), &kept));
    assert_int_equal(kept, 0x0102030405060708);
    assert_int_equal(hll_make_dense(&hll), 0);
    assert_true(hll_has_count(buf_bytes(&hll), &kept));
    assert_int_equal(hll_add(&hll, bytes_str("b"), SPARSE_MAX), 1);
    assert_false(hll_has_count(buf_bytes(&hll), &kept));
    buf_deinit(&hll);
}

static void
test_hll_forgets_a_count_but_for_its_digits(void **state)
{
    struct buf hll = {0};

    (void)state;
    hll_init(&hll);
    hll_set_count(&hll, 5);
    hll_forget_count(&hll);
    hll_forget_count(&hll);
    assert_memory_equal(hll.data + 8, "\x05\0\0\0\0\0\0\x80", 8);
    buf_deinit(&hll);
}

/* --- encodings --- */

static void
test_hll_becomes_dense_rather_than_longer_than_it_may(void **state)
{
    struct buf hll = {0};

    (void)state;
    hll_init(&hll);
    for (int i = 0; !hll_is_dense(buf_bytes(&hll)); i++) {
        assert_in_range(hll.len, EMPTY_LEN, SPARSE_MAX);
        add_numbers(&hll, i, i + 1, SPARSE_MAX);
    }
    assert_int_equal(hll.len, DENSE_LEN);
    buf_deinit(&hll);
}

static void
test_hll_becomes_dense_for_a_value_no_run_can_have(void **state)
{
    struct buf hll = {0};
    struct hll_registers expected = {.at = {[0] = 32, [16383] = 33}};

    (void)state;
    hll_init(&hll);
    assert_int_equal(hll_raise(&hll, 0, 32, SPARSE_MAX), 1);
    assert_false(hll_is_dense(buf_bytes(&hll)));
    assert_int_equal(hll_raise(&hll, 16383, 33, SPARSE_MAX), 1);
    assert_true(hll_is_dense(buf_bytes(&hll)));
    assert_registers(&hll, &expected);
    buf_deinit(&hll);
}

static void
assert_raised_to(const unsigned *indexes, size_t count_of, const char *runs, size_t len)
{
    struct buf hll = {0};

    hll_init(&hll);
    for (size_t i = 0; i < count_of; i++)
        assert_int_equal(hll_raise(&hll, indexes[i], 2, SPARSE_MAX), 1);
    assert_int_equal(hll.len, HEAD_LEN + len);
    assert_memory_equal(hll.data + HEAD_LEN, runs, len);
    buf_deinit(&hll);
}

static void
test_hll_splits_and_joins_runs(void **state)
{
    static const unsigned first[] = {0}, last[] = {16383}, middle[] = {64};
    static const unsigned pair[] = {0, 2, 1}, five[] = {0, 1, 2, 3, 4};

    (void)state;
    assert_raised_to(first, 1, "\x84\x7f\xfe", 3);
    assert_raised_to(last, 1, "\x7f\xfe\x84", 3);
    assert_raised_to(middle, 1, "\x3f\x84\x7f\xbe", 4);
    assert_raised_to(pair, 3, "\x86\x7f\xfc", 3);
    assert_raised_to(five, 5, "\x87\x84\x7f\xfa", 4);
}

/* Few enough runs to try every place, values that often meet. */
static void
raise_at_random(struct buf *hll, size_t sparse_max, unsigned registers, int values,
                int times)
{
    struct hll_registers expected = {0};
    uint64_t random = SEED;

    for (int i = 0; i < times; i++) {
        unsigned index = (unsigned)random_below(&random, registers);
        uint8_t value = (uint8_t)(1 + random_below(&random, (uint64_t)values));
        bool more = value > expected.at[index];
        assert_int_equal(hll_raise(hll, index, value, sparse_max), more);
        expected.at[index] = more ? value : expected.at[index];
        if (i % 100 == 0)
            assert_registers(hll, &expected);
    }
    assert_registers(hll, &expected);
}

static void
test_hll_tells_each_register_as_it_was_raised(void **state)
{
    static const unsigned registers[] = {10, 100, 1000, HLL_REGISTERS};

    (void)state;
    for (size_t i = 0; i < sizeof registers / sizeof *registers; i++) {
        struct buf sparse = {0}, dense = {0}, both = {0};
        hll_init(&sparse);
        raise_at_random(&sparse, NO_MAX, registers[i], 3, 5000);
        assert_false(hll_is_dense(buf_bytes(&sparse)));
        hll_init(&both);
        raise_at_random(&both, 500, registers[i], 32, 5000);
        hll_init(&dense);
        assert_int_equal(hll_make_dense(&dense), 0);
        raise_at_random(&dense, 0, registers[i], 63, 5000);
        buf_deinit(&sparse);
        buf_deinit(&both);
        buf_deinit(&dense);
    }
}

static void
test_hll_gathers_the_highest_of_each_register(void **state)
{
    struct buf a = {0}, b = {0}, all = {0};
    struct hll_registers registers = {0}, expected = {0};

    (void)state;
    hll_init(&a);
    hll_init(&b);
    hll_init(&all);
    add_numbers(&a, 0, 3000, SPARSE_MAX);
    add_numbers(&b, 2900, 3100, SPARSE_MAX);
    add_numbers(&all, 0, 3100, SPARSE_MAX);
    assert_true(hll_is_dense(buf_bytes(&a)));
    assert_false(hll_is_dense(buf_bytes(&b)));
    assert_int_equal(hll_gather(buf_bytes(&b), &registers), 0);
    assert_int_equal(hll_gather(buf_bytes(&a), &registers), 0);
    assert_int_equal(hll_gather(buf_bytes(&all), &expected), 0);
    assert_memory_equal(&registers, &expected, sizeof registers);
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&all);
}

/* --- what is none, or damaged --- */

static void
test_hll_is_told_from_what_is_none(void **state)
{
    static const char *const others[] = {
        "",
        "HYLL",
        "a text of some length, which is none",
        "hyll\1\0\0\0\0\0\0\0\0\0\0\0\x7f\xff",
        "HYLL\2\0\0\0\0\0\0\0\0\0\0\0\x7f\xff",
        "HYLL\0\0\0\0\0\0\0\0\0\0\0\0\x7f\xff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t len = strlen(others[i]);
        assert_false(hll_is_one(bytes_of(others[i], len < EMPTY_LEN ? len : EMPTY_LEN)));
    }
    assert_false(hll_is_one(bytes_of(EMPTY, HEAD_LEN - 1)));
    assert_true(hll_is_one(bytes_of(EMPTY, HEAD_LEN)));
}

static void
assert_damaged(const char *runs, size_t len)
{
    struct hll_registers registers = {0};
    struct buf hll = {0};

    buf_append(&hll, EMPTY, HEAD_LEN);
    buf_append(&hll, runs, len);
    assert_int_equal(hll_gather(buf_bytes(&hll), &registers), -1);
    assert_int_equal(hll_make_dense(&hll), -1);
    assert_int_equal(hll_raise(&hll, 16383, 33, SPARSE_MAX), -1);
    buf_deinit(&hll);
}

static void
test_hll_whose_runs_are_not_16384_registers_is_damaged(void **state)
{
    (void)state;
    assert_damaged("", 0);
    assert_damaged("\x7f", 1);
    assert_damaged("\x7f\xfe", 2);
    assert_damaged("\x7f\xff\x80", 3);
    assert_damaged("\x7f\xff\x7f\xff", 4);
    assert_damaged("\x80\x7f\xff", 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hll_that_was_given_nothing_counts_none),
        cmocka_unit_test(test_hll_counts_few_elements_exactly),
        cmocka_unit_test(test_hll_counts_many_elements_about_right),
        cmocka_unit_test(test_hll_is_not_changed_by_what_it_was_given_before),
        cmocka_unit_test(test_hll_keeps_a_count_until_a_register_changes),
        cmocka_unit_test(test_hll_forgets_a_count_but_for_its_digits),
        cmocka_unit_test(test_hll_becomes_dense_rather_than_longer_than_it_may),
        cmocka_unit_test(test_hll_becomes_dense_for_a_value_no_run_can_have),
        cmocka_unit_test(test_hll_splits_and_joins_runs),
        cmocka_unit_test(test_hll_tells_each_register_as_it_was_raised),
        cmocka_unit_test(test_hll_gathers_the_highest_of_each_register),
        cmocka_unit_test(test_hll_is_told_from_what_is_none),
        cmocka_unit_test(test_hll_whose_runs_are_not_16384_registers_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
