/* effect: what a change does, as bytes. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/effect.h"

static void
write_effect(struct buf *out, const struct effect *e)
{
    effect_begin(out, e->kind, e->flags, e->store, e->key, e->record.len);
    buf_append_bytes(out, e->record);
}

static void
assert_same_effect(const struct effect *got, const struct effect *expected)
{
    assert_int_equal(got->kind, expected->kind);
    assert_int_equal(got->flags, expected->flags);
    assert_int_equal(got->store, expected->store);
    assert_true(bytes_eq(got->key, expected->key));
    assert_true(bytes_eq(got->record, expected->record));
}

static const struct effect samples[] = {
    {EFFECT_CREATE, 0, 1, {"shop", 4}, {"", 0}},
    {EFFECT_PUT, EFFECT_NEW | EFFECT_HAS_DEADLINE, 1, {"k\0y", 3}, {"\0\1\2", 3}},
    {EFFECT_PUT, EFFECT_HAD_DEADLINE, UINT32_MAX, {"", 0}, {"r", 1}},
    {EFFECT_DELETE, EFFECT_HAD_DEADLINE, 7, {"key", 3}, {"", 0}},
    {EFFECT_FLUSH, 0, 7, {"", 0}, {"", 0}},
    {EFFECT_PATCH, EFFECT_HAS_DEADLINE, 2, {"k", 1}, {"patch", 5}},
};
#define NSAMPLES (sizeof samples / sizeof *samples)

static void
test_effect_is_read_as_it_was_written_one_behind_the_other(void **state)
{
    (void)state;
    struct buf out = {0};
    struct effect e;

    for (size_t i = 0; i < NSAMPLES; i++)
        write_effect(&out, &samples[i]);
    struct bytes rest = buf_bytes(&out);
    for (size_t i = 0; i < NSAMPLES; i++) {
        assert_int_equal(effect_next(&rest, &e), 1);
        assert_same_effect(&e, &samples[i]);
    }
    assert_int_equal(effect_next(&rest, &e), 0);
    buf_deinit(&out);
}

static void
test_effect_cut_short_is_none(void **state)
{
    (void)state;
    struct buf out = {0};
    struct effect e;

    write_effect(&out, &samples[1]);
    for (size_t len = 1; len < out.len; len++) {
        struct bytes rest = bytes_of(out.data, len);
        assert_int_equal(effect_next(&rest, &e), -1);
    }
    buf_deinit(&out);
}

static void
test_effect_of_an_unknown_kind_is_none(void **state)
{
    (void)state;
    static const unsigned char kinds[] = {0, EFFECT_PATCH + 1, 0x7f, 0x80, 0xff};
    struct effect e;

    for (size_t i = 0; i < sizeof kinds; i++) {
        char head[EFFECT_HEAD] = {(char)kinds[i]};
        struct bytes rest = bytes_of(head, sizeof head);
        assert_int_equal(effect_next(&rest, &e), -1);
    }
}

static void
test_effect_with_lengths_beyond_the_bytes_is_none(void **state)
{
    (void)state;
    char head[EFFECT_HEAD] = {EFFECT_PUT};
    struct effect e;

    memset(head + 6, 0xff, 8);
    struct bytes rest = bytes_of(head, sizeof head);
    assert_int_equal(effect_next(&rest, &e), -1);
}

static void
assert_counts(enum effect_kind kind, unsigned flags, int64_t count, int64_t expires)
{
    struct effect e = {.kind = kind, .flags = flags};
    int64_t got_count = 10, got_expires = 5;

    effect_count(&e, &got_count, &got_expires);
    assert_int_equal(got_count, count);
    assert_int_equal(got_expires, expires);
}

static void
test_effect_counts_records_and_deadlines(void **state)
{
    (void)state;
    assert_counts(EFFECT_CREATE, 0, 10, 5);
    assert_counts(EFFECT_PUT, 0, 10, 5);
    assert_counts(EFFECT_PUT, EFFECT_NEW, 11, 5);
    assert_counts(EFFECT_PUT, EFFECT_NEW | EFFECT_HAS_DEADLINE, 11, 6);
    assert_counts(EFFECT_PUT, EFFECT_HAS_DEADLINE, 10, 6);
    assert_counts(EFFECT_PUT, EFFECT_HAD_DEADLINE, 10, 4);
    assert_counts(EFFECT_PUT, EFFECT_HAD_DEADLINE | EFFECT_HAS_DEADLINE, 10, 5);
    assert_counts(EFFECT_DELETE, 0, 9, 5);
    assert_counts(EFFECT_DELETE, EFFECT_HAD_DEADLINE, 9, 4);
    assert_counts(EFFECT_FLUSH, 0, 0, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_effect_is_read_as_it_was_written_one_behind_the_other),
        cmocka_unit_test(test_effect_cut_short_is_none),
        cmocka_unit_test(test_effect_of_an_unknown_kind_is_none),
        cmocka_unit_test(test_effect_with_lengths_beyond_the_bytes_is_none),
        cmocka_unit_test(test_effect_counts_records_and_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
