/* Stores that get each other's keys, in memory, in the log and on the disk. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/random.h"
#include "unit/keyspace/world.h"

#define LATER 4000000000000 /* ms, beyond what the clock says */

static void
swap(struct world *w, const char *one, const char *other)
{
    struct store *a = keyspace_store(w->keyspace, bytes_str(one));
    struct store *b = keyspace_store(w->keyspace, bytes_str(other));

    store_swap(a, b, NOW);
    store_release(a);
    store_release(b);
}

static void
assert_has(struct world *w, const char *store, const char *key, const char *value)
{
    struct store *s = keyspace_store(w->keyspace, bytes_str(store));

    world_assert(w, s, key, value);
    store_release(s);
}

/* "shop" has a red apple, "garden" a white rose and a green apple. */
static struct store *
fill(struct world *w)
{
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));

    world_set(w->shop, "apple", "red");
    world_set(garden, "apple", "green");
    store_set(garden, bytes_str("rose"), bytes_str("white"), LATER + 5, 0);
    return garden;
}

static void
assert_swapped(struct world *w)
{
    struct store *garden = keyspace_find_store(w->keyspace, bytes_str("garden"));

    world_assert(w, w->shop, "apple", "green");
    world_assert(w, w->shop, "rose", "white");
    world_assert(w, garden, "apple", "red");
    world_assert(w, garden, "rose", NULL);
    assert_int_equal(store_count(w->shop), 2);
    assert_int_equal(store_expires(w->shop), 1);
    assert_int_equal(store_count(garden), 1);
    assert_int_equal(store_expires(garden), 0);
}

static void
test_swap_gives_two_stores_each_others_keys(void **state)
{
    struct world *w = *state;

    world_open(w);
    struct store *garden = fill(w);
    uint32_t shop_id = store_id(w->shop), garden_id = store_id(garden);
    store_swap(w->shop, garden, NOW);
    assert_swapped(w);
    assert_int_equal(store_id(w->shop), garden_id);
    assert_int_equal(store_id(garden), shop_id);
    assert_true(bytes_eq(store_name(garden), bytes_str("garden")));
    assert_ptr_equal(keyspace_find_store(w->keyspace, bytes_str("garden")), garden);
    store_swap(garden, garden, NOW);
    assert_swapped(w);
    store_release(garden);
}

static void
test_swap_takes_the_deadlines_along(void **state)
{
    struct world *w = *state;

    world_open(w);
    struct store *garden = fill(w);
    store_swap(w->shop, garden, NOW);
    keyspace_tend(w->keyspace, LATER + 10);
    assert_int_equal(store_count(w->shop), 1);
    assert_int_equal(store_expires(w->shop), 0);
    store_set(garden, bytes_str("apple"), bytes_str("red"), LATER + 20, 0);
    store_swap(w->shop, garden, NOW);
    swap(w, "shop", "market");
    keyspace_tend(w->keyspace, LATER + 30);
    assert_null(keyspace_find_store(w->keyspace, bytes_str("market")));
    assert_int_equal(store_count(garden), 1);
    store_release(garden);
}

static void
test_swap_is_replayed_from_the_log(void **state)
{
    struct world *w = *state;

    world_open(w); /* nothing is applied */
    store_release(fill(w));
    world_commit(w);
    swap(w, "shop", "garden");
    world_commit(w);
    world_close(w);
    world_open(w);
    assert_swapped(w);
}

static void
test_swap_is_in_the_tables(void **state)
{
    struct world *w = *state;

    world_start(w);
    store_release(fill(w));
    world_wait_applied(w);
    swap(w, "shop", "garden");
    world_restart(w);
    assert_swapped(w);
    world_wait_complete(w, w->shop);
    assert_swapped(w);
}

static void
test_swap_gives_a_name_that_was_free(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_set(w->shop, "apple", "red");
    struct store *market = keyspace_store(w->keyspace, bytes_str("market"));
    store_swap(w->shop, market, NOW);
    store_release(market);
    assert_null(keyspace_find_store(w->keyspace, bytes_str("shop")));
    world_assert(w, w->shop, "apple", NULL);
    world_assert(w, market, "apple", "red");
    world_set(w->shop, "apple", "green");
    world_restart(w);
    world_assert(w, w->shop, "apple", "green");
    assert_has(w, "market", "apple", "red");
}

static void
test_swap_of_empty_stores_writes_nothing(void **state)
{
    struct world *w = *state;

    world_open(w);
    uint64_t before = storage_next(w->bench.storage);
    swap(w, "shop", "garden");
    world_commit(w);
    assert_int_equal(storage_next(w->bench.storage), before);
}

static void
test_swap_brings_keys_that_are_on_the_disk(void **state)
{
    struct world *w = *state;

    world_start(w);
    struct store *garden = fill(w);
    world_evict(w);
    store_swap(w->shop, garden, NOW);
    assert_false(store_knows(garden, bytes_str("apple")));
    store_release(garden);
    assert_swapped(w);
}

/* What comes back is of the table that was the store's when it was asked for. */
static void
test_swap_lets_no_read_on_its_way_bring_the_others_key(void **state)
{
    struct world *w = *state;
    int64_t until = bench_until();
    int done = 0;

    world_start(w);
    struct store *garden = fill(w);
    world_evict(w);
    struct fetch_key k = {w->shop, bytes_str("apple")};
    fetch_start(w->keyspace, &k, 1, world_noted, &done);
    store_swap(w->shop, garden, NOW);
    while (done == 0) {
        bench_listen(&w->bench, until);
        keyspace_take_reads(w->keyspace);
    }
    assert_int_equal(done, 1);
    store_release(garden);
    assert_swapped(w);
}

static void
test_swap_lets_no_walk_on_its_way_complete_the_other(void **state)
{
    struct world *w = *state;

    world_start(w);
    store_release(fill(w));
    world_wait_applied(w);
    world_restart(w);
    keyspace_tend(w->keyspace, clock_ms());
    swap(w, "shop", "garden");
    world_turn(w);
    assert_swapped(w);
}

/* Whether a watch on the key, made before, is touched by a swap with "garden". */
static bool
swap_touches(struct world *w, struct store *s, const char *key)
{
    struct watch *watch = watch_new(s, bytes_str(key), NOW);

    swap(w, "shop", "garden");
    bool touched = watch_is_touched(watch, NOW);
    watch_free(watch);
    return touched;
}

static void
test_swap_touches_watches_of_keys_that_either_has(void **state)
{
    struct world *w = *state;

    world_open(w);
    struct store *garden = fill(w);
    assert_true(swap_touches(w, w->shop, "apple"));
    assert_true(swap_touches(w, w->shop, "rose"));
    assert_true(swap_touches(w, w->shop, "rose"));
    assert_true(swap_touches(w, garden, "rose"));
    assert_false(swap_touches(w, garden, "pear"));
    struct store *other = keyspace_store(w->keyspace, bytes_str("other"));
    assert_false(swap_touches(w, other, "apple"));
    store_release(other);
    store_release(garden);
}

/* Of a key that is on the disk it is found out when it matters. */
static void
test_swap_is_unsure_of_watched_keys_that_are_on_the_disk(void **state)
{
    static const char *const keys[] = {"rose", "pear"};
    struct world *w = *state;

    world_start(w);
    struct store *garden = fill(w);
    for (int i = 0; i < 2; i++) {
        struct store *at;
        struct bytes key;
        world_find(w, w->shop, keys[i], NOW);
        struct watch *watch = watch_new(w->shop, bytes_str(keys[i]), NOW);
        world_evict(w);
        store_swap(w->shop, garden, NOW);
        assert_true(watch_is_unsure(watch, &at, &key));
        assert_ptr_equal(at, w->shop);
        world_find(w, at, keys[i], NOW);
        assert_int_equal(watch_is_touched(watch, NOW), i == 0);
        watch_free(watch);
        store_swap(w->shop, garden, NOW);
    }
    store_release(garden);
}

/* Also of a key that has not changed, and of one that is not there. */
static void
test_swap_is_what_every_later_look_depends_on(void **state)
{
    struct world *w = *state;

    world_start(w);
    struct store *garden = fill(w);
    world_wait_applied(w);
    store_swap(w->shop, garden, NOW);
    uint64_t number = storage_next(w->bench.storage);
    keyspace_forget_seen(w->keyspace);
    world_assert(w, w->shop, "apple", "green");
    assert_int_equal(keyspace_seen(w->keyspace), number);
    keyspace_forget_seen(w->keyspace);
    world_assert(w, garden, "rose", NULL);
    assert_int_equal(keyspace_seen(w->keyspace), number);
    swap(w, "garden", "market");
    store_release(garden);
    keyspace_forget_seen(w->keyspace);
    assert_null(keyspace_find_store(w->keyspace, bytes_str("garden")));
    assert_has(w, "garden", "apple", NULL);
    assert_int_equal(keyspace_seen(w->keyspace), number);
}

/* --- against a naive model --- */

#define NAMES 4
#define KEYS  12

struct model {
    int values[NAMES][KEYS]; /* 0: none */
    uint64_t random;
};

static struct store *
store_of(struct world *w, int store)
{
    return keyspace_store(w->keyspace, bytes_of("abcd" + store, 1));
}

static void
change_key(struct world *w, struct model *m, struct store *s, int store)
{
    int key = (int)random_below(&m->random, KEYS);
    char name[8], value[16];
    int *known = &m->values[store][key];

    snprintf(name, sizeof name, "k%d", key);
    if (*known != 0 && random_below(&m->random, 2) == 0) {
        world_delete(w, s, name);
        *known = 0;
        return;
    }
    *known = 1 + (int)random_below(&m->random, 1000);
    snprintf(value, sizeof value, "%d", *known);
    world_find(w, s, name, NOW);
    world_set(s, name, value);
}

static void
swap_two(struct world *w, struct model *m, struct store *s, int store)
{
    int other = (int)random_below(&m->random, NAMES), had[KEYS];
    struct store *o = store_of(w, other);

    store_swap(s, o, NOW);
    store_release(o);
    memcpy(had, m->values[store], sizeof had);
    memcpy(m->values[store], m->values[other], sizeof had);
    memcpy(m->values[other], had, sizeof had);
}

static void
change(struct world *w, struct model *m)
{
    int store = (int)random_below(&m->random, NAMES);
    struct store *s = store_of(w, store);
    uint64_t what = random_below(&m->random, 20);

    if (what == 0) {
        store_flush(s);
        memset(m->values[store], 0, sizeof m->values[store]);
    } else if (what < 6) {
        swap_two(w, m, s, store);
    } else {
        change_key(w, m, s, store);
    }
    store_release(s);
    if (random_below(&m->random, 4) == 0)
        world_commit(w);
}

static void
assert_is_model(struct world *w, const struct model *m)
{
    char name[8], value[16];

    for (int store = 0; store < NAMES; store++) {
        struct store *s = store_of(w, store);
        int64_t count = 0;
        for (int key = 0; key < KEYS; key++) {
            int known = m->values[store][key];
            snprintf(name, sizeof name, "k%d", key);
            snprintf(value, sizeof value, "%d", known);
            world_assert(w, s, name, known != 0 ? value : NULL);
            count += known != 0;
        }
        assert_int_equal(store_count(s), count);
        store_release(s);
    }
}

static void
test_swap_agrees_with_a_naive_model(void **state)
{
    struct world *w = *state;
    struct model m = {.random = 11};

    world_start(w);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 30; i++)
            change(w, &m);
        switch (random_below(&m.random, 5)) {
        case 0:
            world_evict(w);
            break;
        case 1:
            world_restart(w);
            break;
        case 2:
            world_wait_applied(w);
            break;
        case 3:
            world_turn(w);
            break;
        }
        assert_is_model(w, &m);
    }
}

/* Nothing is ever applied: each start reads the whole log. */
static void
test_swap_agrees_with_a_naive_model_from_the_log_alone(void **state)
{
    struct world *w = *state;
    struct model m = {.random = 12};

    world_open(w);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 30; i++)
            change(w, &m);
        world_commit(w);
        world_close(w);
        world_open(w);
        assert_is_model(w, &m);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_swap_gives_two_stores_each_others_keys),
        WORLD_TEST(test_swap_takes_the_deadlines_along),
        WORLD_TEST(test_swap_is_replayed_from_the_log),
        WORLD_TEST(test_swap_is_in_the_tables),
        WORLD_TEST(test_swap_gives_a_name_that_was_free),
        WORLD_TEST(test_swap_of_empty_stores_writes_nothing),
        WORLD_TEST(test_swap_brings_keys_that_are_on_the_disk),
        WORLD_TEST(test_swap_lets_no_read_on_its_way_bring_the_others_key),
        WORLD_TEST(test_swap_lets_no_walk_on_its_way_complete_the_other),
        WORLD_TEST(test_swap_touches_watches_of_keys_that_either_has),
        WORLD_TEST(test_swap_is_unsure_of_watched_keys_that_are_on_the_disk),
        WORLD_TEST(test_swap_is_what_every_later_look_depends_on),
        WORLD_TEST(test_swap_agrees_with_a_naive_model),
        WORLD_TEST(test_swap_agrees_with_a_naive_model_from_the_log_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
