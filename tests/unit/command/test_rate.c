/* rate: how much happens a second. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "command/rate.h"

static void
assert_rate(const struct rate *r, double expected)
{
    double rate = rate_average(r);
    assert_true(rate > expected - 0.001 && rate < expected + 0.001);
}

static void
test_rate_is_an_average_of_the_last_samples(void **state)
{
    struct rate r = {0};
    uint64_t count = 0;

    (void)state;
    assert_rate(&r, 0);
    for (int i = 0; i < RATE_SAMPLES; i++)
        rate_sample(&r, count += 10, 100000);
    assert_rate(&r, 100);
    for (int i = 0; i < RATE_SAMPLES / 2; i++)
        rate_sample(&r, count, 100000);
    assert_rate(&r, 50);
    for (int i = 0; i < RATE_SAMPLES / 2; i++)
        rate_sample(&r, count, 100000);
    assert_rate(&r, 0);
}

static void
test_rate_begins_again_with_its_counter(void **state)
{
    struct rate r = {0};

    (void)state;
    rate_sample(&r, 1000, 1000);
    rate_reset(&r);
    rate_sample(&r, 16, 1000000);
    assert_rate(&r, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_is_an_average_of_the_last_samples),
        cmocka_unit_test(test_rate_begins_again_with_its_counter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
