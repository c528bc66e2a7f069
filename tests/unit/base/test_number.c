/* number: numbers to and from text. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/number.h"
#include <inttypes.h>
#include <stdio.h>

static const int64_t samples[] = {0,
                                  1,
                                  -1,
                                  9,
                                  10,
                                  -10,
                                  99,
                                  100,
                                  12345678,
                                  -99999999,
                                  1 << 30,
                                  INT32_MAX,
                                  INT32_MIN,
                                  INT64_MAX,
                                  INT64_MIN,
                                  INT64_MAX - 1,
                                  INT64_MIN + 1,
                                  1000000000000000000};

#define NSAMPLES (sizeof(samples) / sizeof(samples[0]))

static void
test_number_is_written_as_printf_writes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < NSAMPLES; i++) {
        char text[NUMBER_TEXT_MAX], expected[NUMBER_TEXT_MAX];
        snprintf(expected, sizeof(expected), "%" PRId64, samples[i]);
        assert_int_equal(number_format(samples[i], text), strlen(expected));
        assert_string_equal(text, expected);
    }
}

static void
test_number_that_was_written_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < NSAMPLES; i++) {
        char text[NUMBER_TEXT_MAX];
        int64_t number = 4711;
        size_t len = number_format(samples[i], text);
        assert_true(number_parse(bytes_of(text, len), &number));
        assert_int_equal(number, samples[i]);
    }
}

static void
test_number_is_refused_and_left_alone_when_it_is_not_plain(void **state)
{
    (void)state;
    const char *refused[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "-0",
        "-01",
        "--1",
        "1.0",
        "1e3",
        "0x10",
        "a",
        "1a",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "18446744073709551617",
        "99999999999999999999",
        "1\n",
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int64_t number = 4711;
        assert_false(number_parse(bytes_str(refused[i]), &number));
        assert_int_equal(number, 4711);
    }
    int64_t number = 4711;
    assert_false(number_parse(bytes_of("1\0", 2), &number));
    assert_false(number_parse(bytes_of(NULL, 0), &number));
    assert_int_equal(number, 4711);
}

static void
test_number_sums_that_do_not_fit_are_told(void **state)
{
    (void)state;
    assert_false(number_add_overflows(INT64_MAX, 0));
    assert_false(number_add_overflows(INT64_MAX, INT64_MIN));
    assert_true(number_add_overflows(INT64_MAX, 1));
    assert_true(number_add_overflows(INT64_MIN, -1));
}

static void
assert_real(const char *text, const char *expected)
{
    char written[NUMBER_REAL_TEXT_MAX];
    long double number;

    assert_true(number_parse_real(bytes_str(text), &number));
    assert_int_equal(number_format_real(number, written), strlen(expected));
    assert_string_equal(written, expected);
}

static void
test_number_with_a_fraction_is_written_without_exponent_and_zeros(void **state)
{
    (void)state;
    assert_real("0", "0");
    assert_real("-0", "0");
    assert_real("-1e-18", "0");
    assert_real("10.50", "10.5");
    assert_real("100", "100");
    assert_real("5.0e3", "5000");
    assert_real("1e-17", "0.00000000000000001");
    assert_real("3.1234567890123456789", "3.12345678901234568");
    assert_real("1e20", "100000000000000000000");
    assert_real("-.25", "-0.25");
    assert_real("0x1p4", "16");
}

static void
test_number_of_the_greatest_size_fits_its_text(void **state)
{
    char text[NUMBER_REAL_TEXT_MAX];
    long double number;

    (void)state;
    assert_true(number_parse_real(bytes_str("-1.18e4932"), &number));
    assert_int_equal(number_format_real(number, text), 1 + 4933);
}

static void
test_number_that_is_no_real_one_is_refused_and_left_alone(void **state)
{
    static const char *const wrong[] = {"",       " ",       "x",   " 1",
                                        "1 ",     "1,5",     "nan", "1.5x",
                                        "1e4933", "-1e4933", "--1", "1e-5000"};
    long double number = 4711;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(number_parse_real(bytes_str(wrong[i]), &number));
    assert_false(number_parse_real(bytes_of("1\0002", 3), &number));
    assert_false(number_parse_real(bytes_of(NULL, 0), &number));
    assert_true(number == 4711);
    assert_true(number_parse_real(bytes_str("inf"), &number));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_is_written_as_printf_writes_it),
        cmocka_unit_test(test_number_that_was_written_is_read_back),
        cmocka_unit_test(test_number_is_refused_and_left_alone_when_it_is_not_plain),
        cmocka_unit_test(test_number_sums_that_do_not_fit_are_told),
        cmocka_unit_test(
            test_number_with_a_fraction_is_written_without_exponent_and_zeros),
        cmocka_unit_test(test_number_of_the_greatest_size_fits_its_text),
        cmocka_unit_test(test_number_that_is_no_real_one_is_refused_and_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
