/* reply: what goes to clients, as redis-server 7.0.15 sends it, and read back. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/answer.h"
#include "resp/reply.h"
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

typedef void write_fn(struct reply *r);

static void
assert_writes(write_fn *write, int protocol, const char *expected)
{
    struct buf out = {0};
    struct reply r = {.out = &out, .protocol = protocol};

    write(&r);
    if (!bytes_eq(buf_bytes(&out), bytes_str(expected)))
        fail_msg("RESP%d: expected %s, got %.*s", protocol, expected, (int)out.len,
                 out.data);
    buf_deinit(&out);
}

static void
assert_both(write_fn *write, const char *resp2, const char *resp3)
{
    assert_writes(write, 2, resp2);
    assert_writes(write, 3, resp3);
}

static void
write_lines(struct reply *r)
{
    reply_ok(r);
    reply_simple(r, "QUEUED");
    reply_error(r, bytes_str("ERR no such key"));
}

static void
test_reply_lines_are_the_same_in_both_protocols(void **state)
{
    (void)state;
    const char *lines = "+OK\r\n+QUEUED\r\n-ERR no such key\r\n";
    assert_both(write_lines, lines, lines);
}

static void
write_error_with_line_ends(struct reply *r)
{
    reply_error(r, bytes_str("ERR a\r\nb\n"));
}

static void
test_reply_error_is_one_line_whatever_its_text(void **state)
{
    (void)state;
    assert_both(write_error_with_line_ends, "-ERR a  b \r\n", "-ERR a  b \r\n");
}

static void
write_bulks(struct reply *r)
{
    reply_bulk(r, bytes_str("hello"));
    reply_bulk(r, bytes_of(NULL, 0));
    reply_bulk_str(r, "1234567890");
    reply_bulk_int(r, -12);
}

static void
test_reply_bulk_strings_have_their_length_before_them(void **state)
{
    (void)state;
    const char *bulks = "$5\r\nhello\r\n$0\r\n\r\n$10\r\n1234567890\r\n$3\r\n-12\r\n";
    assert_both(write_bulks, bulks, bulks);
}

static void
write_nulls(struct reply *r)
{
    reply_null(r);
    reply_null_array(r);
}

static void
test_reply_has_two_nulls_in_resp2_and_one_in_resp3(void **state)
{
    (void)state;
    assert_both(write_nulls, "$-1\r\n*-1\r\n", "_\r\n_\r\n");
}

static void
write_aggregates(struct reply *r)
{
    reply_array(r, 0);
    reply_array(r, 12);
    reply_map(r, 2);
    reply_set(r, 3);
    reply_push(r, 4);
}

static void
test_reply_aggregates_are_arrays_in_resp2(void **state)
{
    (void)state;
    assert_both(write_aggregates, "*0\r\n*12\r\n*4\r\n*3\r\n*4\r\n",
                "*0\r\n*12\r\n%2\r\n~3\r\n>4\r\n");
}

static void
write_figures(struct reply *r)
{
    reply_map(r, 2);
    reply_figure(r, "keys", 7);
    reply_figure(r, "ttl", -1);
}

static void
test_reply_figures_are_pairs_of_a_map(void **state)
{
    (void)state;
    assert_both(write_figures, "*4\r\n$4\r\nkeys\r\n:7\r\n$3\r\nttl\r\n:-1\r\n",
                "%2\r\n$4\r\nkeys\r\n:7\r\n$3\r\nttl\r\n:-1\r\n");
}

static void
write_bools(struct reply *r)
{
    reply_bool(r, true);
    reply_bool(r, false);
}

static void
test_reply_bools_are_numbers_in_resp2(void **state)
{
    (void)state;
    assert_both(write_bools, ":1\r\n:0\r\n", "#t\r\n#f\r\n");
}

static void
write_doubles(struct reply *r)
{
    reply_double(r, 3);
    reply_double(r, 0.1);
    reply_double(r, 1e300);
    reply_double(r, -0.0);
    reply_double(r, INFINITY);
    reply_double(r, -INFINITY);
}

static void
test_reply_doubles_have_seventeen_digits(void **state)
{
    (void)state;
    assert_both(
        write_doubles,
        "$1\r\n3\r\n$19\r\n0.10000000000000001\r\n$23\r\n1.0000000000000001e+300"
        "\r\n$2\r\n-0\r\n$3\r\ninf\r\n$4\r\n-inf\r\n",
        ",3\r\n,0.10000000000000001\r\n,1.0000000000000001e+300\r\n,-0\r\n,inf\r\n"
        ",-inf\r\n");
}

static void
write_verbatim(struct reply *r)
{
    reply_verbatim(r, "txt", bytes_str("abc"));
}

static void
test_reply_verbatim_tells_its_format_in_resp3(void **state)
{
    (void)state;
    assert_both(write_verbatim, "$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n");
}

static void
write_big_number(struct reply *r)
{
    reply_big_number(r, "12345678901234567890123");
}

static void
test_reply_big_numbers_are_texts_in_resp2(void **state)
{
    (void)state;
    assert_both(write_big_number, "$23\r\n12345678901234567890123\r\n",
                "(12345678901234567890123\r\n");
}

static void
test_reply_attributes_stand_before_the_reply(void **state)
{
    struct buf out = {0};
    struct reply r = {.out = &out, .protocol = 3};

    (void)state;
    reply_attribute(&r, 1);
    reply_simple_bytes(&r, bytes_of("ttlx", 3));
    reply_int(&r, 5);
    reply_ok(&r);
    buf_append(&out, "", 1);
    assert_string_equal(out.data, "|1\r\n+ttl\r\n:5\r\n+OK\r\n");
    buf_deinit(&out);
}

static void
test_reply_numbers_are_read_back_as_they_were(void **state)
{
    (void)state;
    const int64_t numbers[] = {0,     9,  10,        -1,        -10,
                               99999, -9, INT32_MAX, INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct buf out = {0};
        struct reply r = {.out = &out, .protocol = 2};
        char expected[32];

        reply_int(&r, numbers[i]);
        snprintf(expected, sizeof(expected), ":%" PRId64 "\r\n", numbers[i]);
        assert_true(bytes_eq(buf_bytes(&out), bytes_str(expected)));
        buf_deinit(&out);
    }
}

static void
write_nested(struct reply *r)
{
    reply_array(r, 5);
    reply_map(r, 1);
    reply_bulk_str(r, "key");
    reply_set(r, 2);
    reply_int(r, -7);
    reply_double(r, 1.5);
    reply_null(r);
    reply_bulk(r, bytes_of("a\0\r\n", 4));
    reply_bool(r, true);
    reply_error(r, bytes_str("ERR x"));
}

static void
test_reply_is_read_back_by_hiredis(void **state)
{
    (void)state;
    struct buf out = {0};
    struct reply r = {.out = &out, .protocol = 2};
    redisReader *reader = redisReaderCreate();
    void *read = NULL;

    write_nested(&r);
    redisReaderFeed(reader, out.data, out.len);
    assert_int_equal(redisReaderGetReply(reader, &read), REDIS_OK);
    redisReply *got = read;
    assert_int_equal(got->elements, 5);
    assert_int_equal(got->element[0]->elements, 2);
    assert_string_equal(got->element[0]->element[0]->str, "key");
    assert_int_equal(got->element[0]->element[1]->element[0]->integer, -7);
    assert_string_equal(got->element[0]->element[1]->element[1]->str, "1.5");
    assert_int_equal(got->element[1]->type, REDIS_REPLY_NIL);
    assert_int_equal(got->element[2]->len, 4);
    assert_memory_equal(got->element[2]->str, "a\0\r\n", 4);
    assert_int_equal(got->element[3]->integer, 1);
    assert_int_equal(got->element[4]->type, REDIS_REPLY_ERROR);
    freeReplyObject(got);
    redisReaderFree(reader);
    buf_deinit(&out);
}

static void
test_reply_is_read_back_in_resp3(void **state)
{
    (void)state;
    struct buf out = {0};
    struct reply r = {.out = &out, .protocol = 3};
    struct answer got;

    write_nested(&r);
    assert_int_equal(answer_read(buf_bytes(&out), &got), out.len);
    assert_int_equal(got.nitems, 5);
    assert_int_equal(got.items[0].kind, '%');
    assert_string_equal(got.items[0].items[0].text, "key");
    assert_int_equal(got.items[0].items[1].kind, '~');
    assert_int_equal(got.items[0].items[1].items[1].kind, ',');
    assert_string_equal(got.items[0].items[1].items[1].text, "1.5");
    assert_true(got.items[1].null);
    assert_int_equal(got.items[2].len, 4);
    assert_int_equal(got.items[3].kind, '#');
    assert_int_equal(got.items[4].kind, '-');
    answer_deinit(&got);
    buf_deinit(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply_lines_are_the_same_in_both_protocols),
        cmocka_unit_test(test_reply_error_is_one_line_whatever_its_text),
        cmocka_unit_test(test_reply_bulk_strings_have_their_length_before_them),
        cmocka_unit_test(test_reply_has_two_nulls_in_resp2_and_one_in_resp3),
        cmocka_unit_test(test_reply_aggregates_are_arrays_in_resp2),
        cmocka_unit_test(test_reply_figures_are_pairs_of_a_map),
        cmocka_unit_test(test_reply_bools_are_numbers_in_resp2),
        cmocka_unit_test(test_reply_doubles_have_seventeen_digits),
        cmocka_unit_test(test_reply_verbatim_tells_its_format_in_resp3),
        cmocka_unit_test(test_reply_big_numbers_are_texts_in_resp2),
        cmocka_unit_test(test_reply_attributes_stand_before_the_reply),
        cmocka_unit_test(test_reply_numbers_are_read_back_as_they_were),
        cmocka_unit_test(test_reply_is_read_back_by_hiredis),
        cmocka_unit_test(test_reply_is_read_back_in_resp3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
