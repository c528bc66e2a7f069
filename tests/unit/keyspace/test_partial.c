/* partial entries: a start finds changes of parts of values that are in the table. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/keyspace/world.h"
#include "value/patch.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH   10000         /* of the value in the table: large enough for patches */
#define DEADLINE 4102444800000 /* ms: far off */

/* The value of "large" as it should be. */
struct model {
    char value[3 * LENGTH];
    size_t len;
};

static void
set_large(struct world *w, struct model *m)
{
    memset(m->value, 'x', LENGTH);
    m->len = LENGTH;
    store_set(w->shop, bytes_str("large"), bytes_of(m->value, m->len), 0, NOW);
}

static void
write_large(struct world *w, struct model *m, size_t at, const char *bytes)
{
    struct entry *e = world_find(w, w->shop, "large", NOW);

    store_write(w->shop, e, at, bytes_str(bytes));
    if (at > m->len)
        memset(m->value + m->len, 0, at - m->len);
    memcpy(m->value + at, bytes, strlen(bytes));
    if (at + strlen(bytes) > m->len)
        m->len = at + strlen(bytes);
}

static void
assert_large(struct world *w, const struct model *m, int64_t deadline)
{
    struct entry *e = world_find(w, w->shop, "large", NOW);

    assert_non_null(e);
    assert_true(bytes_eq(entry_string(e), bytes_of(m->value, m->len)));
    assert_int_equal(entry_deadline(e), deadline);
}

static int64_t
log_ahead(struct world *w)
{
    struct keyspace_disk disk;

    world_commit(w);
    keyspace_disk(w->keyspace, &disk);
    return disk.log_ahead;
}

/* In a log that the tables do not follow. Gives what it has then. */
static int64_t
start_with_large(struct world *w, struct model *m)
{
    w->bench.options.apply_delay = NEVER_MS;
    world_start(w);
    set_large(w, m);
    return log_ahead(w);
}

/* Lets another process do this with a table that has "large", tell what the model is then,
 * and die. */
static void
die_after(struct world *w, struct model *m,
          void (*changes)(struct world *, struct model *))
{
    int status, told[2];

    world_start(w);
    set_large(w, m);
    world_set(w->shop, "small", "1");
    world_wait_applied(w);
    world_close(w);
    w->bench.options.apply_delay = NEVER_MS;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        world_start(w);
        changes(w, m);
        world_commit(w);
        _exit(write(told[1], m, sizeof *m) != sizeof *m);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(told[0], m, sizeof *m), sizeof *m);
    close(told[0]);
    close(told[1]);
}

static void
start_after(struct world *w, struct model *m,
            void (*changes)(struct world *, struct model *))
{
    die_after(w, m, changes);
    world_start(w);
}

static void
change_nothing(struct world *w, struct model *m)
{
    (void)w;
    (void)m;
}

static void
write_here_and_there(struct world *w, struct model *m)
{
    write_large(w, m, 5, "abc");
    write_large(w, m, LENGTH, "appended");
    write_large(w, m, LENGTH + 100, "beyond");
    write_large(w, m, 6, "B");
    store_set_deadline(w->shop, world_find(w, w->shop, "large", NOW), DEADLINE);
}

static void
test_change_of_a_part_costs_its_own_bytes_in_the_log(void **state)
{
    struct world *w = *state;
    struct model m;

    int64_t before = start_with_large(w, &m);
    assert_true(before > LENGTH);
    write_here_and_there(w, &m);
    assert_in_range(log_ahead(w) - before, 1, 400);
    assert_large(w, &m, DEADLINE);
}

static void
test_value_that_is_much_like_the_old_one_costs_what_differs(void **state)
{
    struct world *w = *state;
    struct model m;

    int64_t before = start_with_large(w, &m);
    memcpy(m.value + 5000, "other", 5);
    for (int64_t deadline = 0; deadline < 2; deadline++) {
        store_set(w->shop, bytes_str("large"), bytes_of(m.value, m.len),
                  deadline * DEADLINE, NOW);
        assert_large(w, &m, deadline * DEADLINE);
    }
    assert_in_range(log_ahead(w) - before, 1, 200);
    memset(m.value, 'y', LENGTH);
    store_set(w->shop, bytes_str("large"), bytes_of(m.value, m.len), 0, NOW);
    assert_true(log_ahead(w) - before > LENGTH);
    assert_large(w, &m, 0);
}

static void
copy_part(void *arg, size_t at, char *to, size_t len)
{
    memcpy(to, (const char *)arg + at, len);
}

static void
test_value_that_is_filled_in_costs_the_blocks_that_differ(void **state)
{
    struct world *w = *state;
    struct model m;

    int64_t before = start_with_large(w, &m);
    memcpy(m.value + 5000, "other", 5);
    for (int i = 0; i < 2; i++) {
        store_fill(w->shop, bytes_str("large"), m.len, copy_part, m.value, NOW);
        assert_large(w, &m, 0);
    }
    assert_in_range(log_ahead(w) - before, 5, 5000);
}

static void
test_partial_entry_gets_its_value_when_it_is_wanted(void **state)
{
    struct world *w = *state;
    struct model m;

    start_after(w, &m, write_here_and_there);
    assert_false(store_knows(w->shop, bytes_str("large")));
    assert_int_equal(store_count(w->shop), 2);
    assert_int_equal(store_expires(w->shop), 1);
    assert_large(w, &m, DEADLINE);
    write_large(w, &m, 0, "more");
    world_restart(w);
    assert_large(w, &m, DEADLINE);
}

static void
test_partial_entry_is_told_the_same_by_a_table_that_has_its_changes(void **state)
{
    struct world *w = *state;
    struct model m;

    die_after(w, &m, write_here_and_there);
    w->bench.options.apply_delay = 0;
    world_start(w);
    bench_wait_applied(&w->bench);
    assert_large(w, &m, DEADLINE);
    world_evict(w);
    assert_large(w, &m, DEADLINE);
}

static void
test_partial_entry_gets_its_value_when_its_store_is_warmed(void **state)
{
    struct world *w = *state;
    struct model m;

    start_after(w, &m, write_here_and_there);
    world_wait_complete(w, w->shop);
    assert_true(store_knows(w->shop, bytes_str("large")));
    assert_large(w, &m, DEADLINE);
}

static void
write_then_set(struct world *w, struct model *m)
{
    write_here_and_there(w, m);
    m->len = LENGTH;
    store_set(w->shop, bytes_str("large"), bytes_of(m->value, m->len), 0, NOW);
    write_large(w, m, 1, "again");
}

static void
test_patches_before_a_whole_value_do_not_matter(void **state)
{
    struct world *w = *state;
    struct model m;

    start_after(w, &m, write_then_set);
    assert_true(store_knows(w->shop, bytes_str("large")));
    assert_large(w, &m, 0);
}

static void
write_then_delete(struct world *w, struct model *m)
{
    write_here_and_there(w, m);
    world_delete(w, w->shop, "large");
}

static void
test_patches_before_a_deletion_do_not_matter(void **state)
{
    struct world *w = *state;
    struct model m;

    start_after(w, &m, write_then_delete);
    world_assert(w, w->shop, "large", NULL);
    bench_wait_applied(&w->bench);
    world_restart(w);
    world_assert(w, w->shop, "large", NULL);
}

static void
let_it_expire(struct world *w, struct model *m)
{
    write_large(w, m, 0, "y");
    store_set_deadline(w->shop, world_find(w, w->shop, "large", NOW), 1);
}

static void
test_partial_entry_expires(void **state)
{
    struct world *w = *state;
    struct model m;

    start_after(w, &m, let_it_expire);
    assert_int_equal(store_count(w->shop), 2);
    world_turn(w);
    assert_int_equal(store_count(w->shop), 1);
    world_assert(w, w->shop, "large", NULL);
}

static void
test_partial_entry_is_flushed_with_its_store(void **state)
{
    struct world *w = *state;
    struct model m;

    start_after(w, &m, write_here_and_there);
    assert_false(store_knows(w->shop, bytes_str("large")));
    store_flush(w->shop);
    world_assert(w, w->shop, "large", NULL);
    set_large(w, &m);
    write_large(w, &m, 3, "new");
    world_wait_applied(w);
    world_restart(w);
    assert_large(w, &m, 0);
}

static void
test_partial_entry_goes_with_its_store_to_another_name(void **state)
{
    struct world *w = *state;
    struct model m;

    start_after(w, &m, write_here_and_there);
    struct store *garden = keyspace_store(w->keyspace, bytes_str("garden"));
    store_swap(w->shop, garden, NOW);
    store_swap(garden, w->shop, NOW);
    assert_false(store_knows(w->shop, bytes_str("large")));
    assert_large(w, &m, DEADLINE);
    store_release(garden);
}

/* Appends a patch with no value before it. */
static void
commit_patch(struct bench *b, uint32_t store, const char *key)
{
    char patch[PATCH_HEAD_MAX];
    size_t len = patch_head(patch, TYPE_STRING, 0, 0);

    effect_begin(&b->batch, EFFECT_PATCH, 0, store, bytes_str(key), len);
    buf_append(&b->batch, patch, len);
    bench_commit(b);
}

static void
test_patch_of_a_key_that_is_not_there_is_damage(void **state)
{
    struct world *w = *state;

    world_open(w);
    world_set(w->shop, "small", "1");
    world_commit(w);
    commit_patch(&w->bench, store_id(w->shop), "large");
    world_close(w);
    bench_open(&w->bench);
    assert_null(keyspace_new(w->bench.storage));
}

/* A table that has lost a record: the store may not answer for the key by itself. */
static void
test_store_with_a_partial_entry_is_not_complete(void **state)
{
    struct world *w = *state;
    struct model m;

    die_after(w, &m, change_nothing);
    bench_open(&w->bench);
    bench_replay(&w->bench);
    commit_patch(&w->bench, 1, "lost");
    bench_close(&w->bench);
    world_start(w);
    assert_large(w, &m, 0);
    while (!store_knows(w->shop, bytes_str("small")))
        world_turn(w);
    assert_false(store_is_complete(w->shop));
    assert_false(store_knows(w->shop, bytes_str("lost")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_change_of_a_part_costs_its_own_bytes_in_the_log),
        WORLD_TEST(test_value_that_is_much_like_the_old_one_costs_what_differs),
        WORLD_TEST(test_value_that_is_filled_in_costs_the_blocks_that_differ),
        WORLD_TEST(test_partial_entry_gets_its_value_when_it_is_wanted),
        WORLD_TEST(test_partial_entry_is_told_the_same_by_a_table_that_has_its_changes),
        WORLD_TEST(test_partial_entry_gets_its_value_when_its_store_is_warmed),
        WORLD_TEST(test_patches_before_a_whole_value_do_not_matter),
        WORLD_TEST(test_patches_before_a_deletion_do_not_matter),
        WORLD_TEST(test_partial_entry_expires),
        WORLD_TEST(test_partial_entry_is_flushed_with_its_store),
        WORLD_TEST(test_partial_entry_goes_with_its_store_to_another_name),
        WORLD_TEST(test_patch_of_a_key_that_is_not_there_is_damage),
        WORLD_TEST(test_store_with_a_partial_entry_is_not_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
