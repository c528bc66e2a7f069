/* sweep: a run of the log made ready for the tables. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/sweep.h"
#include "base/log.h"
#include "lib/random.h"
#include "storage/wal_priv.h"
#include <endian.h>
#include <stdlib.h>

/* Tables that are never opened, the effects of a batch, the batches of a chunk, and the
 * chunks. */
struct fixture {
    struct tables *tables;
    struct buf batch, batches;
    uint64_t number;
    struct chunk *first, **end;
    struct sweep sweep;
};

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.tables = tables_new(NULL, 10), .end = &f.first};
    log_set_file("/dev/null");
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    tables_free(f->tables);
    buf_deinit(&f->batch);
    buf_deinit(&f->batches);
    chunks_free(f->first);
    return 0;
}

static void
effect(struct fixture *f, enum effect_kind kind, unsigned flags, uint32_t store,
       struct bytes key, const char *record)
{
    effect_begin(&f->batch, kind, flags, store, key, strlen(record));
    buf_append_bytes(&f->batch, bytes_str(record));
}

static void
put_new(struct fixture *f, uint32_t store, const char *key, const char *record)
{
    effect(f, EFFECT_PUT, EFFECT_NEW, store, bytes_str(key), record);
}

static void
put(struct fixture *f, uint32_t store, const char *key, const char *record)
{
    effect(f, EFFECT_PUT, 0, store, bytes_str(key), record);
}

static void
patch(struct fixture *f, uint32_t store, const char *key, const char *patch)
{
    effect(f, EFFECT_PATCH, 0, store, bytes_str(key), patch);
}

static void
delete_key(struct fixture *f, uint32_t store, const char *key)
{
    effect(f, EFFECT_DELETE, 0, store, bytes_str(key), "");
}

static void
flush(struct fixture *f, uint32_t store)
{
    effect(f, EFFECT_FLUSH, 0, store, bytes_of("", 0), "");
}

/* The batch goes behind the others of the chunk, as it stands in the log. */
static void
commit(struct fixture *f)
{
    struct wal_head head = {0, htole64(++f->number), htole64(f->batch.len)};

    buf_append(&f->batches, &head, sizeof head);
    buf_append_bytes(&f->batches, buf_bytes(&f->batch));
    f->batch.len = 0;
}

/* The batches become a chunk, the last one so far. */
static void
end_chunk(struct fixture *f)
{
    struct chunk *c = calloc(1, sizeof *c + f->batches.len);

    memcpy(c->data, f->batches.data, f->batches.len);
    c->batches = bytes_of(c->data, f->batches.len);
    c->number = f->number;
    *f->end = c;
    f->end = &c->next;
    f->batches.len = 0;
}

static void
build(struct fixture *f)
{
    if (f->batch.len > 0)
        commit(f);
    if (f->batches.len > 0)
        end_chunk(f);
    assert_int_equal(sweep_build(&f->sweep, f->tables, f->first), 0);
}

static void
assert_is_refused(struct fixture *f)
{
    commit(f);
    end_chunk(f);
    assert_int_equal(sweep_build(&f->sweep, f->tables, f->first), -1);
}

static struct table *
add_table(struct fixture *f, uint32_t id, int64_t count)
{
    struct table *t = tables_add(f->tables, id, bytes_str("name"));

    t->count = count;
    return t;
}

/* The changes as "store:key=record ", "store:key~patch " and "store:key- "; a + before the
 * sign where one follows another. */
static void
assert_changes(struct fixture *f, const char *expected)
{
    struct buf out = {0};

    for (size_t i = 0; i < f->sweep.nchanges; i++) {
        struct effect e = change_effect(&f->sweep.changes[i]);
        assert_int_equal(f->sweep.changes[i].table->id, e.store);
        buf_printf(&out, "%u:%.*s%s%s%.*s ", e.store, (int)e.key.len, e.key.data,
                   f->sweep.changes[i].follows ? "+" : "",
                   e.kind == EFFECT_PUT     ? "="
                   : e.kind == EFFECT_PATCH ? "~"
                                            : "-",
                   (int)e.record.len, e.record.data);
    }
    buf_append(&out, "", 1);
    assert_string_equal(out.data, expected);
    buf_deinit(&out);
}

static void
test_sweep_keeps_the_last_change_of_each_key(void **state)
{
    struct fixture *f = *state;

    add_table(f, 1, 5);
    put_new(f, 1, "a", "1");
    put(f, 1, "b", "1");
    put(f, 1, "a", "2");
    commit(f);
    delete_key(f, 1, "b");
    put(f, 1, "a", "3");
    put_new(f, 1, "b", "2");
    delete_key(f, 1, "c");
    build(f);
    assert_changes(f, "1:a=3 1:b=2 1:c- ");
    sweep_free(&f->sweep);
}

static void
test_sweep_keeps_the_patches_behind_the_last_change_of_each_key(void **state)
{
    struct fixture *f = *state;

    add_table(f, 1, 5);
    patch(f, 1, "a", "1");
    patch(f, 1, "b", "1");
    put(f, 1, "c", "1");
    patch(f, 1, "c", "2");
    patch(f, 1, "d", "1");
    delete_key(f, 1, "d");
    commit(f);
    patch(f, 1, "a", "2");
    put(f, 1, "b", "2");
    patch(f, 1, "c", "3");
    patch(f, 1, "b", "3");
    build(f);
    assert_changes(f, "1:a~1 1:a+~2 1:b=2 1:b+~3 1:c=1 1:c+~2 1:c+~3 1:d- ");
    sweep_free(&f->sweep);
}

static void
test_sweep_goes_through_the_tables_one_after_the_other(void **state)
{
    struct fixture *f = *state;

    add_table(f, 1, 5);
    add_table(f, 2, 5);
    add_table(f, 3, 5);
    put(f, 3, "a", "");
    put(f, 1, "b", "");
    put(f, 2, "a", "");
    put(f, 1, "a", "");
    put(f, 3, "0", "");
    build(f);
    assert_changes(f, "1:a= 1:b= 2:a= 3:0= 3:a= ");
    sweep_free(&f->sweep);
}

/* Keys that share prefixes, are prefixes of one another, and hold every byte. */
static struct bytes
random_key(uint64_t *random, char *room, size_t size)
{
    static const char letters[] = {0, 1, 'a', 'b', (char)0x7f, (char)0x80, (char)0xff};
    size_t len = random_below(random, size);

    for (size_t i = 0; i < len; i++)
        room[i] = letters[random_below(random, sizeof letters)];
    return bytes_of(room, len);
}

static void
test_sweep_has_keys_in_the_order_of_their_bytes(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 1;
    char room[40];

    add_table(f, 1, 100000);
    add_table(f, 2, 100000);
    for (int i = 0; i < 20000; i++) {
        memcpy(room, "shared-by-all-of-2/", 19);
        if (i % 2 == 0) {
            struct bytes key = random_key(&random, room, 12);
            effect(f, EFFECT_PUT, 0, 1, key, "");
        } else {
            struct bytes key = random_key(&random, room + 19, 12);
            effect(f, EFFECT_DELETE, 0, 2, bytes_of(room, 19 + key.len), "");
        }
    }
    build(f);
    for (size_t i = 1; i < f->sweep.nchanges; i++) {
        struct effect a = change_effect(&f->sweep.changes[i - 1]);
        struct effect b = change_effect(&f->sweep.changes[i]);
        assert_true(a.store < b.store
                    || (a.store == b.store && bytes_cmp(a.key, b.key) < 0));
    }
    assert_true(f->sweep.nchanges > 10000);
    sweep_free(&f->sweep);
}

static void
test_sweep_leaves_out_what_was_flushed_away(void **state)
{
    struct fixture *f = *state;
    struct table *one = add_table(f, 1, 5), *two = add_table(f, 2, 5);

    put_new(f, 1, "a", "1");
    put_new(f, 2, "a", "1");
    flush(f, 1);
    put_new(f, 1, "b", "2");
    build(f);
    assert_changes(f, "1:b=2 2:a=1 ");
    assert_true(one->flushed);
    assert_false(two->flushed);
    assert_int_equal(one->new_count, 1);
    assert_int_equal(two->new_count, 6);
    sweep_free(&f->sweep);
}

static void
test_sweep_flushes_a_store_that_lost_all_its_keys(void **state)
{
    struct fixture *f = *state;
    struct table *t = add_table(f, 1, 2);

    put_new(f, 1, "c", "");
    delete_key(f, 1, "a");
    delete_key(f, 1, "b");
    delete_key(f, 1, "c");
    build(f);
    assert_changes(f, "");
    assert_true(t->flushed);
    assert_int_equal(t->new_count, 0);
    sweep_free(&f->sweep);
}

static void
test_sweep_does_not_flush_a_store_that_was_empty_in_between(void **state)
{
    struct fixture *f = *state;
    struct table *t = add_table(f, 1, 1);

    delete_key(f, 1, "a");
    effect(f, EFFECT_CREATE, 0, 1, bytes_str("name"), "");
    put_new(f, 1, "b", "");
    build(f);
    assert_changes(f, "1:a- 1:b= ");
    assert_false(t->flushed);
    assert_int_equal(t->new_count, 1);
    sweep_free(&f->sweep);
}

static void
test_sweep_counts_records_and_deadlines_and_leaves_those_of_the_mark(void **state)
{
    struct fixture *f = *state;
    struct table *t = add_table(f, 1, 10);

    t->expires = 3;
    effect(f, EFFECT_PUT, EFFECT_NEW | EFFECT_HAS_DEADLINE, 1, bytes_str("a"), "");
    effect(f, EFFECT_PUT, EFFECT_HAD_DEADLINE | EFFECT_HAS_DEADLINE, 1, bytes_str("a"),
           "");
    effect(f, EFFECT_PUT, EFFECT_HAD_DEADLINE, 1, bytes_str("b"), "");
    effect(f, EFFECT_DELETE, EFFECT_HAD_DEADLINE, 1, bytes_str("c"), "");
    effect(f, EFFECT_PUT, EFFECT_NEW, 1, bytes_str("d"), "");
    build(f);
    assert_int_equal(t->new_count, 11);
    assert_int_equal(t->new_expires, 2);
    assert_int_equal(t->count, 10);
    assert_int_equal(t->expires, 3);
    sweep_free(&f->sweep);
}

static void
test_sweep_built_twice_is_the_same(void **state)
{
    struct fixture *f = *state;
    struct table *t = add_table(f, 1, 10);

    put_new(f, 1, "a", "1");
    delete_key(f, 1, "b");
    for (int i = 0; i < 2; i++) {
        build(f);
        assert_changes(f, "1:a=1 1:b- ");
        assert_int_equal(t->new_count, 10);
        assert_true(t->touched);
        sweep_free(&f->sweep);
        assert_false(t->touched);
    }
}

static void
test_sweep_adds_the_tables_that_the_log_creates(void **state)
{
    struct fixture *f = *state;

    effect(f, EFFECT_CREATE, 0, 9, bytes_str("shop"), "");
    put_new(f, 9, "a", "1");
    build(f);
    struct table *t = tables_find(f->tables, 9);
    assert_non_null(t);
    assert_true(bytes_eq(t->name, bytes_str("shop")));
    assert_string_equal(t->file, "");
    assert_ptr_equal(f->sweep.touched, t);
    assert_int_equal(f->sweep.max_id, 9);
    sweep_free(&f->sweep);
}

static void
test_sweep_reaches_to_the_last_batch_of_the_last_chunk(void **state)
{
    struct fixture *f = *state;

    add_table(f, 1, 5);
    put(f, 1, "a", "1");
    commit(f);
    end_chunk(f);
    put(f, 1, "b", "1");
    put(f, 1, "c", "1");
    commit(f);
    end_chunk(f);
    put(f, 1, "b", "2");
    commit(f);
    put(f, 1, "a", "2");
    build(f);
    assert_int_equal(f->sweep.number, 4);
    assert_changes(f, "1:a=2 1:b=2 1:c=1 ");
    sweep_free(&f->sweep);
}

static void
test_sweep_of_a_store_nobody_knows_is_refused(void **state)
{
    struct fixture *f = *state;
    struct table *t = add_table(f, 1, 5);

    put(f, 1, "a", "1");
    put(f, 2, "a", "1");
    assert_is_refused(f);
    assert_false(t->touched);
}

static void
test_sweep_of_bytes_that_are_no_effects_is_refused(void **state)
{
    struct fixture *f = *state;

    add_table(f, 1, 5);
    put(f, 1, "a", "1");
    buf_append(&f->batch, "junk", 4);
    assert_is_refused(f);
}

static void
test_sweep_that_removes_more_keys_than_there_are_is_refused(void **state)
{
    struct fixture *f = *state;

    add_table(f, 1, 1);
    delete_key(f, 1, "a");
    delete_key(f, 1, "b");
    assert_is_refused(f);
}

#define SWEEP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SWEEP_TEST(test_sweep_keeps_the_last_change_of_each_key),
        SWEEP_TEST(test_sweep_keeps_the_patches_behind_the_last_change_of_each_key),
        SWEEP_TEST(test_sweep_goes_through_the_tables_one_after_the_other),
        SWEEP_TEST(test_sweep_has_keys_in_the_order_of_their_bytes),
        SWEEP_TEST(test_sweep_leaves_out_what_was_flushed_away),
        SWEEP_TEST(test_sweep_flushes_a_store_that_lost_all_its_keys),
        SWEEP_TEST(test_sweep_does_not_flush_a_store_that_was_empty_in_between),
        SWEEP_TEST(test_sweep_counts_records_and_deadlines_and_leaves_those_of_the_mark),
        SWEEP_TEST(test_sweep_built_twice_is_the_same),
        SWEEP_TEST(test_sweep_adds_the_tables_that_the_log_creates),
        SWEEP_TEST(test_sweep_reaches_to_the_last_batch_of_the_last_chunk),
        SWEEP_TEST(test_sweep_of_a_store_nobody_knows_is_refused),
        SWEEP_TEST(test_sweep_of_bytes_that_are_no_effects_is_refused),
        SWEEP_TEST(test_sweep_that_removes_more_keys_than_there_are_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
