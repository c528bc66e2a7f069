/* expiry: keys go when their time has come. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"

static void
set_until(struct store *s, const char *key, int64_t deadline)
{
    store_set(s, bytes_str(key), bytes_str("value"), deadline, 0);
}

static uint64_t
expired(struct world *w)
{
    struct keyspace_stats stats;

    keyspace_stats(w->keyspace, &stats);
    return stats.expired;
}

static void
test_expiry_is_after_the_deadline_not_at_it(void **state)
{
    struct world *w = *state;

    world_open(w);
    set_until(w->shop, "apple", NOW);
    keyspace_tend(w->keyspace, NOW);
    assert_non_null(world_find(w, w->shop, "apple", NOW));
    assert_int_equal(store_count(w->shop), 1);
    assert_null(world_find(w, w->shop, "apple", NOW + 1));
    assert_int_equal(store_count(w->shop), 0);
    assert_int_equal(store_expires(w->shop), 0);
    assert_int_equal(expired(w), 1);
}

static void
test_expiry_can_be_held(void **state)
{
    struct world *w = *state;

    world_open(w);
    set_until(w->shop, "apple", NOW);
    set_until(w->shop, "lime", NOW);
    keyspace_hold_expired(w->keyspace, INT64_MAX);
    assert_true(keyspace_tend(w->keyspace, NOW + 1) > 1);
    assert_null(world_find(w, w->shop, "apple", NOW + 1));
    assert_int_equal(store_count(w->shop), 2);
    assert_int_equal(expired(w), 0);
    keyspace_hold_expired(w->keyspace, 0);
    assert_null(world_find(w, w->shop, "apple", NOW + 1));
    assert_int_equal(store_count(w->shop), 1);
    keyspace_tend(w->keyspace, NOW + 1);
    assert_int_equal(store_count(w->shop), 0);
    assert_int_equal(expired(w), 2);
}

static void
test_expiry_removes_without_being_asked(void **state)
{
    struct world *w = *state;
    char key[20];

    world_open(w);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    world_set(w->shop, "apple", "red");
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        set_until(i % 2 == 0 ? w->shop : garden, key, NOW + i * 7 % 100);
    }
    for (int64_t now = NOW; now <= NOW + 100; now++) {
        while (keyspace_tend(w->keyspace, now) == 0)
            continue;
        assert_int_equal(expired(w), now - NOW);
        assert_int_equal(store_count(w->shop) + store_count(garden), 101 - (now - NOW));
    }
    assert_int_equal(store_count(w->shop), 1);
    assert_int_equal(store_expires(w->shop), 0);
    store_release(garden);
}

static void
test_expiry_follows_a_deadline_that_is_moved(void **state)
{
    struct world *w = *state;

    world_open(w);
    set_until(w->shop, "apple", NOW + 10);
    set_until(w->shop, "lime", NOW + 20);
    set_until(w->shop, "pear", NOW + 30);
    store_set_deadline(w->shop, world_find(w, w->shop, "apple", NOW), NOW + 40);
    store_set_deadline(w->shop, world_find(w, w->shop, "pear", NOW), NOW + 5);
    store_set_deadline(w->shop, world_find(w, w->shop, "lime", NOW), 0);
    keyspace_tend(w->keyspace, NOW + 39);
    assert_int_equal(store_count(w->shop), 2);
    assert_non_null(world_find(w, w->shop, "apple", NOW + 39));
    keyspace_tend(w->keyspace, NOW + 41);
    assert_int_equal(store_count(w->shop), 1);
    assert_non_null(world_find(w, w->shop, "lime", NOW + 41));
}

static void
test_expiry_tells_when_it_wants_to_be_called(void **state)
{
    struct world *w = *state;

    world_open(w);
    int64_t at_the_latest = keyspace_tend(w->keyspace, NOW);
    assert_true(at_the_latest > 0);
    set_until(w->shop, "apple", NOW + 5);
    assert_int_equal(keyspace_tend(w->keyspace, NOW), 6);
    store_set_deadline(w->shop, world_find(w, w->shop, "apple", NOW), NOW + 1000000);
    assert_int_equal(keyspace_tend(w->keyspace, NOW), at_the_latest);
}

static void
test_expiry_is_logged(void **state)
{
    struct world *w = *state;
    int64_t now = clock_ms();

    world_open(w);
    set_until(w->shop, "apple", now + 10);
    set_until(w->shop, "lime", now + 1000000);
    keyspace_tend(w->keyspace, now + 11);
    world_commit(w);
    world_close(w);
    world_open(w);
    assert_int_equal(store_count(w->shop), 1);
    assert_int_equal(store_expires(w->shop), 1);
    assert_null(world_find(w, w->shop, "apple", now));
    assert_non_null(world_find(w, w->shop, "lime", now));
}

static void
test_expiry_finds_keys_that_are_only_on_the_disk(void **state)
{
    struct world *w = *state;
    int64_t until = bench_until();
    char key[20];

    world_start(w);
    world_set(w->shop, "apple", "red");
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "key%d", i);
        set_until(w->shop, key, clock_ms() + 100000);
    }
    world_evict(w);
    assert_int_equal(store_resident(w->shop), 0);
    clock_advance(200000);
    keyspace_set_maxmemory(w->keyspace, 1);
    while (store_count(w->shop) > 1) {
        world_turn(w);
        bench_listen(&w->bench, until);
    }
    world_wait_applied(w);
    assert_int_equal(store_expires(w->shop), 0);
    assert_int_equal(expired(w), 100);
    assert_true(bench_lacks(&w->bench, store_id(w->shop), "key7"));
    world_assert(w, w->shop, "apple", "red");
}

static void
test_expiry_of_the_last_key_removes_the_file(void **state)
{
    struct world *w = *state;
    int64_t until = bench_until();

    world_start(w);
    set_until(w->shop, "apple", clock_ms() + 100000);
    world_evict(w);
    assert_int_equal(bench_count_files(&w->bench, "stores"), 1);
    clock_advance(200000);
    while (store_count(w->shop) > 0) {
        world_turn(w);
        bench_listen(&w->bench, until);
    }
    world_wait_applied(w);
    assert_int_equal(bench_count_files(&w->bench, "stores"), 0);
}

static void
test_expiry_waits_for_a_log_that_can_be_written(void **state)
{
    struct world *w = *state;
    char value[10000];

    w->bench.options.distance = sizeof value;
    world_open(w);
    memset(value, 'v', sizeof value);
    set_until(w->shop, "apple", NOW + 5);
    store_set(w->shop, bytes_str("lime"), bytes_of(value, sizeof value), 0, 0);
    world_commit(w);
    assert_false(keyspace_may_write(w->keyspace));
    keyspace_tend(w->keyspace, NOW + 6);
    assert_int_equal(store_count(w->shop), 2);
}

/* A letter for each thing told. */
static char told[32];

static void
note(const char *letter, struct bytes key)
{
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s:%.*s ", letter,
             (int)key.len, key.data);
}

static void
note_expired(void *arg, struct store *s, struct bytes key)
{
    (void)arg;
    (void)s;
    note("expired", key);
}

static void
note_created(void *arg, struct store *s, struct bytes key)
{
    (void)arg;
    (void)s;
    note("created", key);
}

static void
test_expiry_is_told_before_the_key_is_set_anew(void **state)
{
    struct world *w = *state;

    world_open(w);
    keyspace_tell(w->keyspace, note_expired, note_created, NULL);
    set_until(w->shop, "a", NOW + 5);
    assert_string_equal(told, "created:a ");
    store_set(w->shop, bytes_str("a"), bytes_str("x"), NOW + 5, NOW + 5);
    assert_string_equal(told, "created:a ");
    store_set(w->shop, bytes_str("a"), bytes_str("y"), 0, NOW + 6);
    assert_string_equal(told, "created:a expired:a created:a ");
    assert_int_equal(expired(w), 1);
    assert_int_equal(store_count(w->shop), 1);
    keyspace_tell(w->keyspace, NULL, NULL, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_expiry_is_after_the_deadline_not_at_it),
        WORLD_TEST(test_expiry_can_be_held),
        WORLD_TEST(test_expiry_removes_without_being_asked),
        WORLD_TEST(test_expiry_follows_a_deadline_that_is_moved),
        WORLD_TEST(test_expiry_tells_when_it_wants_to_be_called),
        WORLD_TEST(test_expiry_is_logged),
        WORLD_TEST(test_expiry_finds_keys_that_are_only_on_the_disk),
        WORLD_TEST(test_expiry_of_the_last_key_removes_the_file),
        WORLD_TEST(test_expiry_waits_for_a_log_that_can_be_written),
        WORLD_TEST(test_expiry_is_told_before_the_key_is_set_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
