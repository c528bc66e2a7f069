/* patch: a change of a part of a record. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "value/patch.h"

#define DEADLINE 1700000000000

static struct buf
encode(int64_t deadline, size_t at, struct bytes bytes)
{
    struct buf out = {0};

    out.len = patch_head(buf_reserve(&out, PATCH_HEAD_MAX), TYPE_STRING, deadline, at);
    buf_append_bytes(&out, bytes);
    return out;
}

static void
test_patch_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const size_t places[] = {0, 1, 100 * 1024 * 1024,
                                    UINT32_MAX - RECORD_HEAD_MAX - 5};
    struct patch p;

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct buf out = encode(i % 2 == 0 ? DEADLINE : 0, places[i], bytes_str("bytes"));
        assert_true(out.len <= PATCH_HEAD_MAX + 5);
        assert_int_equal(patch_decode(buf_bytes(&out), &p), 0);
        assert_int_equal(p.type, TYPE_STRING);
        assert_int_equal(p.deadline, i % 2 == 0 ? DEADLINE : 0);
        assert_int_equal(p.at, places[i]);
        assert_true(bytes_eq(p.bytes, bytes_str("bytes")));
        buf_deinit(&out);
    }
}

static void
test_patch_has_the_bytes_its_header_tells_of(void **state)
{
    (void)state;
    struct buf out = encode(0, 0x0102, bytes_str("v"));

    assert_int_equal(out.len, 11);
    assert_memory_equal(out.data, "\x01\x01\x02\x01\0\0\0\0\0\0v", 11);
    buf_deinit(&out);
}

static void
assert_unknown(const char *bytes, size_t len)
{
    struct patch p;

    assert_int_equal(patch_decode(bytes_of(bytes, len), &p), -1);
}

static void
test_patch_refuses_other_bytes(void **state)
{
    (void)state;
    assert_unknown("", 0);
    assert_unknown("\x01\x01\0\0\0\0\0\0\0", 9);
    assert_unknown("\x02\x01\0\0\0\0\0\0\0\0v", 11);
    assert_unknown("\x01\x01\0\0\0\0\x01\0\0\0v", 11);
    assert_unknown("\x01\x01\xff\xff\xff\xff\0\0\0\0v", 11);
    assert_unknown("\x01\x01\xf5\xff\xff\xff\0\0\0\0v", 11); /* with a head: 4 GB */
}

/* A record of deadline and value, patched, has the patch's deadline and this value. */
static void
assert_gives(int64_t old_deadline, const char *old, int64_t deadline, size_t at,
             const char *bytes, struct bytes expected)
{
    struct buf record = {0};
    struct patch patch = {TYPE_STRING, deadline, at, bytes_str(bytes)};
    struct record after;

    record_encode(&record, TYPE_STRING, old_deadline, bytes_str(old));
    for (int times = 0; times < 2; times++) {
        assert_int_equal(patch_record(&record, &patch), 0);
        assert_int_equal(record_decode(buf_bytes(&record), &after), 0);
        assert_int_equal(after.deadline, deadline);
        assert_true(bytes_eq(after.value, expected));
    }
    buf_deinit(&record);
}

static void
test_patch_changes_a_record(void **state)
{
    (void)state;
    assert_gives(0, "abcdef", 0, 2, "XY", bytes_str("abXYef"));
    assert_gives(0, "abcdef", 0, 5, "XY", bytes_str("abcdeXY"));
    assert_gives(0, "abcdef", 0, 6, "XY", bytes_str("abcdefXY"));
    assert_gives(0, "abc", 0, 5, "X", bytes_of("abc\0\0X", 6));
    assert_gives(0, "", 0, 0, "X", bytes_str("X"));
    assert_gives(0, "abc", DEADLINE, 1, "X", bytes_str("aXc"));
    assert_gives(DEADLINE, "abc", 0, 1, "X", bytes_str("aXc"));
    assert_gives(DEADLINE, "abc", DEADLINE + 1, 0, "", bytes_str("abc"));
}

static void
test_patch_of_no_record_is_one_of_an_empty_value(void **state)
{
    (void)state;
    struct buf record = {0};
    struct patch patch = {TYPE_STRING, 0, 2, bytes_str("X")};

    assert_int_equal(patch_record(&record, &patch), 0);
    assert_true(bytes_eq(buf_bytes(&record), bytes_of("\x01\x01\0\0X", 5)));
    buf_deinit(&record);
}

static void
test_patch_leaves_a_record_it_cannot_read(void **state)
{
    (void)state;
    struct buf record = {0};
    struct patch patch = {TYPE_STRING, 0, 2, bytes_str("X")};

    buf_append_bytes(&record, bytes_str("no record"));
    assert_int_equal(patch_record(&record, &patch), -1);
    assert_true(bytes_eq(buf_bytes(&record), bytes_str("no record")));
    buf_deinit(&record);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patch_is_read_as_it_was_written),
        cmocka_unit_test(test_patch_has_the_bytes_its_header_tells_of),
        cmocka_unit_test(test_patch_refuses_other_bytes),
        cmocka_unit_test(test_patch_changes_a_record),
        cmocka_unit_test(test_patch_of_no_record_is_one_of_an_empty_value),
        cmocka_unit_test(test_patch_leaves_a_record_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
