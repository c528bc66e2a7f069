/* evict: entries leave memory, their data stays. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"

#define NKEYS     2000
#define VALUE_LEN 100

static const char *
key_name(int key)
{
    static char name[20];

    snprintf(name, sizeof name, "key%04d", key);
    return name;
}

/* A value of VALUE_LEN bytes that begins with its key. */
static const char *
value_of(int key)
{
    static char value[VALUE_LEN + 1];

    memset(value, 'v', VALUE_LEN);
    memcpy(value, key_name(key), strlen(key_name(key)));
    return value;
}

static void
fill(struct world *w)
{
    for (int key = 0; key < NKEYS; key++)
        world_set(w->shop, key_name(key), value_of(key));
    world_commit(w);
}

static struct keyspace_stats
stats_of(struct world *w)
{
    struct keyspace_stats stats;

    keyspace_stats(w->keyspace, &stats);
    return stats;
}

static void
wait_until_under(struct world *w, int64_t maxmemory)
{
    int64_t until = bench_until();

    keyspace_set_maxmemory(w->keyspace, maxmemory);
    for (world_turn(w); keyspace_is_over(w->keyspace); world_turn(w))
        bench_listen(&w->bench, until);
}

static void
test_evict_lets_nothing_go_that_is_not_applied(void **state)
{
    struct world *w = *state;

    world_open(w);
    fill(w);
    keyspace_set_maxmemory(w->keyspace, 1);
    for (int i = 0; i < 100; i++)
        keyspace_tend(w->keyspace, clock_ms());
    assert_true(keyspace_is_over(w->keyspace));
    assert_int_equal(store_resident(w->shop), NKEYS);
    assert_int_equal(stats_of(w).evicted, 0);
}

/* With more entries than one slice can look at, it once never noticed that none could leave, and
 * the applier was never asked to hurry. */
static void
test_evict_hurries_the_applier_when_nothing_may_go(void **state)
{
    struct world *w = *state;

    w->bench.options.apply_delay = 3600 * 1000;
    world_start(w);
    for (int key = 0; key < 50 * NKEYS; key++) {
        char name[20];
        snprintf(name, sizeof name, "key%06d", key);
        world_set(w->shop, name, "v");
    }
    world_commit(w);
    wait_until_under(w, 1024 * 1024);
    assert_int_equal(store_count(w->shop), 50 * NKEYS);
}

static void
test_evict_brings_memory_under_its_ceiling_and_loses_nothing(void **state)
{
    struct world *w = *state;

    world_start(w);
    fill(w);
    int64_t full = stats_of(w).memory;
    assert_true(full > NKEYS * VALUE_LEN);
    wait_until_under(w, full / 4);
    assert_true(stats_of(w).memory <= full / 4);
    assert_true(stats_of(w).memory > full / 8);
    assert_int_equal(stats_of(w).evicted + (uint64_t)stats_of(w).entries, NKEYS);
    assert_int_equal(store_count(w->shop), NKEYS);
    for (int key = 0; key < NKEYS; key++) {
        world_assert(w, w->shop, key_name(key), value_of(key));
        keyspace_tend(w->keyspace, clock_ms());
    }
    wait_until_under(w, full / 4);
    world_assert(w, w->shop, "no such key", NULL);
}

static void
test_evict_keeps_memory_near_its_ceiling_while_more_is_written(void **state)
{
    struct world *w = *state;
    int64_t until = bench_until(), most = 0;

    w->bench.options.distance = 1024 * 1024;
    world_start(w);
    keyspace_set_maxmemory(w->keyspace, 64 * 1024);
    for (int i = 0; i < 20 * NKEYS; i++) {
        while (!keyspace_may_write(w->keyspace)) {
            world_turn(w);
            bench_listen(&w->bench, until);
        }
        int key = i * 7 % NKEYS;
        if (world_find(w, w->shop, key_name(key), NOW) == NULL || i % 3 == 0)
            world_set(w->shop, key_name(key), value_of(key));
        if (i % 50 == 0)
            world_turn(w);
        if (stats_of(w).memory > most)
            most = stats_of(w).memory;
    }
    /* At most what the log may be ahead of the tables. */
    assert_true(most < 2 * 1024 * 1024);
    wait_until_under(w, 64 * 1024);
    assert_int_equal(store_count(w->shop), NKEYS);
    for (int key = 0; key < NKEYS; key++)
        world_assert(w, w->shop, key_name(key), value_of(key));
}

static void
test_evict_spares_what_was_looked_at(void **state)
{
    struct world *w = *state;
    int hot[20], nhot = 0;

    world_start(w);
    fill(w);
    int64_t full = stats_of(w).memory;
    wait_until_under(w, full / 10 * 9); /* the hand has been everywhere once */
    for (int key = 0; key < NKEYS && nhot < 20; key += NKEYS / 40) {
        if (store_knows(w->shop, bytes_str(key_name(key)))) {
            store_find(w->shop, bytes_str(key_name(key)), NOW);
            hot[nhot++] = key;
        }
    }
    wait_until_under(w, full / 2);
    for (int i = 0; i < nhot; i++)
        assert_true(store_knows(w->shop, bytes_str(key_name(hot[i]))));
}

static void
test_evict_lets_nothing_go_that_hides_a_deletion(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "lime", "green");
    world_wait_applied(w);
    w->bench.options.apply_delay = NEVER_MS;
    storage_tune(w->bench.storage, &w->bench.options);
    world_delete(w, w->shop, "lime");
    world_commit(w);
    assert_int_equal(store_resident(w->shop), 1);
    keyspace_set_maxmemory(w->keyspace, 1);
    keyspace_tend(w->keyspace, clock_ms());
    assert_int_equal(store_resident(w->shop), 1);
    assert_true(store_is_complete(w->shop));
    world_assert(w, w->shop, "lime", NULL);
    world_evict(w);
    assert_false(store_is_complete(w->shop));
    world_assert(w, w->shop, "lime", NULL);
    world_assert(w, w->shop, "apple", "red");
}

static void
test_evict_takes_from_every_store(void **state)
{
    struct world *w = *state;
    struct store *stores[10];
    char name[20];

    world_start(w);
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "store%d", i);
        stores[i] = keyspace_store(w->keyspace, bytes_str(name));
        for (int key = 0; key < 100; key++)
            world_set(stores[i], key_name(key), value_of(key));
    }
    world_evict(w);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(store_resident(stores[i]), 0);
        assert_int_equal(store_count(stores[i]), 100);
        world_assert(w, stores[i], key_name(i), value_of(i));
        store_release(stores[i]);
    }
}

static void
test_evict_does_nothing_without_a_ceiling(void **state)
{
    struct world *w = *state;

    world_start(w);
    fill(w);
    world_wait_applied(w);
    for (int i = 0; i < 100; i++)
        keyspace_tend(w->keyspace, clock_ms());
    assert_int_equal(store_resident(w->shop), NKEYS);
    assert_false(keyspace_is_over(w->keyspace));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_evict_lets_nothing_go_that_is_not_applied),
        WORLD_TEST(test_evict_hurries_the_applier_when_nothing_may_go),
        WORLD_TEST(test_evict_brings_memory_under_its_ceiling_and_loses_nothing),
        WORLD_TEST(test_evict_keeps_memory_near_its_ceiling_while_more_is_written),
        WORLD_TEST(test_evict_spares_what_was_looked_at),
        WORLD_TEST(test_evict_lets_nothing_go_that_hides_a_deletion),
        WORLD_TEST(test_evict_takes_from_every_store),
        WORLD_TEST(test_evict_does_nothing_without_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
