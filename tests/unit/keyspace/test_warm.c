/* warm: a store is brought back into memory after a start. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "keyspace/keyspace_priv.h"
#include "unit/keyspace/world.h"

#define NKEYS     3000
#define VALUE_LEN 100 /* so that a walk has several pieces */

static const char *
key_name(int key)
{
    static char name[20];

    snprintf(name, sizeof name, "key%04d", key);
    return name;
}

/* Keys in the table, and a keyspace that has just been opened on it. */
static void
open_cold(struct world *w)
{
    char value[VALUE_LEN + 1] = "";

    memset(value, 'v', VALUE_LEN);
    world_start(w);
    for (int key = 0; key < NKEYS; key++)
        world_set(w->shop, key_name(key), value);
    world_restart(w);
    assert_int_equal(store_count(w->shop), NKEYS);
    assert_int_equal(store_resident(w->shop), 0);
    assert_false(store_is_complete(w->shop));
}

/* Begins a walk, and takes its first piece in. */
static void
begin(struct world *w)
{
    assert_null(w->keyspace->warming);
    keyspace_tend(w->keyspace, clock_ms());
    assert_non_null(w->keyspace->warming);
    storage_finish_reads(w->bench.storage);
    keyspace_take_reads(w->keyspace);
    assert_non_null(w->keyspace->warming);
    assert_true(store_resident(w->shop) > 0 && store_resident(w->shop) < NKEYS);
}

/* To the end of the walk. */
static void
finish(struct world *w)
{
    while (w->keyspace->warming != NULL) {
        storage_finish_reads(w->bench.storage);
        keyspace_take_reads(w->keyspace);
    }
}

static uint64_t
reads(struct world *w)
{
    struct storage_stats stats;

    storage_stats(w->bench.storage, &stats);
    return stats.reads;
}

static void
test_warming_makes_a_store_complete_after_a_start(void **state)
{
    struct world *w = *state;

    open_cold(w);
    world_wait_complete(w, w->shop);
    assert_int_equal(store_resident(w->shop), NKEYS);
    uint64_t before = reads(w);
    for (int key = 0; key < NKEYS; key++)
        assert_non_null(world_find(w, w->shop, key_name(key), NOW));
    world_assert(w, w->shop, "no such key", NULL);
    assert_int_equal(reads(w), before);
}

static void
test_warming_takes_all_stores_in_their_turn(void **state)
{
    struct world *w = *state;
    struct store *stores[20];
    char name[20];

    world_start(w);
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < 20; i++) {
            snprintf(name, sizeof name, "store%d", i);
            stores[i] = keyspace_store(w->keyspace, bytes_str(name));
            if (again)
                world_wait_complete(w, stores[i]);
            else
                world_set(stores[i], "name", name);
            world_assert(w, stores[i], "name", name);
            store_release(stores[i]);
        }
        if (!again)
            world_restart(w);
    }
}

static void
test_warming_does_not_bring_back_what_changes_meanwhile(void **state)
{
    struct world *w = *state;

    open_cold(w);
    begin(w);
    for (int key = 0; key < NKEYS; key += NKEYS / 10) {
        assert_non_null(world_find(w, w->shop, key_name(key), NOW));
        world_set(w->shop, key_name(key), "changed");
        world_delete(w, w->shop, key_name(key + 1));
    }
    finish(w);
    world_wait_applied(w);
    for (int key = 0; key < NKEYS; key += NKEYS / 10) {
        world_assert(w, w->shop, key_name(key), "changed");
        world_assert(w, w->shop, key_name(key + 1), NULL);
    }
    assert_int_equal(store_count(w->shop), NKEYS - 10);
    assert_true(store_is_complete(w->shop));
}

static void
test_warming_does_not_bring_back_what_is_flushed_meanwhile(void **state)
{
    struct world *w = *state;

    open_cold(w);
    begin(w);
    store_flush(w->shop);
    world_set(w->shop, "apple", "red");
    finish(w);
    assert_true(store_is_complete(w->shop));
    assert_int_equal(store_resident(w->shop), 1);
    world_assert(w, w->shop, "apple", "red");
    world_assert(w, w->shop, key_name(NKEYS - 1), NULL);
}

static void
test_warming_does_not_make_complete_when_entries_left_meanwhile(void **state)
{
    struct world *w = *state;

    open_cold(w);
    begin(w);
    keyspace_set_maxmemory(w->keyspace, 1);
    while (store_resident(w->shop) > 0)
        keyspace_tend(w->keyspace, clock_ms());
    keyspace_set_maxmemory(w->keyspace, 0);
    finish(w);
    assert_false(store_is_complete(w->shop));
    for (int key = 0; key < NKEYS; key += 10)
        assert_non_null(world_find(w, w->shop, key_name(key), NOW));
    world_assert(w, w->shop, "no such key", NULL);
}

static void
test_warming_does_not_make_complete_when_memory_is_short(void **state)
{
    struct world *w = *state;
    struct keyspace_stats stats;

    open_cold(w);
    keyspace_set_maxmemory(w->keyspace, NKEYS * VALUE_LEN / 2);
    begin(w);
    finish(w);
    assert_false(store_is_complete(w->shop));
    keyspace_stats(w->keyspace, &stats);
    assert_true(stats.memory <= NKEYS * VALUE_LEN / 2);
    assert_int_equal(stats.evicted, 0);
    assert_non_null(world_find(w, w->shop, key_name(NKEYS - 1), NOW));
    world_assert(w, w->shop, "no such key", NULL);
}

/* Once the table cannot be read; then it can. */
static void
fail_to_warm(struct world *w)
{
    open_cold(w);
    bench_hide(&w->bench, "stores");
    keyspace_tend(w->keyspace, clock_ms());
    assert_non_null(w->keyspace->warming);
    finish(w);
    assert_false(store_is_complete(w->shop));
    bench_show(&w->bench, "stores");
}

static void
test_warming_of_a_store_that_cannot_be_read_is_tried_again(void **state)
{
    struct world *w = *state;

    fail_to_warm(w);
    clock_advance(60000);
    world_wait_complete(w, w->shop);
    assert_int_equal(store_resident(w->shop), NKEYS);
}

static void
test_warming_is_tried_again_though_the_clock_was_set_back(void **state)
{
    struct world *w = *state;

    fail_to_warm(w);
    clock_advance(-3600000);
    world_wait_complete(w, w->shop);
    clock_advance(3600000);
}

static void
test_warming_on_its_way_does_not_outlive_its_keyspace(void **state)
{
    struct world *w = *state;

    open_cold(w);
    begin(w);
    world_close(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_warming_makes_a_store_complete_after_a_start),
        WORLD_TEST(test_warming_takes_all_stores_in_their_turn),
        WORLD_TEST(test_warming_does_not_bring_back_what_changes_meanwhile),
        WORLD_TEST(test_warming_does_not_bring_back_what_is_flushed_meanwhile),
        WORLD_TEST(test_warming_does_not_make_complete_when_entries_left_meanwhile),
        WORLD_TEST(test_warming_does_not_make_complete_when_memory_is_short),
        WORLD_TEST(test_warming_of_a_store_that_cannot_be_read_is_tried_again),
        WORLD_TEST(test_warming_is_tried_again_though_the_clock_was_set_back),
        WORLD_TEST(test_warming_on_its_way_does_not_outlive_its_keyspace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
