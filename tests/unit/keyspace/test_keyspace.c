/* keyspace: the stores by their names, batches, and what a start brings back. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"
#include <signal.h>
#include <sys/resource.h>

#define MB (1024 * 1024)

static struct store *
store_of(struct world *w, const char *name)
{
    return keyspace_store(w->keyspace, bytes_str(name));
}

/* --- stores --- */

static void
test_keyspace_gives_the_same_store_for_the_same_name(void **state)
{
    struct world *w = *state;

    world_open(w);
    struct store *shop = store_of(w, "shop"), *none = store_of(w, "");
    struct store *binary = keyspace_store(w->keyspace, bytes_of("sh\0op", 5));
    assert_ptr_equal(shop, w->shop);
    assert_ptr_not_equal(none, shop);
    assert_ptr_not_equal(binary, shop);
    assert_true(bytes_eq(store_name(binary), bytes_of("sh\0op", 5)));
    assert_ptr_equal(store_keyspace(none), w->keyspace);
    store_release(shop);
    store_release(none);
    store_release(binary);
}

static void
test_keyspace_store_exists_from_its_first_write(void **state)
{
    struct world *w = *state;

    world_open(w);
    assert_null(keyspace_find_store(w->keyspace, bytes_str("shop")));
    assert_int_equal(store_id(w->shop), 0);
    world_set(w->shop, "apple", "red");
    assert_ptr_equal(keyspace_find_store(w->keyspace, bytes_str("shop")), w->shop);
    assert_true(store_id(w->shop) != 0);
    world_delete(w, w->shop, "apple");
    assert_null(keyspace_find_store(w->keyspace, bytes_str("shop")));
}

static void
print_store(void *arg, struct store *s)
{
    struct bytes name = store_name(s);

    buf_printf(arg, "%.*s=%lld,%lld ", (int)name.len, name.data,
               (long long)store_count(s), (long long)store_expires(s));
}

static void
assert_stores(struct world *w, const char *one, const char *other)
{
    struct buf out = {0};

    keyspace_each_store(w->keyspace, print_store, &out);
    buf_append(&out, "", 1);
    if (strcmp(out.data, one) != 0)
        assert_string_equal(out.data, other);
    buf_deinit(&out);
}

static void
test_keyspace_shows_the_stores_that_have_keys(void **state)
{
    struct world *w = *state;

    world_open(w);
    struct store *garden = store_of(w, "garden");
    assert_stores(w, "", "");
    world_set(garden, "tree", "old");
    assert_stores(w, "garden=1,0 ", "garden=1,0 ");
    world_set(w->shop, "apple", "red");
    assert_stores(w, "garden=1,0 shop=1,0 ", "shop=1,0 garden=1,0 ");
    keyspace_flush_all(w->keyspace);
    assert_stores(w, "", "");
    store_release(garden);
}

/* Writes until the applier finds that a checkpoint is worth it. */
static void
checkpoint_soon(struct world *w)
{
    uint64_t written = storage_written(w->bench.storage);
    char key[32];

    for (int i = 0; storage_checkpointed(w->bench.storage) < written; i++) {
        snprintf(key, sizeof key, "%d", i);
        world_set(w->shop, key, "sold");
        if (i % 10000 == 0)
            world_wait_applied(w);
    }
}

/* A start after kill -9 may find the tables as they were at the last checkpoint, and read
 * from the log of both: that the store lost its keys, and that one of its name has some. */
static void
test_keyspace_keeps_an_empty_stores_id_until_a_checkpoint(void **state)
{
    struct world *w = *state;

    world_start(w);
    struct store *garden = store_of(w, "garden");
    world_set(garden, "tree", "old");
    uint32_t id = store_id(garden);
    store_flush(garden);
    store_release(garden);
    world_wait_applied(w);
    for (int i = 0; i < 10; i++)
        world_turn(w);
    garden = store_of(w, "garden");
    assert_int_equal(store_id(garden), id);
    store_release(garden);
}

static void
test_keyspace_forgets_a_store_that_is_empty_and_not_held(void **state)
{
    struct world *w = *state;

    world_start(w);
    struct store *garden = store_of(w, "garden");
    world_set(garden, "tree", "old");
    uint32_t id = store_id(garden);
    store_flush(garden);
    world_wait_applied(w);
    for (int i = 0; i < 10; i++)
        world_turn(w);
    assert_int_equal(store_id(garden), id);
    store_release(garden);
    checkpoint_soon(w);
    for (int i = 0; i < 10; i++)
        world_turn(w);
    garden = store_of(w, "garden");
    assert_int_equal(store_id(garden), 0);
    world_set(garden, "tree", "young");
    assert_true(store_id(garden) > id);
    store_release(garden);
    world_restart(w);
    garden = store_of(w, "garden");
    world_assert(w, garden, "tree", "young");
    store_release(garden);
}

static void
test_keyspace_tells_where_a_store_is_on_the_disk(void **state)
{
    struct world *w = *state;
    struct store_file file;

    world_start(w);
    store_file(w->shop, &file);
    assert_string_equal(file.path, "");
    world_set(w->shop, "apple", "red");
    world_restart(w);
    store_file(w->shop, &file);
    assert_string_equal(file.path, "stores/shop.1.db");
    assert_true(file.bytes > 0);
}

/* --- what a start brings back --- */

static void
open_with_much(struct world *w)
{
    world_open(w);
    struct store *garden = store_of(w, "garden"), *gone = store_of(w, "gone");
    world_set(w->shop, "apple", "red");
    store_set(w->shop, bytes_str("lime"), bytes_str("green"), NOW + 1000000000000, 0);
    world_set(garden, "tree", "old");
    world_set(gone, "smoke", "grey");
    world_commit(w);
    store_flush(gone);
    world_delete(w, garden, "tree");
    world_set(garden, "bush", "green");
    world_set(w->shop, "apple", "brown");
    world_commit(w);
    store_release(garden);
    store_release(gone);
}

static void
assert_much(struct world *w)
{
    struct store *garden = store_of(w, "garden");

    assert_stores(w, "shop=2,1 garden=1,0 ", "garden=1,0 shop=2,1 ");
    world_assert(w, w->shop, "apple", "brown");
    world_assert(w, w->shop, "pear", NULL);
    struct entry *e = world_find(w, w->shop, "lime", NOW);
    assert_int_equal(entry_deadline(e), NOW + 1000000000000);
    world_assert(w, garden, "bush", "green");
    world_assert(w, garden, "tree", NULL);
    store_release(garden);
}

static void
test_keyspace_replayed_twice_is_the_same(void **state)
{
    struct world *w = *state;

    open_with_much(w);
    for (int death = 0; death < 3; death++) {
        world_close(w);
        world_open(w);
        assert_much(w);
    }
}

static void
test_keyspace_read_from_the_tables_is_the_same(void **state)
{
    struct world *w = *state;

    open_with_much(w);
    world_close(w);
    world_start(w);
    world_restart(w);
    assert_int_equal(storage_applied(w->bench.storage), 2);
    assert_much(w);
}

static void
test_keyspace_forgets_what_was_not_committed(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "apple", "red");
    world_commit(w);
    world_set(w->shop, "apple", "brown");
    world_set(w->shop, "lime", "green");
    world_close(w);
    world_open(w);
    world_assert(w, w->shop, "apple", "red");
    assert_int_equal(store_count(w->shop), 1);
}

/* A batch larger than a record of the log, with changes on both sides of it. */
static void
test_keyspace_keeps_a_batch_of_megabytes_whole(void **state)
{
    struct world *w = *state;
    char *large = calloc(1, 5 * MB + 1);

    memset(large, 'l', 5 * MB);
    world_open(w);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "large", large);
    world_set(w->shop, "lime", "green");
    world_commit(w);
    for (int i = 0; i < 2; i++) {
        world_close(w);
        if (i == 0)
            world_open(w);
        else
            world_start(w);
        world_assert(w, w->shop, "apple", "red");
        world_assert(w, w->shop, "large", large);
        world_assert(w, w->shop, "lime", "green");
    }
    world_evict(w);
    world_assert(w, w->shop, "large", large);
    free(large);
}

static void
test_keyspace_refuses_a_log_with_a_record_of_an_unknown_version(void **state)
{
    struct world *w = *state;

    bench_open(&w->bench);
    bench_replay(&w->bench);
    bench_create(&w->bench, 1, "shop");
    bench_put_new(&w->bench, 1, "apple", "\002from the future");
    bench_commit(&w->bench);
    bench_close(&w->bench);
    bench_open(&w->bench);
    assert_null(keyspace_new(w->bench.storage));
}

static void
test_keyspace_refuses_a_log_with_a_store_nobody_created(void **state)
{
    struct world *w = *state;

    bench_open(&w->bench);
    bench_replay(&w->bench);
    bench_put_new(&w->bench, 1, "apple", "\001\001red");
    bench_commit(&w->bench);
    bench_close(&w->bench);
    bench_open(&w->bench);
    assert_null(keyspace_new(w->bench.storage));
}

/* --- batches and promises --- */

static void
test_keyspace_commit_without_changes_writes_nothing(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_commit(w);
    assert_int_equal(storage_next(w->bench.storage), 1);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "apple", "brown");
    world_commit(w);
    world_commit(w);
    assert_int_equal(storage_next(w->bench.storage), 2);
}

static void
test_keyspace_promises_what_is_written_and_in_always_what_is_durable(void **state)
{
    struct world *w = *state;

    world_start(w);
    world_set(w->shop, "apple", "red");
    assert_true(keyspace_seen(w->keyspace) > keyspace_promised(w->keyspace));
    world_commit(w);
    assert_true(keyspace_seen(w->keyspace) <= keyspace_promised(w->keyspace));
    w->bench.options.sync = SYNC_ALWAYS;
    storage_tune(w->bench.storage, &w->bench.options);
    world_set(w->shop, "apple", "brown");
    world_commit(w);
    assert_int_equal(keyspace_promised(w->keyspace), 2);
    assert_int_equal(storage_durable(w->bench.storage), 2);
}

static void
test_keyspace_save_commits_and_makes_durable(void **state)
{
    struct world *w = *state;
    struct keyspace_disk disk;

    world_open(w);
    world_set(w->shop, "apple", "red");
    assert_int_equal(keyspace_save(w->keyspace), 0);
    keyspace_disk(w->keyspace, &disk);
    assert_int_equal(disk.written, 1);
    assert_int_equal(disk.durable, 1);
    assert_int_equal(disk.applied, 0);
    assert_true(disk.log_ahead > 0);
    assert_false(disk.failing);
}

static void
test_keyspace_lets_nobody_write_while_memory_waits_for_the_tables(void **state)
{
    struct world *w = *state;
    int64_t until = bench_until();
    char *large = calloc(1, 8 * MB + 1);

    memset(large, 'l', 8 * MB);
    world_start(w);
    w->bench.options.apply_delay = NEVER_MS;
    storage_tune(w->bench.storage, &w->bench.options);
    world_set(w->shop, "large", large);
    world_commit(w);
    assert_true(keyspace_may_write(w->keyspace));
    keyspace_set_maxmemory(w->keyspace, MB);
    assert_false(keyspace_may_write(w->keyspace));
    while (!keyspace_may_write(w->keyspace)) {
        world_turn(w);
        bench_listen(&w->bench, until);
    }
    world_assert(w, w->shop, "large", large);
    free(large);
}

/* The bytes writers may be over it were once added to it, which gave a negative number. */
static void
test_keyspace_takes_writes_below_the_largest_ceiling(void **state)
{
    struct world *w = *state;

    world_open(w);
    keyspace_set_maxmemory(w->keyspace, INT64_MAX);
    world_set(w->shop, "apple", "red");
    assert_true(keyspace_may_write(w->keyspace));
}

/* An id is never given again, so a server that has made many stores has large ones. */
static void
test_keyspace_starts_with_stores_of_any_id(void **state)
{
    struct world *w = *state;
    uint32_t id = UINT32_MAX - 1;

    bench_start(&w->bench);
    bench_create(&w->bench, id, "shop");
    bench_put_new(&w->bench, id, "apple", "\1\1red");
    bench_commit(&w->bench);
    bench_close(&w->bench);
    world_start(w);
    world_assert(w, w->shop, "apple", "red");
    assert_int_equal(store_id(w->shop), id);
    world_wait_applied(w);
    world_restart(w);
    world_assert(w, w->shop, "apple", "red");
}

/* RENAME writes a value of any length to the batch, and a client can send many at once. */
static void
test_keyspace_takes_no_more_writes_while_the_batch_is_large(void **state)
{
    struct world *w = *state;
    char *large = calloc(1, 65 * MB);

    world_start(w);
    assert_true(keyspace_may_write(w->keyspace));
    store_set(w->shop, bytes_str("large"), bytes_of(large, 65 * MB), 0, 0);
    assert_false(keyspace_may_write(w->keyspace));
    world_wait_applied(w);
    assert_true(keyspace_may_write(w->keyspace));
    free(large);
}

/* Files may not grow at all; or as they like. */
static void
forbid_files_to_grow(bool forbidden)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = forbidden ? 1 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What changes while the log fails comes behind the batch that was refused. */
static void
test_keyspace_keeps_what_the_log_refused_and_writes_it_later(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "apple", "red");
    world_set(w->shop, "pear", "yellow");
    world_commit(w);
    world_set(w->shop, "lime", "green");
    forbid_files_to_grow(true);
    assert_int_equal(keyspace_commit(w->keyspace), -1);
    assert_true(keyspace_is_failing(w->keyspace));
    assert_true(keyspace_seen(w->keyspace) > keyspace_promised(w->keyspace));
    world_delete(w, w->shop, "pear");
    assert_int_equal(keyspace_commit(w->keyspace), -1);
    world_assert(w, w->shop, "lime", "green");
    forbid_files_to_grow(false);
    world_commit(w);
    assert_false(keyspace_is_failing(w->keyspace));
    assert_int_equal(keyspace_seen(w->keyspace), keyspace_promised(w->keyspace));
    world_set(w->shop, "pear", "brown");
    world_commit(w);
    for (int i = 0; i < 2; i++) {
        world_close(w);
        world_open(w);
        world_assert(w, w->shop, "apple", "red");
        world_assert(w, w->shop, "lime", "green");
        world_assert(w, w->shop, "pear", "brown");
        assert_int_equal(store_count(w->shop), 3);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_keyspace_gives_the_same_store_for_the_same_name),
        WORLD_TEST(test_keyspace_store_exists_from_its_first_write),
        WORLD_TEST(test_keyspace_shows_the_stores_that_have_keys),
        WORLD_TEST(test_keyspace_keeps_an_empty_stores_id_until_a_checkpoint),
        WORLD_TEST(test_keyspace_forgets_a_store_that_is_empty_and_not_held),
        WORLD_TEST(test_keyspace_tells_where_a_store_is_on_the_disk),
        WORLD_TEST(test_keyspace_replayed_twice_is_the_same),
        WORLD_TEST(test_keyspace_read_from_the_tables_is_the_same),
        WORLD_TEST(test_keyspace_forgets_what_was_not_committed),
        WORLD_TEST(test_keyspace_keeps_a_batch_of_megabytes_whole),
        WORLD_TEST(test_keyspace_refuses_a_log_with_a_record_of_an_unknown_version),
        WORLD_TEST(test_keyspace_refuses_a_log_with_a_store_nobody_created),
        WORLD_TEST(test_keyspace_commit_without_changes_writes_nothing),
        WORLD_TEST(test_keyspace_promises_what_is_written_and_in_always_what_is_durable),
        WORLD_TEST(test_keyspace_save_commits_and_makes_durable),
        WORLD_TEST(test_keyspace_lets_nobody_write_while_memory_waits_for_the_tables),
        WORLD_TEST(test_keyspace_takes_writes_below_the_largest_ceiling),
        WORLD_TEST(test_keyspace_starts_with_stores_of_any_id),
        WORLD_TEST(test_keyspace_takes_no_more_writes_while_the_batch_is_large),
        WORLD_TEST(test_keyspace_keeps_what_the_log_refused_and_writes_it_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
