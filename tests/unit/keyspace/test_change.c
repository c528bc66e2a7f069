/* change: who wants to know is told of each change of a key. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"

/* What was told: "key " for each, "key! " for one that has expired. */
static void
note(void *arg, struct bytes key, bool has_expired)
{
    buf_printf(arg, "%.*s%s ", (int)key.len, key.data, has_expired ? "!" : "");
}

static void
listen(struct world *w, struct buf *told)
{
    keyspace_tell_changes(w->keyspace, note, told);
}

/* Takes what was told, and expects it to be this. */
static void
assert_told(struct buf *told, const char *text)
{
    buf_append(told, "", 1);
    assert_string_equal(told->data, text);
    buf_clear(told, 0);
}

static void
test_change_of_each_kind_is_told(void **state)
{
    struct world *w = *state;
    struct buf told = {0};

    world_open(w);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    listen(w, &told);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "apple", "red");
    assert_told(&told, "apple apple ");
    struct entry *e = world_find(w, w->shop, "apple", NOW);
    e = store_write(w->shop, e, 3, bytes_str("dish"));
    store_set_deadline(w->shop, e, NOW + 10);
    assert_told(&told, "apple apple ");
    store_copy(garden, bytes_str("pear"), e, NOW);
    assert_told(&told, "pear ");
    store_delete(w->shop, e);
    assert_told(&told, "apple ");
    keyspace_tell_changes(w->keyspace, NULL, NULL);
    world_set(w->shop, "apple", "red");
    assert_told(&told, "");
    store_release(garden);
    buf_deinit(&told);
}

static void
test_change_is_not_a_look_a_flush_a_swap_or_what_leaves_memory(void **state)
{
    struct world *w = *state;
    struct buf told = {0};

    world_start(w);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    world_set(w->shop, "apple", "red");
    listen(w, &told);
    assert_non_null(world_find(w, w->shop, "apple", NOW));
    store_swap(w->shop, garden, NOW);
    world_evict(w);
    assert_non_null(world_find(w, garden, "apple", NOW));
    store_flush(garden);
    assert_told(&told, "");
    store_release(garden);
    buf_deinit(&told);
}

static void
test_change_by_expiry_says_so(void **state)
{
    struct world *w = *state;
    struct buf told = {0};

    world_open(w);
    store_set(w->shop, bytes_str("apple"), bytes_str("red"), NOW + 10, NOW);
    store_set(w->shop, bytes_str("lime"), bytes_str("green"), NOW + 10, NOW);
    listen(w, &told);
    assert_null(world_find(w, w->shop, "apple", NOW + 11));
    assert_told(&told, "apple! ");
    keyspace_tend(w->keyspace, NOW + 11);
    assert_told(&told, "lime! ");
    store_set(w->shop, bytes_str("pear"), bytes_str("green"), NOW + 10, NOW);
    store_set(w->shop, bytes_str("pear"), bytes_str("yellow"), 0, NOW + 11);
    assert_told(&told, "pear pear! pear ");
    buf_deinit(&told);
}

static void
test_change_by_expiry_of_what_is_on_the_disk_only(void **state)
{
    struct world *w = *state;
    struct buf told = {0};
    int64_t until = bench_until(), now = clock_ms();

    world_start(w);
    store_set(w->shop, bytes_str("apple"), bytes_str("red"), now + 1000, now);
    world_set(w->shop, "pear", "green");
    world_evict(w);
    listen(w, &told);
    clock_advance(60000);
    while (told.len == 0) {
        world_turn(w);
        bench_listen(&w->bench, until);
    }
    assert_told(&told, "apple! ");
    buf_deinit(&told);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_change_of_each_kind_is_told),
        WORLD_TEST(test_change_is_not_a_look_a_flush_a_swap_or_what_leaves_memory),
        WORLD_TEST(test_change_by_expiry_says_so),
        WORLD_TEST(test_change_by_expiry_of_what_is_on_the_disk_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
