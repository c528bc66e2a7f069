/* latency: what is kept of spikes. */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>

#include "base/clock.h"
#include "command/latency.h"

static const struct latency_spikes *
commands_of(const struct latency *l)
{
    return latency_spikes(l, bytes_str("command"));
}

static void
test_latency_knows_events_by_name(void **state)
{
    struct latency *l = latency_new();

    (void)state;
    for (int i = 0; i < LATENCY_EVENTS; i++) {
        enum latency_event event = (enum latency_event)i;
        assert_int_equal(latency_named(bytes_str(latency_name(event))), event);
    }
    assert_int_equal(latency_named(bytes_str("missing")), LATENCY_EVENTS);
    assert_null(commands_of(l));
    assert_null(latency_spikes(l, bytes_str("missing")));
    latency_free(l);
}

static void
test_latency_keeps_the_worst_of_a_second(void **state)
{
    struct latency *l = latency_new();
    int count = 0;

    (void)state;
    /* Should a second end in between, the next try has a whole one. */
    while (count != 1) {
        latency_reset(l, LATENCY_COMMAND);
        latency_add(l, LATENCY_COMMAND, 5);
        latency_add(l, LATENCY_COMMAND, 9);
        latency_add(l, LATENCY_COMMAND, 7);
        count = commands_of(l)->count;
    }
    assert_int_equal(latency_sample(commands_of(l), 0)->ms, 9);
    assert_int_equal(commands_of(l)->worst_ms, 9);
    latency_free(l);
}

static void
test_latency_keeps_the_last_samples(void **state)
{
    struct latency *l = latency_new();

    (void)state;
    for (int i = 1; i <= LATENCY_SAMPLES + 10; i++) {
        latency_add(l, LATENCY_COMMAND, 1000 - i);
        clock_advance(1000);
    }
    const struct latency_spikes *s = commands_of(l);
    assert_int_equal(s->count, LATENCY_SAMPLES);
    assert_int_equal(latency_sample(s, 0)->ms, 1000 - 11);
    assert_int_equal(latency_sample(s, LATENCY_SAMPLES - 1)->ms,
                     1000 - LATENCY_SAMPLES - 10);
    assert_int_equal(s->worst_ms, 999);
    latency_free(l);
}

static void
test_latency_sums_up(void **state)
{
    struct latency *l = latency_new();
    struct latency_summary sum;

    (void)state;
    latency_sum_up(&l->events[LATENCY_COMMAND], &sum);
    assert_int_equal(sum.most_ms, 0);
    for (int i = 1; i <= 3; i++) {
        latency_add(l, LATENCY_COMMAND, 10 * i);
        clock_advance(2000);
    }
    latency_sum_up(commands_of(l), &sum);
    assert_int_equal(sum.least_ms, 10);
    assert_int_equal(sum.most_ms, 30);
    assert_true(sum.average_ms > 19.9 && sum.average_ms < 20.1);
    assert_true(sum.deviation_ms > 6.6 && sum.deviation_ms < 6.7);
    assert_true(sum.period_s >= 2 && sum.period_s < 10);
    latency_free(l);
}

static void
test_latency_forgets_an_event(void **state)
{
    struct latency *l = latency_new();

    (void)state;
    assert_false(latency_reset(l, LATENCY_COMMAND));
    latency_add(l, LATENCY_COMMAND, 1);
    latency_add(l, LATENCY_LOG_WRITE, 1);
    assert_true(latency_reset(l, LATENCY_COMMAND));
    assert_null(commands_of(l));
    assert_non_null(latency_spikes(l, bytes_str("aof-write")));
    latency_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latency_knows_events_by_name),
        cmocka_unit_test(test_latency_keeps_the_worst_of_a_second),
        cmocka_unit_test(test_latency_keeps_the_last_samples),
        cmocka_unit_test(test_latency_sums_up),
        cmocka_unit_test(test_latency_forgets_an_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
