/* scan: the keys of a complete store, walked over in memory. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"

#define NKEYS 100

static const char *
key_name(int key)
{
    static char name[20];

    snprintf(name, sizeof name, "%d", key);
    return name;
}

static void
count(void *arg, struct bytes key, enum type type)
{
    int *told = arg;

    assert_int_equal(type, TYPE_STRING);
    told[strtol(key.data, NULL, 10)]++;
}

static void
set_numbers(struct world *w)
{
    for (int key = 0; key < NKEYS; key++)
        world_set(w->shop, key_name(key), "x");
}

/* One of each ten is deleted, the next has a deadline at NOW. */
static void
take_some_away(struct world *w)
{
    for (int key = 0; key < NKEYS; key += 10) {
        world_delete(w, w->shop, key_name(key));
        store_set_deadline(w->shop, world_find(w, w->shop, key_name(key + 1), NOW), NOW);
    }
}

static void
assert_told_is_there(const int *told)
{
    for (int key = 0; key < NKEYS; key++)
        assert_int_equal(told[key], key % 10 > 1);
}

static void
test_scan_tells_each_key_once(void **state)
{
    struct world *w = *state;
    int told[NKEYS] = {0};
    uint32_t place = 0;

    world_open(w);
    set_numbers(w);
    take_some_away(w);
    do
        place = store_scan(w->shop, place, NOW + 1, count, told);
    while (place != 0);
    assert_told_is_there(told);
}

static void
test_each_tells_each_key_once(void **state)
{
    struct world *w = *state;
    int told[NKEYS] = {0};

    world_open(w);
    set_numbers(w);
    take_some_away(w);
    store_each(w->shop, NOW + 1, count, told);
    assert_told_is_there(told);
}

static void
test_scan_of_an_empty_store_tells_nothing(void **state)
{
    struct world *w = *state;

    world_open(w);
    assert_int_equal(store_scan(w->shop, 0, NOW, count, NULL), 0);
    assert_int_equal(store_scan(w->shop, 12345, NOW, count, NULL), 0);
    store_each(w->shop, NOW, count, NULL);
    assert_null(store_random(w->shop, NOW, SIZE_MAX));
}

static void
test_scan_has_seen_the_last_change(void **state)
{
    struct world *w = *state;
    int told[NKEYS];

    world_open(w);
    set_numbers(w);
    keyspace_forget_seen(w->keyspace);
    store_scan(w->shop, 0, NOW, count, told);
    assert_int_equal(keyspace_seen(w->keyspace), 1);
}

static void
test_random_gives_every_key_that_is_there(void **state)
{
    struct world *w = *state;
    int told[NKEYS] = {0};

    world_open(w);
    set_numbers(w);
    take_some_away(w);
    for (int i = 0; i < 100 * NKEYS; i++) {
        struct entry *e = store_random(w->shop, NOW + 1, SIZE_MAX);
        told[strtol(entry_key(e).data, NULL, 10)]++;
    }
    for (int key = 0; key < NKEYS; key++)
        assert_int_equal(told[key] > 0, key % 10 > 1);
}

static void
test_random_finds_the_last_key(void **state)
{
    struct world *w = *state;

    world_open(w);
    set_numbers(w);
    for (int key = 1; key < NKEYS; key++)
        world_delete(w, w->shop, key_name(key));
    for (int i = 0; i < 100; i++)
        assert_non_null(store_random(w->shop, NOW, SIZE_MAX));
    world_delete(w, w->shop, key_name(0));
    assert_null(store_random(w->shop, NOW, SIZE_MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_scan_tells_each_key_once),
        WORLD_TEST(test_each_tells_each_key_once),
        WORLD_TEST(test_scan_of_an_empty_store_tells_nothing),
        WORLD_TEST(test_scan_has_seen_the_last_change),
        WORLD_TEST(test_random_gives_every_key_that_is_there),
        WORLD_TEST(test_random_finds_the_last_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
