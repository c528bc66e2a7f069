/* escape: what a backslash means between double quotes. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/escape.h"

static void
assert_reads(const char *text, size_t taken, char expected)
{
    char byte;

    assert_int_equal(escape_read(bytes_str(text), &byte), taken);
    assert_int_equal(byte, expected);
}

static void
test_escape_knows_the_letters_and_leaves_the_others(void **state)
{
    (void)state;
    assert_reads("n", 1, '\n');
    assert_reads("r", 1, '\r');
    assert_reads("t", 1, '\t');
    assert_reads("b", 1, '\b');
    assert_reads("a", 1, '\a');
    assert_reads("\"more", 1, '"');
    assert_reads("\\", 1, '\\');
    assert_reads("q", 1, 'q');
}

static void
test_escape_reads_two_hexadecimal_digits_or_an_x(void **state)
{
    (void)state;
    assert_reads("x00", 3, '\0');
    assert_reads("xfF0", 3, (char)0xff);
    assert_reads("x4", 1, 'x');
    assert_reads("x4g", 1, 'x');
    assert_reads("x", 1, 'x');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape_knows_the_letters_and_leaves_the_others),
        cmocka_unit_test(test_escape_reads_two_hexadecimal_digits_or_an_x),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
