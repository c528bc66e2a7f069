/* backlog: batches on their way to the applier. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/backlog.h"
#include <stdlib.h>

#define MB       (1024 * 1024)
#define NEVER_MS (3600 * 1000) /* longer than any test */

static void
add(struct backlog *b, uint64_t number, size_t size)
{
    char *data = calloc(1, size);

    memset(data, (char)number, size);
    backlog_add(b, number, (struct wal_place){1, (uint32_t)number}, bytes_of(data, size));
    free(data);
}

static void
assert_takes(struct backlog *b, uint64_t number, size_t len)
{
    struct chunk *taken = backlog_take(b), *last = taken;
    size_t got = 0;

    assert_non_null(taken);
    for (struct chunk *c = taken; c != NULL; c = c->next) {
        got += c->len;
        last = c;
    }
    assert_int_equal(got, len);
    assert_int_equal(last->number, number);
    assert_int_equal(last->place.offset, number);
    chunks_free(taken);
    backlog_done(b);
}

static void
test_backlog_gives_batches_whole_and_in_their_order(void **state)
{
    (void)state;
    struct backlog b;
    struct bytes batches[] = {bytes_str("one"), bytes_str("two"), bytes_str("three")};

    backlog_init(&b, 64 * MB, 0);
    for (uint64_t i = 0; i < 3; i++)
        backlog_add(&b, 7 + i, (struct wal_place){1, (uint32_t)i}, batches[i]);
    struct chunk *taken = backlog_take(&b);
    assert_null(taken->next);
    assert_true(bytes_eq(bytes_of(taken->data, taken->len), bytes_str("onetwothree")));
    assert_int_equal(taken->number, 9);
    assert_int_equal(taken->place.offset, 2);
    chunks_free(taken);
    backlog_deinit(&b);
}

static void
test_backlog_gives_a_batch_larger_than_a_chunk_its_own(void **state)
{
    (void)state;
    struct chunks chunks = {0};
    char *data = calloc(1, CHUNK_SIZE + 1);

    chunks_add(&chunks, 1, (struct wal_place){1, 1}, bytes_str("small"));
    chunks_add(&chunks, 2, (struct wal_place){1, 2}, bytes_of(data, CHUNK_SIZE + 1));
    chunks_add(&chunks, 3, (struct wal_place){1, 3}, bytes_str("small"));
    assert_int_equal(chunks.first->len, 5);
    assert_int_equal(chunks.first->number, 1);
    assert_int_equal(chunks.first->next->len, CHUNK_SIZE + 1);
    assert_int_equal(chunks.first->next->number, 2);
    assert_ptr_equal(chunks.first->next->next, chunks.last);
    assert_int_equal(chunks.last->number, 3);
    free(data);
    chunks_free(chunks.first);
}

static void
test_backlog_gives_the_oldest_half_of_the_distance(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 20 * MB, NEVER_MS);
    for (uint64_t number = 1; number <= 5; number++)
        add(&b, number, CHUNK_SIZE);
    assert_int_equal(backlog_portion(&b), 10 * MB);
    assert_takes(&b, 2, 2 * (size_t)CHUNK_SIZE);
    assert_takes(&b, 4, 2 * (size_t)CHUNK_SIZE);
    backlog_hurry(&b);
    assert_takes(&b, 5, CHUNK_SIZE);
    backlog_deinit(&b);
}

static void
test_backlog_gives_a_batch_larger_than_the_distance_by_itself(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, MB, NEVER_MS);
    add(&b, 1, CHUNK_SIZE + MB);
    add(&b, 2, 10);
    assert_takes(&b, 1, CHUNK_SIZE + MB);
    backlog_stop(&b);
    assert_takes(&b, 2, 10);
    backlog_deinit(&b);
}

static void
test_backlog_does_not_wait_when_it_is_hurried_or_has_enough(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 4 * MB, NEVER_MS);
    add(&b, 1, 1);
    backlog_hurry(&b);
    assert_takes(&b, 1, 1);
    add(&b, 2, 2 * MB);
    assert_takes(&b, 2, 2 * MB);
    add(&b, 3, 1);
    backlog_tune(&b, 4 * MB, 0);
    assert_takes(&b, 3, 1);
    add(&b, 4, 1);
    backlog_tune(&b, 4, NEVER_MS);
    assert_takes(&b, 4, 1);
    backlog_deinit(&b);
}

/* Takes all there is; gives the number of the last batch. */
static void *
take_all(void *arg)
{
    struct chunk *taken;
    uint64_t number = 0;

    while ((taken = backlog_take(arg)) != NULL) {
        while (taken->next != NULL) {
            struct chunk *next = taken->next;
            free(taken);
            taken = next;
        }
        number = taken->number;
        chunks_free(taken);
        backlog_done(arg);
    }
    return (void *)(uintptr_t)number;
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
        add(&b, n, n % 10 == 0 ? MB : 10);
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

    backlog_init(&b, 64 * MB, NEVER_MS);
    add(&b, 1, 10);
    backlog_stop(&b);
    assert_takes(&b, 1, 10);
    assert_null(backlog_take(&b));
    backlog_deinit(&b);
}

/* Three eighths of the distance may wait at first, and half of it when what is under way
 * is applied. */
static void
test_backlog_makes_room_as_what_is_under_way_is_applied(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 16 * MB, NEVER_MS);
    assert_true(backlog_has_room(&b));
    for (uint64_t number = 1; number <= 2; number++)
        add(&b, number, CHUNK_SIZE);
    assert_false(backlog_has_room(&b));

    struct chunk *taken = backlog_take(&b);
    assert_true(backlog_has_room(&b));
    add(&b, 3, 6 * MB);
    assert_false(backlog_has_room(&b));
    atomic_store(&b.done_ppm, 500000);
    assert_true(backlog_has_room(&b));
    add(&b, 4, MB);
    assert_false(backlog_has_room(&b));
    chunks_free(taken);
    backlog_done(&b);
    assert_true(backlog_has_room(&b));
    backlog_deinit(&b);
}

static void
test_backlog_counts_what_is_owed_from_before(void **state)
{
    (void)state;
    struct backlog b;

    backlog_init(&b, 16 * MB, NEVER_MS);
    backlog_owe(&b, 14 * MB);
    assert_false(backlog_has_room(&b));
    backlog_begin(&b, 8 * MB);
    assert_int_equal(atomic_load(&b.waiting), 6 * MB);
    assert_int_equal(atomic_load(&b.under_way), 8 * MB);
    assert_false(backlog_has_room(&b));
    backlog_done(&b);
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
        cmocka_unit_test(test_backlog_gives_batches_whole_and_in_their_order),
        cmocka_unit_test(test_backlog_gives_a_batch_larger_than_a_chunk_its_own),
        cmocka_unit_test(test_backlog_gives_the_oldest_half_of_the_distance),
        cmocka_unit_test(test_backlog_gives_a_batch_larger_than_the_distance_by_itself),
        cmocka_unit_test(test_backlog_does_not_wait_when_it_is_hurried_or_has_enough),
        cmocka_unit_test(test_backlog_wakes_a_taker_for_what_comes_and_for_the_end),
        cmocka_unit_test(test_backlog_stopped_gives_the_rest_and_then_nothing),
        cmocka_unit_test(test_backlog_makes_room_as_what_is_under_way_is_applied),
        cmocka_unit_test(test_backlog_counts_what_is_owed_from_before),
        cmocka_unit_test(test_backlog_pauses_until_it_is_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
