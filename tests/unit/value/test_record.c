/* record: a value and its deadline as bytes. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "value/record.h"

static void
assert_reads_back(int64_t deadline, struct bytes value)
{
    struct buf out = {0};
    struct record record;

    record_encode(&out, TYPE_STRING, deadline, value);
    assert_true(out.len <= RECORD_HEAD_MAX + value.len);
    assert_int_equal(record_decode(buf_bytes(&out), &record), 0);
    assert_int_equal(record.type, TYPE_STRING);
    assert_int_equal(record.deadline, deadline);
    assert_true(bytes_eq(record.value, value));
    buf_deinit(&out);
}

static void
test_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    static const int64_t deadlines[] = {0, 1, 255, 1700000000000, INT64_MAX};

    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        assert_reads_back(deadlines[i], bytes_str("value"));
        assert_reads_back(deadlines[i], bytes_of("", 0));
        assert_reads_back(deadlines[i], bytes_of("\0\xff\0", 3));
    }
}

static void
assert_bytes(int64_t deadline, const char *expected, size_t len)
{
    struct buf out = {0};

    record_encode(&out, TYPE_STRING, deadline, bytes_str("v"));
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, expected, len);
    buf_deinit(&out);
}

static void
test_record_has_the_bytes_its_header_tells_of(void **state)
{
    (void)state;
    assert_bytes(0, "\x01\x01v", 3);
    assert_bytes(0x0102030405060708, "\x01\x81\x08\x07\x06\x05\x04\x03\x02\x01v", 11);
}

static void
assert_unknown(const char *bytes, size_t len)
{
    struct record record;

    assert_int_equal(record_decode(bytes_of(bytes, len), &record), -1);
}

static void
test_record_of_an_unknown_version_or_type_is_none(void **state)
{
    (void)state;
    assert_unknown("\x00\x01v", 3);
    assert_unknown("\x02\x01v", 3);
    assert_unknown("\xff\x01v", 3);
    assert_unknown("\x01\x00v", 3);
    assert_unknown("\x01\x02v", 3);
    assert_unknown("\x01\x7fv", 3);
}

static void
test_record_cut_short_is_none(void **state)
{
    (void)state;
    static const char whole[] = "\x01\x81\x08\x07\x06\x05\x04\x03\x02\x01";

    for (size_t len = 0; len < sizeof whole - 1; len++)
        assert_unknown(whole, len);
    assert_unknown("\x01", 1);
}

static void
test_record_with_a_deadline_that_is_none_is_none(void **state)
{
    (void)state;
    assert_unknown("\x01\x81\0\0\0\0\0\0\0\0v", 11);
    assert_unknown("\x01\x81\xff\xff\xff\xff\xff\xff\xff\xffv", 11);
}

static void
test_record_names_its_type_as_redis_does(void **state)
{
    (void)state;
    assert_string_equal(type_name(TYPE_STRING), "string");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_is_read_as_it_was_written),
        cmocka_unit_test(test_record_has_the_bytes_its_header_tells_of),
        cmocka_unit_test(test_record_of_an_unknown_version_or_type_is_none),
        cmocka_unit_test(test_record_cut_short_is_none),
        cmocka_unit_test(test_record_with_a_deadline_that_is_none_is_none),
        cmocka_unit_test(test_record_names_its_type_as_redis_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
