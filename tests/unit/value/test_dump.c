/* dump: payloads that are written and read back, foreign ones, and those that are none. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/random.h"
#include "value/crc64.h"
#include "value/dump.h"
#include <endian.h>
#include <stdlib.h>

#define TAIL 10
#define SEED 3

/* --- sentences --- */

static void
assert_decodes(struct bytes payload, struct bytes expected)
{
    struct buf scratch = {0};
    struct bytes string;

    assert_true(dump_is_whole(payload));
    assert_int_equal(dump_decode(payload, &scratch, &string), 0);
    assert_true(bytes_eq(string, expected));
    buf_deinit(&scratch);
}

static void
assert_reads_back(struct bytes string)
{
    struct buf payload = {0};

    dump_encode(&payload, string);
    assert_decodes(buf_bytes(&payload), string);
    assert_true(payload.len <= string.len + TAIL + 10);
    buf_deinit(&payload);
}

static void
assert_encodes(const char *string, const char *body, size_t len)
{
    struct buf payload = {0};

    dump_encode(&payload, bytes_str(string));
    assert_int_equal(payload.len, len + TAIL);
    assert_memory_equal(payload.data, body, len);
    assert_memory_equal(payload.data + len, "\x0a\x00", 2);
    buf_deinit(&payload);
}

/* A body with version and checksum behind it. */
static struct buf
sealed(const char *body, size_t len, uint16_t version)
{
    struct buf payload = {0};
    uint16_t le_version = htole16(version);

    buf_append(&payload, body, len);
    buf_append(&payload, &le_version, sizeof le_version);
    uint64_t checksum = htole64(crc64(buf_bytes(&payload)));
    buf_append(&payload, &checksum, sizeof checksum);
    return payload;
}

#define TEXT(literal) (literal), sizeof(literal) - 1

static void
assert_means(const char *body, size_t len, const char *expected)
{
    struct buf payload = sealed(body, len, DUMP_VERSION);

    assert_decodes(buf_bytes(&payload), bytes_str(expected));
    buf_deinit(&payload);
}

static void
assert_means_nothing(const char *body, size_t len)
{
    struct buf payload = sealed(body, len, DUMP_VERSION), scratch = {0};
    struct bytes string;

    assert_true(dump_is_whole(buf_bytes(&payload)));
    assert_int_equal(dump_decode(buf_bytes(&payload), &scratch, &string), -1);
    buf_deinit(&payload);
    buf_deinit(&scratch);
}

/* --- writing --- */

static void
test_dump_writes_numbers_short(void **state)
{
    (void)state;
    assert_encodes("0", TEXT("\x00\xc0\x00"));
    assert_encodes("-128", TEXT("\x00\xc0\x80"));
    assert_encodes("128", TEXT("\x00\xc1\x80\x00"));
    assert_encodes("-32768", TEXT("\x00\xc1\x00\x80"));
    assert_encodes("32768", TEXT("\x00\xc2\x00\x80\x00\x00"));
    assert_encodes("2147483647", TEXT("\x00\xc2\xff\xff\xff\x7f"));
    assert_encodes("-2147483648", TEXT("\x00\xc2\x00\x00\x00\x80"));
    assert_encodes("2147483648", TEXT("\x00\x0a"
                                      "2147483648"));
    assert_encodes("-2147483649", TEXT("\x00\x0b-2147483649"));
}

static void
test_dump_writes_what_only_looks_like_a_number_as_it_is(void **state)
{
    (void)state;
    assert_encodes("", TEXT("\x00\x00"));
    assert_encodes("01", TEXT("\x00\x02\x30\x31"));
    assert_encodes("-0", TEXT("\x00\x02-0"));
    assert_encodes("1 ", TEXT("\x00\x02\x31 "));
}

static void
test_dump_compresses_strings_of_more_than_20_bytes(void **state)
{
    (void)state;
    assert_encodes("aaaaaaaaaaaaaaaaaaaa", TEXT("\x00\x14"
                                                "aaaaaaaaaaaaaaaaaaaa"));
    assert_encodes("aaaaaaaaaaaaaaaaaaaaa", TEXT("\x00\xc3\x06\x15\x01"
                                                 "aa\xe0\x0a\x00"));
    assert_encodes("abcdefghijklmnopqrstuvwxyz", TEXT("\x00\x1a"
                                                      "abcdefghijklmnopqrstuvwxyz"));
}

static void
test_dump_reads_back_what_it_wrote(void **state)
{
    static const size_t lens[] = {0,     1,     20,    21,    63,         64,
                                  16383, 16384, 70000, 70001, 1024 * 1024};
    char *string = malloc(lens[10]);
    uint64_t random = SEED;

    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        for (size_t at = 0; at < lens[i]; at++)
            string[at] = (char)('a' + at % 7);
        assert_reads_back(bytes_of(string, lens[i]));
        for (size_t at = 0; at < lens[i]; at++)
            string[at] = (char)random_next(&random);
        assert_reads_back(bytes_of(string, lens[i]));
    }
    free(string);
}

static void
test_dump_reads_back_numbers(void **state)
{
    static const char *const numbers[] = {
        "0",      "1",          "-1",         "127",         "128",
        "-128",   "-129",       "32767",      "32768",       "-32768",
        "-32769", "2147483647", "2147483648", "12",          "-21474",
        "99999",  "4294967295", "4294967296", "-2147483648", "-2147483649"};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_reads_back(bytes_str(numbers[i]));
}

/* --- reading --- */

static void
test_dump_reads_every_way_of_writing_a_length(void **state)
{
    (void)state;
    assert_means(TEXT("\x00\x03"
                      "abc"),
                 "abc");
    assert_means(TEXT("\x00\x40\x03"
                      "abc"),
                 "abc");
    assert_means(TEXT("\x00\x80\x00\x00\x00\x03"
                      "abc"),
                 "abc");
    assert_means(TEXT("\x00\x81\x00\x00\x00\x00\x00\x00\x00\x03"
                      "abc"),
                 "abc");
    assert_means(TEXT("\x00\xc3\x04\x03\x02xyz"), "xyz");
    assert_means(TEXT("\x00\xc3\x40\x04\x80\x00\x00\x00\x03\x02xyz"), "xyz");
    assert_means(TEXT("\x00\xc3\x00\x00"), "");
}

static void
test_dump_overlooks_what_is_behind_the_value(void **state)
{
    (void)state;
    assert_means(TEXT("\x00\x01xyz"), "x");
    assert_means(TEXT("\x00\xc0\x07xyz"), "7");
}

static void
test_dump_of_another_type_or_an_unknown_length_means_nothing(void **state)
{
    (void)state;
    assert_means_nothing(TEXT("\x01\x01x"));
    assert_means_nothing(TEXT("\xff\x01x"));
    assert_means_nothing(TEXT("\x00\x82\x00\x00\x00\x01x"));
    assert_means_nothing(TEXT("\x00\xbf\x00\x00\x00\x01x"));
    assert_means_nothing(TEXT("\x00\xc4\x01x"));
    assert_means_nothing(TEXT("\x00\xff\x01x"));
}

static void
test_dump_that_ends_too_early_means_nothing(void **state)
{
    (void)state;
    assert_means_nothing(TEXT(""));
    assert_means_nothing(TEXT("\x00"));
    assert_means_nothing(TEXT("\x00\x03xy"));
    assert_means_nothing(TEXT("\x00\x40"));
    assert_means_nothing(TEXT("\x00\x80\x00\x00\x00"));
    assert_means_nothing(TEXT("\x00\x81\xff\xff\xff\xff\xff\xff\xff\xffxy"));
    assert_means_nothing(TEXT("\x00\xc0"));
    assert_means_nothing(TEXT("\x00\xc2\x01\x02\x03"));
    assert_means_nothing(TEXT("\x00\xc3"));
    assert_means_nothing(TEXT("\x00\xc3\x04\x03\x02xy"));
}

static void
test_dump_whose_compressed_bytes_make_no_sense_means_nothing(void **state)
{
    (void)state;
    assert_means_nothing(TEXT("\x00\xc3\x00\x01"));
    assert_means_nothing(TEXT("\x00\xc3\x04\x02\x02xyz"));
    assert_means_nothing(TEXT("\x00\xc3\x04\x04\x02xyz"));
    assert_means_nothing(TEXT("\x00\xc3\x02\x03\x20\x00"));
    assert_means_nothing(TEXT("\x00\xc3\x01\x80\x1f\xff\xff\xff\x00"));
}

/* --- the tail --- */

static void
test_dump_is_whole_only_with_its_own_checksum(void **state)
{
    struct buf payload = {0};

    (void)state;
    dump_encode(&payload, bytes_str("value"));
    for (size_t i = 0; i < payload.len; i++) {
        payload.data[i] ^= 1;
        assert_false(dump_is_whole(buf_bytes(&payload)));
        payload.data[i] ^= 1;
        assert_false(dump_is_whole(bytes_of(payload.data, i)));
    }
    assert_true(dump_is_whole(buf_bytes(&payload)));
    buf_deinit(&payload);
}

static void
test_dump_is_of_an_older_version_or_ours(void **state)
{
    (void)state;
    for (uint16_t version = 0; version < 20; version++) {
        struct buf payload = sealed(TEXT("\x00\x01x"), version);
        assert_int_equal(dump_is_whole(buf_bytes(&payload)), version <= DUMP_VERSION);
        buf_deinit(&payload);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dump_writes_numbers_short),
        cmocka_unit_test(test_dump_writes_what_only_looks_like_a_number_as_it_is),
        cmocka_unit_test(test_dump_compresses_strings_of_more_than_20_bytes),
        cmocka_unit_test(test_dump_reads_back_what_it_wrote),
        cmocka_unit_test(test_dump_reads_back_numbers),
        cmocka_unit_test(test_dump_reads_every_way_of_writing_a_length),
        cmocka_unit_test(test_dump_overlooks_what_is_behind_the_value),
        cmocka_unit_test(test_dump_of_another_type_or_an_unknown_length_means_nothing),
        cmocka_unit_test(test_dump_that_ends_too_early_means_nothing),
        cmocka_unit_test(test_dump_whose_compressed_bytes_make_no_sense_means_nothing),
        cmocka_unit_test(test_dump_is_whole_only_with_its_own_checksum),
        cmocka_unit_test(test_dump_is_of_an_older_version_or_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
