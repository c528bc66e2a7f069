/* fetch: keys that are not in memory, asked for. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"

#define MAX_KEYS 3

/* The linker puts it in front of the clock: while time flies each look is a second
 * later, on whatever thread. */
static _Atomic bool time_flies;

int64_t __real_clock_mono_us(void);
int64_t __wrap_clock_mono_us(void);

int64_t
__wrap_clock_mono_us(void)
{
    static _Atomic int64_t flown;

    if (time_flies)
        flown += 1000000;
    return __real_clock_mono_us() + flown;
}

/* What a fetch told when it was done, and what is done then. */
struct asked {
    struct world *world;
    int done; /* 1; -1 with an error */
    bool all_known;
    struct fetch_key keys[MAX_KEYS];
    size_t nkeys;
    void (*then)(struct world *w);
};

static void
note(void *arg, int error)
{
    struct asked *a = arg;

    assert_int_equal(a->done, 0);
    a->done = error == 0 ? 1 : -1;
    a->all_known = true;
    for (size_t i = 0; i < a->nkeys; i++)
        a->all_known &= store_knows(a->keys[i].store, a->keys[i].key);
    if (a->then != NULL)
        a->then(a->world);
}

static struct fetch *
start(struct asked *a)
{
    return fetch_start(a->world->keyspace, a->keys, a->nkeys, note, a);
}

static struct asked
ask_for(struct world *w, const char *key)
{
    return (struct asked){.world = w, .keys = {{w->shop, bytes_str(key)}}, .nkeys = 1};
}

static void
finish(struct asked *a)
{
    int64_t until = bench_until();

    for (keyspace_take_reads(a->world->keyspace); a->done == 0;
         keyspace_take_reads(a->world->keyspace))
        bench_listen(&a->world->bench, until);
}

/* Apples and limes, in the table only. */
static void
open_with_fruit(struct world *w)
{
    world_start(w);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "lime", "green");
    world_evict(w);
    assert_false(store_knows(w->shop, bytes_str("apple")));
}

static void
test_fetch_brings_keys_into_memory(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    struct asked a = ask_for(w, "apple");
    a.keys[1] = (struct fetch_key){w->shop, bytes_str("pear")};
    a.keys[2] = (struct fetch_key){garden, bytes_str("tree")};
    a.nkeys = 3;
    start(&a);
    assert_int_equal(a.done, 0);
    finish(&a);
    assert_int_equal(a.done, 1);
    assert_true(a.all_known);
    world_assert(w, w->shop, "apple", "red");
    world_assert(w, w->shop, "pear", NULL);
    assert_false(store_knows(w->shop, bytes_str("lime")));
    store_release(garden);
}

static void
test_fetch_knows_the_same_key_twice(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    struct asked a = ask_for(w, "apple");
    a.keys[1] = a.keys[0];
    a.nkeys = 2;
    start(&a);
    finish(&a);
    assert_int_equal(a.done, 1);
    assert_int_equal(store_resident(w->shop), 1);
}

static void
test_fetch_cancelled_is_never_done(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    struct asked cancelled = ask_for(w, "apple"), other = ask_for(w, "lime");
    struct fetch *f = start(&cancelled);
    start(&other);
    fetch_cancel(f);
    finish(&other);
    storage_finish_reads(w->bench.storage);
    keyspace_take_reads(w->keyspace);
    assert_int_equal(cancelled.done, 0);
}

static void
test_fetch_on_its_way_does_not_outlive_its_keyspace(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    struct asked a = ask_for(w, "apple");
    start(&a);
    world_close(w);
    assert_int_equal(a.done, 0);
}

/* --- what changes while it is on its way --- */

static void
set_apple(struct world *w)
{
    world_set(w->shop, "apple", "brown");
}

static void
delete_apple(struct world *w)
{
    struct entry *e = store_find(w->shop, bytes_str("apple"), NOW);

    if (e != NULL)
        store_delete(w->shop, e);
}

static void
flush_shop(struct world *w)
{
    store_flush(w->shop);
}

/* Two ask for the same key; the first to have it changes it, and only then comes what the
 * other had read before. */
static void
assert_change_stays(struct world *w, void (*change)(struct world *), const char *expected)
{
    struct asked one = ask_for(w, "apple"), two = ask_for(w, "apple");

    one.then = two.then = change;
    start(&one);
    start(&two);
    storage_finish_reads(w->bench.storage);
    keyspace_take_reads(w->keyspace);
    assert_true(one.done == 1 && two.done == 1);
    world_assert(w, w->shop, "apple", expected);
    world_evict(w);
    world_assert(w, w->shop, "apple", expected);
}

static void
test_fetch_does_not_bring_back_what_was_set_meanwhile(void **state)
{
    open_with_fruit(*state);
    assert_change_stays(*state, set_apple, "brown");
}

static void
test_fetch_does_not_bring_back_what_was_deleted_meanwhile(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    assert_change_stays(w, delete_apple, NULL);
    assert_int_equal(store_count(w->shop), 1);
}

static void
test_fetch_does_not_bring_back_what_another_flushed(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    assert_change_stays(w, flush_shop, NULL);
    world_assert(w, w->shop, "lime", NULL);
}

static void
test_fetch_does_not_bring_back_what_was_flushed_meanwhile(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    struct asked a = ask_for(w, "apple");
    start(&a);
    storage_finish_reads(w->bench.storage);
    store_flush(w->shop);
    world_set(w->shop, "lime", "yellow");
    finish(&a);
    world_assert(w, w->shop, "apple", NULL);
    world_assert(w, w->shop, "lime", "yellow");
    assert_int_equal(store_resident(w->shop), 1);
}

/* Applied or not, it stays until the read that is older has come. */
static void
test_fetch_keeps_what_is_newer_than_it_in_memory(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    struct asked a = ask_for(w, "apple");
    start(&a);
    storage_finish_reads(w->bench.storage);
    store_flush(w->shop);
    world_set(w->shop, "apple", "brown");
    world_set(w->shop, "pear", "yellow");
    world_delete(w, w->shop, "pear");
    world_wait_applied(w);
    keyspace_set_maxmemory(w->keyspace, 1);
    for (int i = 0; i < 10; i++)
        keyspace_tend(w->keyspace, clock_ms());
    assert_true(store_knows(w->shop, bytes_str("apple")));
    assert_true(store_knows(w->shop, bytes_str("pear")));
    finish(&a);
    world_assert(w, w->shop, "apple", "brown");
    world_evict(w);
    assert_false(store_knows(w->shop, bytes_str("apple")));
    world_assert(w, w->shop, "apple", "brown");
    world_assert(w, w->shop, "pear", NULL);
}

static void
test_fetch_asks_again_for_what_left_memory_meanwhile(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    world_assert(w, w->shop, "lime", "green");
    struct asked a = ask_for(w, "apple");
    a.keys[1] = (struct fetch_key){w->shop, bytes_str("lime")};
    a.nkeys = 2;
    start(&a);
    storage_finish_reads(w->bench.storage);
    keyspace_set_maxmemory(w->keyspace, 1);
    while (store_knows(w->shop, bytes_str("lime")))
        keyspace_tend(w->keyspace, clock_ms());
    keyspace_set_maxmemory(w->keyspace, 0);
    finish(&a);
    assert_int_equal(a.done, 1);
    assert_true(a.all_known);
    world_assert(w, w->shop, "apple", "red");
    world_assert(w, w->shop, "lime", "green");
}

/* --- what goes wrong --- */

static void
test_fetch_fails_when_the_disk_does_and_can_be_tried_again(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    world_restart(w);
    bench_hide(&w->bench, "stores");
    struct asked a = ask_for(w, "apple"), again = ask_for(w, "apple");
    start(&a);
    finish(&a);
    assert_int_equal(a.done, -1);
    assert_false(a.all_known);
    bench_show(&w->bench, "stores");
    start(&again);
    finish(&again);
    assert_int_equal(again.done, 1);
    world_assert(w, w->shop, "apple", "red");
}

static void
test_fetch_fails_on_a_record_of_an_unknown_version(void **state)
{
    struct world *w = *state;

    bench_start(&w->bench);
    bench_create(&w->bench, 1, "shop");
    bench_put_new(&w->bench, 1, "apple", "\002from the future");
    bench_apply(&w->bench);
    bench_close(&w->bench);
    world_start(w);
    struct asked a = ask_for(w, "apple");
    start(&a);
    finish(&a);
    assert_int_equal(a.done, -1);
    assert_false(a.all_known);
}

static void
test_fetches_that_are_done_together_have_a_turn_each_where_one_takes_long(void **state)
{
    struct world *w = *state;

    open_with_fruit(w);
    struct asked apple = ask_for(w, "apple"), lime = ask_for(w, "lime");
    start(&apple);
    start(&lime);
    storage_finish_reads(w->bench.storage);
    time_flies = true;
    assert_true(keyspace_take_reads(w->keyspace));
    assert_int_equal(apple.done + lime.done, 1);
    assert_false(keyspace_take_reads(w->keyspace));
    time_flies = false;
    assert_int_equal(apple.done + lime.done, 2);
    assert_false(keyspace_take_reads(w->keyspace));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_fetch_brings_keys_into_memory),
        WORLD_TEST(test_fetch_knows_the_same_key_twice),
        WORLD_TEST(test_fetch_cancelled_is_never_done),
        WORLD_TEST(test_fetch_on_its_way_does_not_outlive_its_keyspace),
        WORLD_TEST(test_fetch_does_not_bring_back_what_was_set_meanwhile),
        WORLD_TEST(test_fetch_does_not_bring_back_what_was_deleted_meanwhile),
        WORLD_TEST(test_fetch_does_not_bring_back_what_another_flushed),
        WORLD_TEST(test_fetch_does_not_bring_back_what_was_flushed_meanwhile),
        WORLD_TEST(test_fetch_keeps_what_is_newer_than_it_in_memory),
        WORLD_TEST(test_fetch_asks_again_for_what_left_memory_meanwhile),
        WORLD_TEST(test_fetch_fails_when_the_disk_does_and_can_be_tried_again),
        WORLD_TEST(test_fetch_fails_on_a_record_of_an_unknown_version),
        WORLD_TEST(
            test_fetches_that_are_done_together_have_a_turn_each_where_one_takes_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
