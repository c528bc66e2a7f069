/* map: a hash table that is resized a little at a time. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/map.h"
#include <stdlib.h>

#define NITEMS 1000
#define NSTEPS 20000
#define SLOT   sizeof(struct map_node *)

struct item {
    struct map_node node;
    uint32_t key;
    bool in; /* the model: what the map should hold */
    int nseen;
};

static bool
has_key(const struct map_node *node, struct bytes key)
{
    return memcmp(&((const struct item *)node)->key, key.data, key.len) == 0;
}

static struct bytes
key_of(const struct item *item)
{
    return bytes_of((const char *)&item->key, sizeof(item->key));
}

static uint32_t
hash_of(const struct item *item)
{
    return map_hash(key_of(item));
}

static void
insert(struct map *m, struct item *item)
{
    map_insert(m, &item->node, hash_of(item));
    item->in = true;
}

static void
remove_item(struct map *m, struct item *item)
{
    map_remove(m, &item->node);
    item->in = false;
}

static struct map_node *
find(const struct map *m, const struct item *item)
{
    return map_find(m, hash_of(item), key_of(item), has_key);
}

/* Items; so many of them, the first, are in the map. */
static struct item *
items_in(struct map *m, int count)
{
    static struct item items[NITEMS];

    memset(items, 0, sizeof items);
    for (int i = 0; i < NITEMS; i++) {
        items[i].key = (uint32_t)i;
        if (i < count)
            insert(m, &items[i]);
    }
    return items;
}

static void
assert_like_model(const struct map *m, const struct item *items)
{
    size_t count = 0;

    for (int i = 0; i < NITEMS; i++) {
        assert_ptr_equal(find(m, &items[i]), items[i].in ? &items[i].node : NULL);
        count += items[i].in;
    }
    assert_int_equal(m->count, count);
}

static void
test_map_holds_what_a_naive_array_holds(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, 0);

    srand(1);
    for (int i = 0; i < NSTEPS; i++) {
        struct item *item = &items[rand() % NITEMS];
        /* It fills in one half of each round and empties in the other. */
        bool filling = i % 4000 < 2000;
        if (!item->in && (filling || rand() % 8 == 0))
            insert(&m, item);
        else if (item->in && (!filling || rand() % 8 == 0))
            remove_item(&m, item);
        map_check(&m);
        if (i % 50 == 0)
            assert_like_model(&m, items);
    }
    map_deinit(&m);
}

static void
test_map_finds_each_of_two_keys_with_one_hash(void **state)
{
    (void)state;
    struct item a = {.key = 1}, b = {.key = 2};
    struct map m = {0};

    map_insert(&m, &a.node, 7);
    map_insert(&m, &b.node, 7);
    assert_ptr_equal(map_find(&m, 7, key_of(&a), has_key), &a.node);
    assert_ptr_equal(map_find(&m, 7, key_of(&b), has_key), &b.node);
    map_remove(&m, &b.node);
    assert_null(map_find(&m, 7, key_of(&b), has_key));
    map_deinit(&m);
}

static void
test_map_is_small_while_it_has_few_nodes(void **state)
{
    (void)state;
    struct map m = {0};

    assert_int_equal(map_memory(&m), 0);
    items_in(&m, 4);
    assert_int_equal(map_memory(&m), 4 * SLOT);
    map_deinit(&m);
}

static void
test_map_shrinks_when_sparse_and_gives_all_back_when_empty(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, NITEMS);

    size_t full = map_memory(&m);
    for (int i = NITEMS - 1; i >= 10; i--)
        remove_item(&m, &items[i]);
    assert_true(map_memory(&m) < full / 4);
    assert_like_model(&m, items);
    for (int i = 9; i >= 0; i--)
        remove_item(&m, &items[i]);
    assert_int_equal(map_memory(&m), 0);
}

static void
test_map_moves_few_nodes_at_each_insertion(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, 0);

    for (int i = 0; i < NITEMS; i++) {
        size_t moved = m.moved;
        insert(&m, &items[i]);
        if (m.moved > moved)
            assert_true(m.moved - moved <= 16);
    }
    map_deinit(&m);
}

static void
test_map_with_room_reserved_is_not_resized_by_a_load(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, 5);

    map_reserve(&m, NITEMS);
    map_check(&m);
    size_t reserved = map_memory(&m);
    for (int i = 5; i < NITEMS; i++)
        insert(&m, &items[i]);
    assert_int_equal(map_memory(&m), reserved);
    assert_like_model(&m, items);
    map_deinit(&m);
}

static void
test_map_is_full_just_before_it_grows(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, 0);

    for (int i = 0; i < NITEMS; i++) {
        bool full = map_is_full(&m);
        size_t nslots = m.nslots;
        insert(&m, &items[i]);
        assert_int_equal(m.nslots > nslots, full);
    }
    map_deinit(&m);
}

static void
test_map_replaces_a_node_that_realloc_has_moved(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, 0);

    /* All have one hash, so that the chain is long. */
    for (int i = 0; i < 20; i++)
        map_insert(&m, &items[i].node, 7);
    for (int i = 0; i < 20; i++) {
        struct item *moved = malloc(sizeof(*moved));
        *moved = items[i];
        memset(&items[i].node, 0xff, sizeof(items[i].node));
        map_replace(&m, (uintptr_t)&items[i].node, &moved->node, 7);
        map_check(&m);
        assert_ptr_equal(map_find(&m, 7, key_of(moved), has_key), &moved->node);
    }
    assert_int_equal(m.count, 20);
    for (uint32_t i = 0; i < 20; i++) {
        struct item probe = {.key = i};
        struct map_node *node = map_find(&m, 7, key_of(&probe), has_key);
        map_remove(&m, node);
        free(node);
    }
}

static void
see(struct map_node *node, void *arg)
{
    (void)arg;
    ((struct item *)node)->nseen++;
}

static void
see_and_remove(struct map_node *node, void *arg)
{
    see(node, arg);
    remove_item(arg, (struct item *)node);
    memset(node, 0xff, sizeof(*node));
}

static void
assert_first_are_seen_once(const struct item *items, int count)
{
    for (int i = 0; i < NITEMS; i++)
        assert_int_equal(items[i].nseen, i < count);
}

static void
test_map_walk_sees_each_node_once_even_within_a_resize(void **state)
{
    (void)state;

    for (int count = 0; count < 300; count++) {
        struct map m = {0};
        struct item *items = items_in(&m, count);
        map_each(&m, see, &m);
        assert_first_are_seen_once(items, count);
        map_deinit(&m);
    }
}

static void
test_map_walk_may_remove_each_node_it_sees(void **state)
{
    (void)state;

    for (int count = 0; count < 300; count++) {
        struct map m = {0};
        struct item *items = items_in(&m, count);
        map_each(&m, see_and_remove, &m);
        assert_int_equal(m.count, 0);
        assert_int_equal(map_memory(&m), 0);
        assert_first_are_seen_once(items, count);
    }
}

static void
test_map_walk_misses_nothing_when_the_map_begins_to_grow(void **state)
{
    (void)state;
    const int full = 256;

    for (size_t grow_at = 0; grow_at < (size_t)full; grow_at++) {
        struct map m = {0};
        struct item *items = items_in(&m, full);
        assert_int_equal(map_walk_end(&m), full);
        for (size_t at = 0; at < map_walk_end(&m); at++) {
            if (at >= grow_at && at < grow_at + 5)
                insert(&m, &items[full + (int)(at - grow_at)]);
            map_walk(&m, at, see, NULL);
            map_check(&m);
        }
        for (int i = 0; i < full; i++)
            assert_true(items[i].nseen > 0);
        map_deinit(&m);
    }
}

/* Scans the map with changes between the calls, which go on from call to call. */
static void
scan(struct map *m, void (*change)(struct map *m, struct item *items), struct item *items)
{
    uint32_t place = 0;

    do {
        place = map_scan(m, place, see, NULL);
        map_check(m);
        change(m, items);
    } while (place != 0);
}

#define NSTAYING (NITEMS / 10) /* the first of the items: never removed */

static void
assert_staying_are_seen_once(struct map *m, const struct item *items)
{
    for (int i = 0; i < NSTAYING; i++)
        assert_int_equal(items[i].nseen, 1);
    for (int i = NSTAYING; i < NITEMS; i++)
        assert_in_range(items[i].nseen, 0, 1);
    map_deinit(m);
}

static void
change_nothing(struct map *m, struct item *items)
{
    (void)m;
    (void)items;
}

static void
grow(struct map *m, struct item *items)
{
    for (int i = NSTAYING; i < NITEMS; i++) {
        if (!items[i].in) {
            insert(m, &items[i]);
            return;
        }
    }
}

static void
shrink(struct map *m, struct item *items)
{
    for (int i = NSTAYING, left = 5; i < NITEMS && left > 0; i++) {
        if (items[i].in) {
            remove_item(m, &items[i]);
            left--;
        }
    }
}

static void
test_map_scan_sees_each_node_once(void **state)
{
    (void)state;

    for (int count = 0; count < 300; count++) {
        struct map m = {0};
        struct item *items = items_in(&m, count);
        scan(&m, change_nothing, items);
        assert_first_are_seen_once(items, count);
        map_deinit(&m);
    }
}

static void
test_map_scan_sees_each_node_once_while_the_map_grows(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, NSTAYING);

    scan(&m, grow, items);
    assert_staying_are_seen_once(&m, items);
}

static void
test_map_scan_sees_each_node_once_while_the_map_shrinks(void **state)
{
    (void)state;
    struct map m = {0};
    struct item *items = items_in(&m, NITEMS);

    /* Few are left from now on, so that it shrinks at the next removals. */
    for (int i = NITEMS - 1; i >= NSTAYING + 100; i--)
        remove_item(&m, &items[i]);
    scan(&m, shrink, items);
    assert_staying_are_seen_once(&m, items);
}

static void
fill_and_empty(struct map *m, struct item *items)
{
    static int turn;

    for (int i = 0; i < 40; i++)
        (turn / 20 % 2 == 0 ? grow : shrink)(m, items);
    turn++;
}

static void
test_map_scan_sees_each_node_once_while_the_map_changes_its_size_often(void **state)
{
    (void)state;

    for (int again = 0; again < 50; again++) {
        struct map m = {0};
        struct item *items = items_in(&m, NSTAYING);
        scan(&m, fill_and_empty, items);
        assert_staying_are_seen_once(&m, items);
    }
}

static void
test_map_scan_goes_by_the_place(void **state)
{
    (void)state;
    struct item last = {.key = 1};
    struct map m = {0};

    assert_int_equal(map_place(1), 0x80000000);
    assert_int_equal(map_place(0x80000000), 1);
    assert_int_equal(map_place(map_place(0x12345678)), 0x12345678);
    map_insert(&m, &last.node, UINT32_MAX);
    assert_int_equal(map_scan(&m, UINT32_MAX, see, NULL), 0);
    assert_int_equal(last.nseen, 1);
    map_deinit(&m);
}

static void
test_map_scan_start_has_a_whole_slot_behind_it(void **state)
{
    (void)state;
    struct item items[100];
    struct map m = {0};

    assert_int_equal(map_scan_start(&m, 12345), 0);
    for (uint32_t i = 0; i < 100; i++) {
        items[i] = (struct item){.key = i};
        map_insert(&m, &items[i].node, map_place(i * (UINT32_MAX / 100)));
    }
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t place = map_place(items[i].node.hash);
        uint32_t start = map_scan_start(&m, place);
        uint32_t end = map_scan(&m, start, see, NULL);
        assert_in_range(place, start, end - 1);
        assert_int_equal(items[i].nseen, 1);
        assert_int_equal(map_scan_start(&m, end - 1), start);
        for (uint32_t j = 0; j < 100; j++)
            items[j].nseen = 0;
    }
    map_deinit(&m);
}

static void
test_map_hash_spreads_keys_over_slots(void **state)
{
    (void)state;
    int nodes[256] = {0};

    for (uint32_t i = 0; i < 256 * 100; i++)
        nodes[map_hash(bytes_of((const char *)&i, sizeof(i))) & 255]++;
    for (int i = 0; i < 256; i++)
        assert_in_range(nodes[i], 30, 200);
    assert_int_equal(map_hash(bytes_str("key")), map_hash(bytes_str("key")));
    map_hash(bytes_of(NULL, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_holds_what_a_naive_array_holds),
        cmocka_unit_test(test_map_finds_each_of_two_keys_with_one_hash),
        cmocka_unit_test(test_map_is_small_while_it_has_few_nodes),
        cmocka_unit_test(test_map_shrinks_when_sparse_and_gives_all_back_when_empty),
        cmocka_unit_test(test_map_moves_few_nodes_at_each_insertion),
        cmocka_unit_test(test_map_with_room_reserved_is_not_resized_by_a_load),
        cmocka_unit_test(test_map_is_full_just_before_it_grows),
        cmocka_unit_test(test_map_replaces_a_node_that_realloc_has_moved),
        cmocka_unit_test(test_map_walk_sees_each_node_once_even_within_a_resize),
        cmocka_unit_test(test_map_walk_may_remove_each_node_it_sees),
        cmocka_unit_test(test_map_walk_misses_nothing_when_the_map_begins_to_grow),
        cmocka_unit_test(test_map_scan_sees_each_node_once),
        cmocka_unit_test(test_map_scan_sees_each_node_once_while_the_map_grows),
        cmocka_unit_test(test_map_scan_sees_each_node_once_while_the_map_shrinks),
        cmocka_unit_test(
            test_map_scan_sees_each_node_once_while_the_map_changes_its_size_often),
        cmocka_unit_test(test_map_scan_goes_by_the_place),
        cmocka_unit_test(test_map_scan_start_has_a_whole_slot_behind_it),
        cmocka_unit_test(test_map_hash_spreads_keys_over_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
