/* backlog: how much is on its way to the applier. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "storage/backlog.h"

#define MB        (1024 * 1024)
#define NEVER_MS  (3600 * 1000) /* longer than any test */
#define SECOND_US INT64_C(1000000)

/* It does not wait, and gives this number; of the bytes so many are taken. */
static void
assert_takes(struct backlog *b, uint64_t number, int64_t bytes)
{
    uint64_t last = 0;

    assert_true(backlog_take(b, &last));
    assert_int_equal(last, number);
    backlog_begin(b, bytes);
    assert_int_equal(atomic_load(&b->under_way), bytes);
    backlog_done(b);
    assert_int_equal(atomic_load(&b->under_way), 0);
}

static void
test_backlog_gives_the_number_of_the_last_batch(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 64 * MB, 0);
    for (uint64_t number = 7; number <= 9; number++)
        backlog_add(&b, number, 10);
    assert_int_equal(atomic_load(&b.waiting), 30);
    assert_takes(&b, 9, 30);
    assert_int_equal(atomic_load(&b.waiting), 0);
    backlog_deinit(&b);
}

static void
test_backlog_may_be_taken_a_portion_at_a_time(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 20 * MB, NEVER_MS);
    for (uint64_t number = 1; number <= 5; number++)
        backlog_add(&b, number, 4 * MB);
    assert_int_equal(backlog_portion(&b), 10 * MB);
    assert_takes(&b, 5, 8 * MB);
    assert_takes(&b, 5, 8 * MB);
    assert_int_equal(atomic_load(&b.waiting), 4 * MB);
    backlog_hurry(&b);
    assert_takes(&b, 5, 4 * MB);
    backlog_tune(&b, 64 * MB, NEVER_MS);
    assert_int_equal(backlog_portion(&b), 32 * MB);
    backlog_deinit(&b);
}

static void
test_backlog_says_whether_there_is_enough_for_more(void **state)
{
    (void)state;
    struct backlog b;
    uint64_t last;

    backlog_init(&b, 16 * MB, NEVER_MS);
    backlog_add(&b, 1, 14 * MB);
    assert_true(backlog_take(&b, &last));
    backlog_begin(&b, 8 * MB);
    assert_true(backlog_done(&b));
    assert_true(backlog_take(&b, &last));
    backlog_begin(&b, 6 * MB);
    backlog_add(&b, 2, MB);
    assert_false(backlog_done(&b));
    backlog_deinit(&b);
}

static void
test_backlog_does_not_wait_when_it_is_hurried_or_has_enough(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 4 * MB, NEVER_MS);
    backlog_add(&b, 1, 1);
    backlog_hurry(&b);
    assert_takes(&b, 1, 1);
    backlog_add(&b, 2, 2 * MB);
    assert_takes(&b, 2, 2 * MB);
    backlog_add(&b, 3, 1);
    backlog_tune(&b, 4 * MB, 0);
    assert_takes(&b, 3, 1);
    backlog_add(&b, 4, 1);
    backlog_tune(&b, 4, NEVER_MS);
    assert_takes(&b, 4, 1);
    backlog_deinit(&b);
}

/* As if the last portion had taken so long. */
static int64_t
rest_after(struct backlog *b, int64_t took_us)
{
    uint64_t last;

    backlog_add(b, 1, 1);
    backlog_hurry(b);
    assert_true(backlog_take(b, &last));
    backlog_begin(b, 1);
    b->begun_us -= took_us;
    backlog_done(b);
    return b->rest_us - clock_mono_us();
}

static void
test_backlog_lets_the_applier_rest_from_long_work(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 4 * MB, 0);
    assert_in_range(rest_after(&b, 10 * SECOND_US), 20 * SECOND_US, 40 * SECOND_US);
    assert_in_range(rest_after(&b, 1000 * SECOND_US), 50 * SECOND_US, 60 * SECOND_US);
    backlog_add(&b, 2, 2 * MB);
    assert_takes(&b, 2, 2 * MB);
    backlog_deinit(&b);
}

/* Else the next batch would be applied by itself. */
static void
test_backlog_is_hurried_only_for_what_waits(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 4 * MB, NEVER_MS);
    backlog_hurry(&b);
    assert_false(b.hurry);
    backlog_add(&b, 1, 2 * MB);
    backlog_hurry(&b);
    assert_true(b.hurry);
    assert_takes(&b, 1, 2 * MB);
    assert_false(b.hurry);
    backlog_deinit(&b);
}

/* Takes all there is; gives the number of the last batch. */
static void *
take_all(void *arg)
{
    struct backlog *b = arg;
    uint64_t last = 0;

    while (backlog_take(b, &last)) {
        backlog_begin(b, atomic_load(&b->waiting));
        backlog_done(b);
    }
    return (void *)(uintptr_t)last;
}

static void
test_backlog_wakes_a_taker_for_what_comes_and_for_the_end(void **state)
{
    (void)state;
    struct backlog b;
    pthread_t taker;
    void *number;

    backlog_init(&b, 4 * MB, 1);
    assert_int_equal(pthread_create(&taker, NULL, take_all, &b), 0);
    for (uint64_t n = 1; n <= 200; n++)
        backlog_add(&b, n, n % 10 == 0 ? MB : 10);
    backlog_stop(&b);
    pthread_join(taker, &number);
    assert_int_equal((uintptr_t)number, 200);
    assert_int_equal(atomic_load(&b.waiting), 0);
    assert_int_equal(atomic_load(&b.under_way), 0);
    backlog_deinit(&b);
}

static void
test_backlog_stopped_gives_the_rest_and_then_nothing(void **state)
{
    (void)state;
    struct backlog b;
    uint64_t last;

    backlog_init(&b, 64 * MB, NEVER_MS);
    backlog_add(&b, 1, 10);
    backlog_stop(&b);
    assert_takes(&b, 1, 4);
    assert_takes(&b, 1, 6);
    assert_false(backlog_take(&b, &last));
    backlog_deinit(&b);
}

/* As if the last step had taken so long, and ended so long ago. */
static void
step_ended(struct backlog *b, int64_t took_us, int64_t ago_us)
{
    b->step_us = took_us;
    b->stepped_us = clock_mono_us() - ago_us;
}

/* Three eighths of the distance may wait at first, and half of it when what is under way
 * is applied. */
static void
test_backlog_makes_room_as_what_is_under_way_is_applied(void **state)
{
    (void)state;
    struct backlog b;
    uint64_t last;

    backlog_init(&b, 16 * MB, NEVER_MS);
    assert_true(backlog_has_room(&b));
    for (uint64_t number = 1; number <= 2; number++)
        backlog_add(&b, number, 4 * MB);
    assert_false(backlog_has_room(&b));

    assert_true(backlog_take(&b, &last));
    backlog_begin(&b, 8 * MB);
    assert_true(backlog_has_room(&b));
    backlog_add(&b, 3, 6 * MB);
    assert_false(backlog_has_room(&b));
    backlog_step(&b, 1, 2);
    step_ended(&b, 0, SECOND_US);
    assert_true(backlog_has_room(&b));
    backlog_add(&b, 4, MB);
    assert_false(backlog_has_room(&b));
    backlog_done(&b);
    step_ended(&b, 0, SECOND_US);
    assert_true(backlog_has_room(&b));
    backlog_deinit(&b);
}

static void
test_backlog_gives_the_room_of_a_step_out_evenly(void **state)
{
    (void)state;
    struct backlog b;
    uint64_t last;

    backlog_init(&b, 16 * MB, NEVER_MS);
    backlog_add(&b, 1, 8 * MB);
    assert_true(backlog_take(&b, &last));
    backlog_begin(&b, 8 * MB);
    backlog_add(&b, 2, 6 * MB + MB / 4);
    backlog_step(&b, 1, 2);
    step_ended(&b, 100 * SECOND_US, 0);
    assert_false(backlog_has_room(&b));
    step_ended(&b, 100 * SECOND_US, 30 * SECOND_US);
    assert_true(backlog_has_room(&b));
    backlog_add(&b, 3, MB / 2);
    assert_false(backlog_has_room(&b));
    step_ended(&b, 100 * SECOND_US, 80 * SECOND_US);
    assert_true(backlog_has_room(&b));
    backlog_add(&b, 4, MB / 4);
    step_ended(&b, 100 * SECOND_US, 1000 * SECOND_US);
    assert_false(backlog_has_room(&b));
    backlog_deinit(&b);
}

/* As a start finds it in the log. */
static void
test_backlog_larger_than_the_distance_makes_room_when_it_is_down_to_it(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 16 * MB, NEVER_MS);
    backlog_add(&b, 9, 22 * MB);
    assert_false(backlog_has_room(&b));
    assert_takes(&b, 9, 8 * MB);
    assert_int_equal(atomic_load(&b.waiting), 14 * MB);
    assert_false(backlog_has_room(&b));
    assert_takes(&b, 9, 8 * MB);
    step_ended(&b, 0, SECOND_US);
    assert_true(backlog_has_room(&b));
    backlog_deinit(&b);
}

static void
test_backlog_pauses_until_it_is_to_stop(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 16 * MB, 0);
    assert_false(backlog_pause(&b, 1));
    backlog_stop(&b);
    assert_true(backlog_pause(&b, NEVER_MS));
    backlog_deinit(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backlog_gives_the_number_of_the_last_batch),
        cmocka_unit_test(test_backlog_may_be_taken_a_portion_at_a_time),
        cmocka_unit_test(test_backlog_says_whether_there_is_enough_for_more),
        cmocka_unit_test(test_backlog_does_not_wait_when_it_is_hurried_or_has_enough),
        cmocka_unit_test(test_backlog_lets_the_applier_rest_from_long_work),
        cmocka_unit_test(test_backlog_is_hurried_only_for_what_waits),
        cmocka_unit_test(test_backlog_wakes_a_taker_for_what_comes_and_for_the_end),
        cmocka_unit_test(test_backlog_stopped_gives_the_rest_and_then_nothing),
        cmocka_unit_test(test_backlog_makes_room_as_what_is_under_way_is_applied),
        cmocka_unit_test(test_backlog_gives_the_room_of_a_step_out_evenly),
        cmocka_unit_test(
            test_backlog_larger_than_the_distance_makes_room_when_it_is_down_to_it),
        cmocka_unit_test(test_backlog_pauses_until_it_is_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
