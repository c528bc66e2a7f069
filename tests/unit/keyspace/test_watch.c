/* watch: whether a key was changed. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"

static struct watch *
watch(struct world *w, const char *key)
{
    return watch_new(w->shop, bytes_str(key), NOW);
}

static void
assert_touched(struct watch *watch, bool touched)
{
    assert_int_equal(watch_is_touched(watch, NOW), touched);
    watch_free(watch);
}

static void
test_watch_is_touched_by_a_set(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "apple", "red");
    struct watch *present = watch(w, "apple"), *absent = watch(w, "lime");
    assert_false(watch_is_touched(present, NOW));
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "lime", "green");
    assert_touched(present, true);
    assert_touched(absent, true);
}

static void
test_watch_is_touched_by_every_way_to_change_a_key(void **state)
{
    struct world *w = *state;

    world_open(w);
    for (int way = 0; way < 4; way++) {
        world_set(w->shop, "lime", "green");
        world_set(w->shop, "apple", "red");
        struct entry *e = world_find(w, w->shop, "apple", NOW);
        struct watch *touched = watch(w, "apple"), *other = watch(w, "lime");

        if (way == 0)
            store_delete(w->shop, e);
        else if (way == 1)
            store_write(w->shop, e, 0, bytes_str("dish"));
        else if (way == 2)
            store_set_deadline(w->shop, e, NOW + 1000);
        else
            store_set_deadline(w->shop, e, 0);
        assert_touched(touched, true);
        assert_touched(other, false);
    }
}

static void
test_watch_is_not_touched_by_other_keys_and_stores(void **state)
{
    struct world *w = *state;

    world_open(w);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    world_set(w->shop, "apple", "red");
    struct watch *watched = watch(w, "apple");
    world_set(w->shop, "appl", "");
    world_set(w->shop, "apples", "");
    world_set(garden, "apple", "green");
    world_delete(w, garden, "apple");
    world_set(garden, "apple", "green");
    store_flush(garden);
    world_commit(w);
    assert_touched(watched, false);
    store_release(garden);
}

static void
test_watch_is_touched_by_a_flush_where_the_key_was_present(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "apple", "red");
    struct watch *present = watch(w, "apple"), *absent = watch(w, "lime");
    keyspace_flush_all(w->keyspace);
    assert_touched(present, true);
    assert_touched(absent, false);

    struct watch *again = watch(w, "apple");
    store_flush(w->shop);
    assert_touched(again, false);
}

static void
test_watch_is_touched_as_the_deadline_passes(void **state)
{
    struct world *w = *state;

    world_open(w);
    store_set(w->shop, bytes_str("apple"), bytes_str("red"), NOW + 10, 0);
    struct watch *one = watch(w, "apple"), *two = watch(w, "apple");
    assert_false(watch_is_touched(one, NOW + 10));
    assert_true(watch_is_touched(one, NOW + 11));
    assert_false(watch_is_touched(two, NOW));
    assert_null(world_find(w, w->shop, "apple", NOW + 11));
    assert_true(watch_is_touched(two, NOW));
    watch_free(one);
    watch_free(two);
}

static void
test_watch_begun_after_the_deadline_is_not_touched_as_the_key_goes(void **state)
{
    struct world *w = *state;

    world_open(w);
    store_set(w->shop, bytes_str("apple"), bytes_str("red"), NOW - 10, 0);
    struct watch *gone = watch(w, "apple"), *back = watch(w, "apple");
    assert_int_equal(store_count(w->shop), 1);
    assert_null(world_find(w, w->shop, "apple", NOW));
    assert_touched(gone, false);
    world_set(w->shop, "apple", "green");
    assert_touched(back, true);
}

static void
test_watch_begun_after_the_deadline_is_of_an_absent_key(void **state)
{
    struct world *w = *state;

    world_open(w);
    store_set(w->shop, bytes_str("apple"), bytes_str("red"), NOW + 10, 0);
    struct watch *late = watch_new(w->shop, bytes_str("apple"), NOW + 11);
    assert_false(watch_is_touched(late, NOW + 12));
    watch_free(late);
}

static void
test_watch_goes_on_for_the_others_when_one_is_freed(void **state)
{
    struct world *w = *state;
    struct keyspace_stats stats;
    struct watch *watches[5];

    for (int freed = 0; freed < 5; freed++) {
        world_open(w);
        for (int i = 0; i < 5; i++)
            watches[i] = watch(w, "apple");
        keyspace_stats(w->keyspace, &stats);
        assert_int_equal(stats.watched, 5);
        watch_free(watches[freed]);
        world_set(w->shop, "apple", "red");
        for (int i = 0; i < 5; i++) {
            if (i != freed)
                assert_touched(watches[i], true);
        }
        keyspace_stats(w->keyspace, &stats);
        assert_int_equal(stats.watched, 0);
        world_close(w);
    }
}

static void
test_watch_knows_whose_it_is(void **state)
{
    struct world *w = *state;

    world_open(w);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    struct watch *watched = watch(w, "apple");
    assert_true(watch_is_of(watched, w->shop, bytes_str("apple")));
    assert_false(watch_is_of(watched, w->shop, bytes_str("lime")));
    assert_false(watch_is_of(watched, garden, bytes_str("apple")));
    watch_free(watched);
    store_release(garden);
}

static void
test_watch_does_not_mind_that_its_key_leaves_memory(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_set(w->shop, "apple", "red");
    struct watch *watched = watch(w, "apple");
    world_evict(w);
    assert_false(watch_is_touched(watched, NOW));
    world_assert(w, w->shop, "apple", "red");
    assert_false(watch_is_touched(watched, NOW));
    world_set(w->shop, "apple", "brown");
    assert_touched(watched, true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_watch_is_touched_by_a_set),
        WORLD_TEST(test_watch_is_touched_by_every_way_to_change_a_key),
        WORLD_TEST(test_watch_is_not_touched_by_other_keys_and_stores),
        WORLD_TEST(test_watch_is_touched_by_a_flush_where_the_key_was_present),
        WORLD_TEST(test_watch_is_touched_as_the_deadline_passes),
        WORLD_TEST(test_watch_begun_after_the_deadline_is_not_touched_as_the_key_goes),
        WORLD_TEST(test_watch_begun_after_the_deadline_is_of_an_absent_key),
        WORLD_TEST(test_watch_goes_on_for_the_others_when_one_is_freed),
        WORLD_TEST(test_watch_knows_whose_it_is),
        WORLD_TEST(test_watch_does_not_mind_that_its_key_leaves_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
