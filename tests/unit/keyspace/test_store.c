/* store: a store's keys in memory, and its counts. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/random.h"
#include "unit/keyspace/world.h"

static int64_t
memory(struct world *w)
{
    struct keyspace_stats stats;

    keyspace_stats(w->keyspace, &stats);
    return stats.memory;
}

static void
test_store_finds_what_was_set(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_assert(w, w->shop, "apple", NULL);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "", "");
    world_assert(w, w->shop, "apple", "red");
    world_assert(w, w->shop, "", "");
    world_set(w->shop, "apple", "a much longer value than the one before it was");
    world_assert(w, w->shop, "apple", "a much longer value than the one before it was");
    world_set(w->shop, "apple", "r");
    world_assert(w, w->shop, "apple", "r");
    assert_int_equal(store_count(w->shop), 2);
}

static void
test_store_takes_a_value_out_of_the_old_one(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "apple", "0123456789");
    struct bytes old = entry_string(world_find(w, w->shop, "apple", NOW));
    store_set(w->shop, bytes_str("apple"), bytes_of(old.data + 4, 5), 0, 0);
    world_assert(w, w->shop, "apple", "45678");

    char *large = calloc(1, 1001);
    memset(large, 'l', 1000);
    world_set(w->shop, "apple", large);
    old = entry_string(world_find(w, w->shop, "apple", NOW));
    store_set(w->shop, bytes_str("apple"), bytes_of(old.data + 990, 3), 0, 0);
    world_assert(w, w->shop, "apple", "lll");
    free(large);
}

/* Writes the bytes at *arg, each one higher. */
static void
fill_higher(void *arg, size_t at, char *to, size_t len)
{
    const char *from = *(const char **)arg;

    for (size_t i = 0; i < len; i++)
        to[i] = (char)(from[at + i] + 1);
}

static void
test_store_fills_a_value_out_of_the_old_one(void **state)
{
    struct world *w = *state;
    char digits[10001];

    world_open(w);
    for (size_t len = 10000; len > 9000; len -= 7) {
        memset(digits, '4', 10000);
        digits[len] = '\0';
        store_set(w->shop, bytes_str("apple"), bytes_of(digits, 10000), NOW + 5, 0);
        const char *old = entry_string(world_find(w, w->shop, "apple", 0)).data;
        store_fill(w->shop, bytes_str("apple"), len, fill_higher, &old, 0);
        memset(digits, '5', len);
        world_assert(w, w->shop, "apple", digits);
        assert_int_equal(store_expires(w->shop), 0);
    }
    const char *text = "abc";
    store_fill(w->shop, bytes_str("pear"), 3, fill_higher, &text, 0);
    world_assert(w, w->shop, "pear", "bcd");
}

static void
test_store_appends_and_keeps_the_deadline(void **state)
{
    struct world *w = *state;

    world_open(w);
    store_set(w->shop, bytes_str("apple"), bytes_str("red"), NOW + 5, 0);
    struct entry *e = world_find(w, w->shop, "apple", NOW);
    for (int i = 0; i < 100; i++)
        e = store_write(w->shop, e, entry_string(e).len, bytes_str("dish"));
    assert_ptr_equal(e, world_find(w, w->shop, "apple", NOW));
    assert_int_equal(entry_string(e).len, 403);
    assert_int_equal(entry_deadline(e), NOW + 5);
    assert_int_equal(store_expires(w->shop), 1);
    world_set(w->shop, "apple", "green");
    assert_int_equal(entry_deadline(world_find(w, w->shop, "apple", NOW)), 0);
    assert_int_equal(store_expires(w->shop), 0);
}

static void
test_store_sets_and_takes_away_deadlines(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "apple", "red");
    struct entry *e = world_find(w, w->shop, "apple", NOW);
    store_set_deadline(w->shop, e, NOW + 7);
    assert_int_equal(entry_deadline(e), NOW + 7);
    assert_int_equal(store_expires(w->shop), 1);
    store_set_deadline(w->shop, e, NOW + 9);
    assert_int_equal(store_expires(w->shop), 1);
    store_set_deadline(w->shop, e, 0);
    assert_int_equal(store_expires(w->shop), 0);
    assert_int_equal(store_count(w->shop), 1);
}

static void
test_store_gives_memory_back_with_its_keys(void **state)
{
    struct world *w = *state;
    char key[20];

    world_open(w);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        store_set(w->shop, bytes_str(key), bytes_str("value"), i % 2 * NOW, 0);
    }
    assert_true(memory(w) > 1000 * 10);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key%d", i);
        world_delete(w, w->shop, key);
    }
    assert_int_equal(memory(w), 0);
    assert_int_equal(store_count(w->shop), 0);
    assert_int_equal(store_resident(w->shop), 0);
}

static void
test_store_flushed_has_nothing_and_begins_anew(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "lime", "green");
    world_evict(w);
    store_flush(w->shop);
    assert_int_equal(store_count(w->shop), 0);
    assert_true(store_is_complete(w->shop));
    world_assert(w, w->shop, "apple", NULL);
    world_set(w->shop, "apple", "brown");
    world_evict(w);
    world_assert(w, w->shop, "apple", "brown");
    world_assert(w, w->shop, "lime", NULL);
    world_restart(w);
    world_assert(w, w->shop, "apple", "brown");
    world_assert(w, w->shop, "lime", NULL);
}

/* However many they are, the flush itself does not go through them. */
static void
test_store_flushed_gives_its_memory_back_by_and_by(void **state)
{
    struct world *w = *state;
    char key[20];

    world_start(w);
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key%04d", i);
        store_set(w->shop, bytes_str(key), bytes_str("v"), i % 2 == 0 ? 0 : NOW + i, 0);
    }
    int64_t before = memory(w);
    store_flush(w->shop);
    assert_int_equal(store_resident(w->shop), 0);
    assert_int_equal(memory(w), before);
    world_set(w->shop, "key0001", "new");
    while (keyspace_tend(w->keyspace, NOW) == 0)
        ;
    assert_true(memory(w) < before / 100);
    world_assert(w, w->shop, "key0001", "new");
    world_assert(w, w->shop, "key0002", NULL);
}

/* In memory while not in the tables, or the table would be asked again. */
static void
test_store_knows_that_a_deleted_key_is_gone(void **state)
{
    struct world *w = *state;

    w->bench.options.apply_delay = NEVER_MS;
    world_start(w);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "lime", "green");
    world_evict(w);
    world_delete(w, w->shop, "apple");
    world_commit(w);
    assert_true(bench_has(&w->bench, store_id(w->shop), "apple", "\001\001red"));
    assert_true(store_knows(w->shop, bytes_str("apple")));
    assert_false(store_knows(w->shop, bytes_str("lime")));
    world_assert(w, w->shop, "apple", NULL);
    assert_int_equal(store_count(w->shop), 1);
    world_evict(w);
    world_assert(w, w->shop, "apple", NULL);
}

static void
test_store_notes_the_stamps_it_showed(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "apple", "red");
    assert_int_equal(keyspace_seen(w->keyspace), 1);
    world_commit(w);
    world_set(w->shop, "lime", "green");
    world_commit(w);
    keyspace_forget_seen(w->keyspace);
    assert_int_equal(keyspace_seen(w->keyspace), 0);
    world_assert(w, w->shop, "apple", "red");
    assert_int_equal(keyspace_seen(w->keyspace), 1);
    world_assert(w, w->shop, "lime", "green");
    assert_int_equal(keyspace_seen(w->keyspace), 2);
    world_delete(w, w->shop, "apple");
    world_commit(w);
    keyspace_forget_seen(w->keyspace);
    world_assert(w, w->shop, "apple", NULL);
    assert_int_equal(keyspace_seen(w->keyspace), 3);
    keyspace_forget_seen(w->keyspace);
    assert_int_equal(store_count(w->shop), 1);
    assert_int_equal(keyspace_seen(w->keyspace), 3);
}

/* --- against a naive model --- */

#define NKEYS 60

struct model {
    bool there[NKEYS];
    int value[NKEYS];
    int64_t deadline[NKEYS];
    uint64_t random;
};

static const char *
key_name(int key)
{
    static char name[20];

    snprintf(name, sizeof name, "key%d", key);
    return name;
}

static void
model_change(struct world *w, struct model *m)
{
    int key = (int)random_below(&m->random, NKEYS),
        what = (int)random_below(&m->random, 60);
    struct entry *e = world_find(w, w->shop, key_name(key), NOW);
    char value[20];

    assert_int_equal(e != NULL, m->there[key]);
    if (what == 0) {
        store_flush(w->shop);
        memset(m->there, 0, sizeof m->there);
    } else if (what < 25) {
        m->there[key] = true;
        m->value[key] = (int)random_below(&m->random, 1000000);
        m->deadline[key] = what % 2 * (NOW + 1000000000000 + key);
        snprintf(value, sizeof value, "%d", m->value[key]);
        store_set(w->shop, bytes_str(key_name(key)), bytes_str(value), m->deadline[key],
                  0);
    } else if (what < 40 && e != NULL) {
        store_delete(w->shop, e);
        m->there[key] = false;
    } else if (what < 50 && e != NULL) {
        m->deadline[key] = what % 2 * (NOW + 2000000000000 + key);
        store_set_deadline(w->shop, e, m->deadline[key]);
    }
}

static void
assert_is_model(struct world *w, const struct model *m)
{
    int count = 0, expires = 0;
    char value[20];

    for (int key = 0; key < NKEYS; key++) {
        struct entry *e = world_find(w, w->shop, key_name(key), NOW);
        assert_int_equal(e != NULL, m->there[key]);
        if (e == NULL)
            continue;
        snprintf(value, sizeof value, "%d", m->value[key]);
        assert_true(bytes_eq(entry_string(e), bytes_str(value)));
        assert_int_equal(entry_deadline(e), m->deadline[key]);
        count++;
        expires += m->deadline[key] != 0;
    }
    assert_int_equal(store_count(w->shop), count);
    assert_int_equal(store_expires(w->shop), expires);
}

/* What may happen between any two commands. */
static void
disturb(struct world *w, struct model *m)
{
    uint64_t what = random_below(&m->random, 8);

    if (what == 0)
        world_evict(w);
    else if (what == 1)
        world_restart(w);
    else if (what == 2)
        world_wait_applied(w);
    else
        world_turn(w);
}

static void
test_store_agrees_with_a_naive_model_whatever_leaves_memory(void **state)
{
    struct world *w = *state;
    struct model m = {.random = 7};

    world_start(w);
    for (int round = 0; round < 120; round++) {
        for (int i = 0; i < 30; i++)
            model_change(w, &m);
        disturb(w, &m);
        assert_is_model(w, &m);
    }
}

/* The log as a death leaves it: nothing of it applied. */
static void
test_store_agrees_with_a_naive_model_after_a_replay(void **state)
{
    struct world *w = *state;
    struct model m = {.random = 9};

    world_open(w);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 200; i++) {
            if (store_is_complete(w->shop))
                model_change(w, &m);
            if (i % 10 == 0)
                world_commit(w);
        }
        world_commit(w);
        world_close(w);
        world_open(w);
        assert_is_model(w, &m);
    }
    world_close(w);
    world_start(w);
    world_evict(w);
    assert_is_model(w, &m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_store_finds_what_was_set),
        WORLD_TEST(test_store_takes_a_value_out_of_the_old_one),
        WORLD_TEST(test_store_fills_a_value_out_of_the_old_one),
        WORLD_TEST(test_store_appends_and_keeps_the_deadline),
        WORLD_TEST(test_store_sets_and_takes_away_deadlines),
        WORLD_TEST(test_store_gives_memory_back_with_its_keys),
        WORLD_TEST(test_store_flushed_gives_its_memory_back_by_and_by),
        WORLD_TEST(test_store_flushed_has_nothing_and_begins_anew),
        WORLD_TEST(test_store_knows_that_a_deleted_key_is_gone),
        WORLD_TEST(test_store_notes_the_stamps_it_showed),
        WORLD_TEST(test_store_agrees_with_a_naive_model_whatever_leaves_memory),
        WORLD_TEST(test_store_agrees_with_a_naive_model_after_a_replay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
