/* Stores that get other names: in the catalog, and with it over a start. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/storage.h"
#include "lib/random.h"
#include "unit/storage/bench.h"

#define SHOP   1 /* stores' ids */
#define GARDEN 2
#define NEW    3

/* For the leak sanitizer: Berkeley DB keeps memory of an environment that did not open. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libdb-5";
}

/* "shop" has an apple, "garden" a rose; the catalog has both. */
static void
fill(struct bench *b)
{
    bench_start(b);
    bench_create(b, SHOP, "shop");
    bench_put_new(b, SHOP, "apple", "red");
    bench_create(b, GARDEN, "garden");
    bench_put_new(b, GARDEN, "rose", "white");
    bench_apply(b);
}

static void
assert_shop_and_garden_are_whole(struct bench *b)
{
    assert_true(bench_has(b, SHOP, "apple", "red"));
    assert_true(bench_has(b, GARDEN, "rose", "white"));
}

static void
test_names_change_and_the_records_stay_where_they_are(void **state)
{
    struct bench *b = *state;
    struct storage_table before, after;

    fill(b);
    storage_table(b->storage, SHOP, &before);
    bench_create(b, SHOP, "market");
    bench_apply(b);
    bench_assert_rows(b, "2 garden 1 0;1 market 1 0;");
    storage_table(b->storage, SHOP, &after);
    assert_string_equal(before.file, after.file);
    bench_restart(b);
    bench_assert_rows(b, "2 garden 1 0;1 market 1 0;");
    assert_shop_and_garden_are_whole(b);
}

static void
test_names_of_two_stores_are_exchanged(void **state)
{
    struct bench *b = *state;

    fill(b);
    bench_create(b, SHOP, "garden");
    bench_create(b, GARDEN, "shop");
    bench_apply(b);
    bench_assert_rows(b, "1 garden 1 0;2 shop 1 0;");
    bench_restart(b);
    assert_shop_and_garden_are_whole(b);
    bench_create(b, SHOP, "shop");
    bench_create(b, GARDEN, "garden");
    bench_commit(b);
    bench_create(b, GARDEN, "shop");
    bench_create(b, SHOP, "garden");
    bench_apply(b);
    bench_assert_rows(b, "1 garden 1 0;2 shop 1 0;");
}

static void
test_names_go_on_to_a_store_that_is_new(void **state)
{
    struct bench *b = *state;

    fill(b);
    bench_create(b, SHOP, "old");
    bench_create(b, NEW, "shop");
    bench_put_new(b, NEW, "apple", "green");
    bench_apply(b);
    bench_assert_rows(b, "2 garden 1 0;1 old 1 0;3 shop 1 0;");
    bench_restart(b);
    assert_shop_and_garden_are_whole(b);
    assert_true(bench_has(b, NEW, "apple", "green"));
}

static void
test_names_go_on_from_a_store_that_is_empty(void **state)
{
    struct bench *b = *state;

    fill(b);
    bench_delete(b, SHOP, "apple");
    bench_create(b, GARDEN, "shop");
    bench_apply(b);
    bench_assert_rows(b, "2 shop 1 0;");
    bench_restart(b);
    bench_flush_store(b, GARDEN);
    bench_create(b, NEW, "shop");
    bench_put_new(b, NEW, "apple", "green");
    bench_apply(b);
    bench_assert_rows(b, "3 shop 1 0;");
    assert_int_equal(bench_count_files(b, "stores"), 1);
}

static void
test_names_may_come_back_within_a_sweep(void **state)
{
    struct bench *b = *state;

    fill(b);
    bench_create(b, SHOP, "old");
    bench_create(b, NEW, "shop");
    bench_put_new(b, NEW, "apple", "green");
    bench_delete(b, NEW, "apple");
    bench_create(b, SHOP, "shop");
    bench_apply(b);
    bench_assert_rows(b, "2 garden 1 0;1 shop 1 0;");
    bench_restart(b);
    assert_shop_and_garden_are_whole(b);
}

/* A new store under an old name has a file before the mark moves. Until then the old
 * store keeps its row, or its file would be taken for nobody's at the next start. */
static void
test_names_are_those_of_the_mark_while_a_sweep_fails(void **state)
{
    struct bench *b = *state;
    char name[32];
    int64_t until = bench_until();
    struct storage_stats stats = {0};
    struct buf rows = {0};

    fill(b);
    storage_stats(b->storage, &stats);
    uint64_t transactions = stats.transactions;
    bench_create(b, SHOP, "old");
    bench_create(b, NEW, "shop");
    bench_put_new(b, NEW, "apple", "green");
    for (uint32_t id = NEW + 1; id < 300; id++) {
        snprintf(name, sizeof name, "more/%u", id);
        bench_create(b, id, name);
        bench_put_new(b, id, "k", "v");
    }
    bench_commit(b);
    /* A piece has been put, others have not: now no file can be made any more. */
    while (stats.transactions == transactions) {
        assert_true(clock_mono_us() < until);
        storage_stats(b->storage, &stats);
    }
    bench_hide(b, "stores");
    while (!stats.failing) {
        bench_listen(b, until);
        storage_stats(b->storage, &stats);
    }
    assert_int_equal(storage_close(b->storage), -1);
    b->storage = NULL;
    bench_show(b, "stores");
    bench_open(b);
    bench_assert_rows(b, "2 garden 1 0;1 shop 1 0;");
    bench_replay(b);
    storage_start(b->storage);
    bench_wait_applied(b);
    assert_shop_and_garden_are_whole(b);
    assert_true(bench_has(b, NEW, "apple", "green"));
    assert_int_equal(storage_rows(b->storage, bench_print_row, &rows), 0);
    assert_non_null(memmem(rows.data, rows.len, ";1 old 1 0;3 shop 1 0;", 22));
    buf_deinit(&rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_names_change_and_the_records_stay_where_they_are),
        BENCH_TEST(test_names_of_two_stores_are_exchanged),
        BENCH_TEST(test_names_go_on_to_a_store_that_is_new),
        BENCH_TEST(test_names_go_on_from_a_store_that_is_empty),
        BENCH_TEST(test_names_may_come_back_within_a_sweep),
        BENCH_TEST(test_names_are_those_of_the_mark_while_a_sweep_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
