/* histogram: how often each value came. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/histogram.h"

static void
test_histogram_knows_small_values_exactly(void **state)
{
    struct histogram *h = histogram_new();

    (void)state;
    for (int64_t value = 0; value < 256; value++)
        histogram_add(h, value);
    for (int64_t value = 0; value < 256; value++) {
        assert_int_equal(histogram_upper(value), value);
        assert_int_equal(histogram_count_to(h, value), value + 1);
    }
    assert_int_equal(histogram_count(h), 256);
    histogram_free(h);
}

static void
test_histogram_knows_large_values_to_a_hundredth(void **state)
{
    int64_t upper = 0;

    (void)state;
    for (int64_t value = 1; value <= HISTOGRAM_MAX; value += value / 100 + 1) {
        int64_t next = histogram_upper(value);
        assert_true(next >= value);
        assert_true(next - value <= value / 100);
        assert_true(next >= upper);
        assert_int_equal(histogram_upper(next), next);
        upper = next;
    }
}

static void
test_histogram_counts_each_value_once(void **state)
{
    struct histogram *h = histogram_new();
    uint64_t noted = 0;

    (void)state;
    for (int64_t value = 1; value <= HISTOGRAM_MAX; value *= 3) {
        histogram_add(h, value);
        assert_int_equal(histogram_count_to(h, value / 2), noted);
        assert_int_equal(histogram_count_to(h, value), ++noted);
    }
    assert_int_equal(histogram_count(h), noted);
    histogram_free(h);
}

static void
test_histogram_notes_what_is_too_large_as_the_largest(void **state)
{
    struct histogram *h = histogram_new();

    (void)state;
    histogram_add(h, INT64_MAX);
    assert_int_equal(histogram_count_to(h, HISTOGRAM_MAX), 1);
    assert_int_equal(histogram_percentile(h, 100), histogram_upper(HISTOGRAM_MAX));
    histogram_free(h);
}

static void
test_histogram_percentiles_are_values(void **state)
{
    struct histogram *h = histogram_new();

    (void)state;
    assert_int_equal(histogram_percentile(h, 50), 0);
    for (int64_t value = 1; value <= 100; value++)
        histogram_add(h, value);
    assert_int_equal(histogram_percentile(h, 0), 1);
    assert_int_equal(histogram_percentile(h, 1), 1);
    assert_int_equal(histogram_percentile(h, 50), 50);
    assert_int_equal(histogram_percentile(h, 99), 99);
    assert_int_equal(histogram_percentile(h, 99.9), 100);
    assert_int_equal(histogram_percentile(h, 100), 100);
    histogram_free(h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histogram_knows_small_values_exactly),
        cmocka_unit_test(test_histogram_knows_large_values_to_a_hundredth),
        cmocka_unit_test(test_histogram_counts_each_value_once),
        cmocka_unit_test(test_histogram_notes_what_is_too_large_as_the_largest),
        cmocka_unit_test(test_histogram_percentiles_are_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
