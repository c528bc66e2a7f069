/* bytes: comparing and copying. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include <stdlib.h>

static const struct bytes nothing = {NULL, 0};

static void
test_bytes_are_equal_whatever_they_hold(void **state)
{
    (void)state;
    assert_true(bytes_eq(bytes_of("a\0b", 3), bytes_of("a\0b", 3)));
    assert_false(bytes_eq(bytes_of("a\0b", 3), bytes_of("a\0c", 3)));
    assert_false(bytes_eq(bytes_str("a"), bytes_str("ab")));
    assert_true(bytes_eq(nothing, bytes_str("")));
}

static void
test_bytes_come_in_the_order_of_memcmp_and_the_shorter_first(void **state)
{
    (void)state;
    const struct bytes sorted[] = {nothing,          bytes_of("\0", 1), bytes_str("a"),
                                   bytes_str("a\1"), bytes_str("ab"),   bytes_str("b"),
                                   bytes_str("\xff")};
    const int n = sizeof(sorted) / sizeof(sorted[0]);

    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            int order = bytes_cmp(sorted[i], sorted[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void
test_bytes_are_a_word_whatever_its_case(void **state)
{
    (void)state;
    assert_true(bytes_is(bytes_str("GeT"), "get"));
    assert_true(bytes_is(nothing, ""));
    assert_false(bytes_is(bytes_str("gett"), "get"));
    assert_false(bytes_is(bytes_str("ge"), "get"));
    assert_false(bytes_is(bytes_of("ge\0", 3), "get"));
    assert_false(bytes_is(bytes_str("[x"), "{x"));
}

static void
test_bytes_are_copied_with_a_nul_behind(void **state)
{
    (void)state;
    char *copy = bytes_dup(bytes_of("a\0b", 3));
    assert_memory_equal(copy, "a\0b", 4);
    free(copy);

    copy = bytes_dup(nothing);
    assert_string_equal(copy, "");
    free(copy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_equal_whatever_they_hold),
        cmocka_unit_test(test_bytes_come_in_the_order_of_memcmp_and_the_shorter_first),
        cmocka_unit_test(test_bytes_are_a_word_whatever_its_case),
        cmocka_unit_test(test_bytes_are_copied_with_a_nul_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
