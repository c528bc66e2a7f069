/* parser: what comes from clients, as redis-server 7.0.15 understands it. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/requests.h"

#define BULK_MAX ((size_t)512 * 1024 * 1024)

static void
assert_log(struct buf log, const char *expected, struct bytes wire)
{
    if (!bytes_eq(buf_bytes(&log), bytes_str(expected)))
        fail_msg("given %.*s\nexpected %s\ngot %.*s", (int)wire.len, wire.data, expected,
                 (int)log.len, log.data);
    buf_deinit(&log);
}

/* The wire gives this log however it is cut. */
static void
assert_requests_of(struct bytes wire, const char *expected)
{
    for (size_t cut = 0; cut <= wire.len; cut++)
        assert_log(requests_cut(wire, cut, BULK_MAX), expected, wire);
    assert_log(requests_trickle(wire, BULK_MAX), expected, wire);
}

static void
assert_requests(const char *wire, const char *expected)
{
    assert_requests_of(bytes_str(wire), expected);
}

static void
assert_refused(const char *wire, const char *why)
{
    struct buf expected = {0};

    buf_printf(&expected, "Protocol error: %s\n", why);
    buf_append(&expected, "", 1);
    assert_requests(wire, expected.data);
    buf_deinit(&expected);
}

/* The mark and so many digits, and nothing behind them. */
static void
assert_long_line(const char *before, size_t len, const char *expected)
{
    struct buf wire = {0};

    buf_append_bytes(&wire, bytes_str(before));
    memset(buf_reserve(&wire, len), '1', len);
    wire.len += len;
    for (size_t cut = 0; cut <= wire.len; cut += 4999)
        assert_log(requests_cut(buf_bytes(&wire), cut, BULK_MAX), expected,
                   bytes_str(before));
    buf_deinit(&wire);
}

static void
test_parser_gives_the_same_request_however_it_is_cut(void **state)
{
    (void)state;
    assert_requests("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "<3:GET><1:k>\n");
    assert_requests("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\nhello\r\nworld\r\n",
                    "<3:SET><0:><12:hello\r\nworld>\n");
}

static void
test_parser_gives_one_request_of_a_pipeline_after_the_other(void **state)
{
    (void)state;
    assert_requests("*1\r\n$4\r\nPING\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1\r\na\r\n*1\r\n",
                    "<4:PING>\n<4:PING>\n<4:ECHO><1:a>\n");
}

static void
test_parser_gives_no_arguments_for_what_asks_for_nothing(void **state)
{
    (void)state;
    assert_requests("*0\r\n", "\n");
    assert_requests("*-1\r\nPING\r\n", "\n<4:PING>\n");
    assert_requests("*-5\r\n\r\n\n   \r\nPING\r\n", "\n\n\n\n<4:PING>\n");
}

static void
test_parser_checks_the_cr_of_a_line_and_nothing_behind_it(void **state)
{
    (void)state;
    assert_requests("*1\rx$4\ryPING..*1\r\n$4\r\nPING\r\n", "<4:PING>\n<4:PING>\n");
    assert_requests("*1\n$4\nPING\n", "");
}

static void
test_parser_refuses_a_bad_count(void **state)
{
    (void)state;
    const char *wires[] = {"*x\r\n",
                           "*\r\n",
                           "*01\r\n",
                           "*+1\r\n",
                           "* 1\r\n",
                           "*1 \r\n",
                           "*1x\r\n",
                           "*2147483648\r\n",
                           "*99999999999999999999\r\n",
                           "*-99999999999999999999\r\n"};

    for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
        assert_refused(wires[i], "invalid multibulk length");
}

static void
test_parser_refuses_a_bad_length(void **state)
{
    (void)state;
    const char *wires[] = {"*1\r\n$x\r\n",
                           "*1\r\n$\r\n",
                           "*1\r\n$-1\r\n",
                           "*1\r\n$04\r\n",
                           "*1\r\n$4 \r\n",
                           "*1\r\n$536870913\r\n",
                           "*2\r\n$1\r\na\r\n$99999999999999999999\r\n"};

    for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
        assert_refused(wires[i], "invalid bulk length");
    assert_requests("*1\r\n$536870912\r\n", "");
}

static void
test_parser_refuses_what_is_no_bulk_string(void **state)
{
    (void)state;
    assert_refused("*1\r\nPING\r\n", "expected '$', got 'P'");
    assert_refused("*1\r\n*1\r\n", "expected '$', got '*'");
    assert_refused("*1\r\n\xff\r\n", "expected '$', got '\xff'");
    assert_refused("*1\r\n\r\n", "expected '$', got '\r'");
    assert_requests("*1\r\nPING", "");
}

static void
test_parser_refuses_lines_that_do_not_end(void **state)
{
    (void)state;
    assert_long_line("*", PARSER_INLINE_MAX - 1, "");
    assert_long_line("*", PARSER_INLINE_MAX,
                     "Protocol error: too big mbulk count string\n");
    assert_long_line("*1\r\n$", PARSER_INLINE_MAX - 1, "");
    assert_long_line("*1\r\n$", PARSER_INLINE_MAX,
                     "Protocol error: too big bulk count string\n");
    assert_long_line("PING ", PARSER_INLINE_MAX - 5, "");
    assert_long_line("PING ", PARSER_INLINE_MAX - 4,
                     "Protocol error: too big inline request\n");
}

static void
test_parser_splits_a_line_at_its_spaces(void **state)
{
    (void)state;
    assert_requests("PING\r\n", "<4:PING>\n");
    assert_requests("PING\n", "<4:PING>\n");
    assert_requests("  SET\tk   v \r\n", "<3:SET><1:k><1:v>\n");
    assert_requests("a\rb\r\r\n", "<1:a><1:b>\n");
    assert_requests("\v\fa\vb\fc\n", "<5:a\vb\fc>\n");
    assert_requests("$4\r\n", "<2:$4>\n");
}

static void
test_parser_unquotes_double_quotes(void **state)
{
    (void)state;
    assert_requests("ECHO \"a b\"\n", "<4:ECHO><3:a b>\n");
    assert_requests("ECHO \"\"\n", "<4:ECHO><0:>\n");
    assert_requests("\"\\x41\\n\\r\\t\\b\\a\\q\\\\\\\"\"\n", "<9:A\n\r\t\b\aq\\\">\n");
    assert_requests("\"\\xZZ\\x4\\xe9\"\n", "<6:xZZx4\xe9>\n");
    assert_requests("a\"b\" c\n", "<2:ab><1:c>\n");
    assert_requests("\"a\"\v'b'\n", "<1:a><1:b>\n");
    assert_requests("\"it's\"\n", "<4:it's>\n");
}

static void
test_parser_unquotes_single_quotes(void **state)
{
    (void)state;
    assert_requests("ECHO 'a b'\n", "<4:ECHO><3:a b>\n");
    assert_requests("'a\\'b' '\\n' '\"'\n", "<3:a'b><2:\\n><1:\">\n");
}

static void
test_parser_refuses_quotes_without_a_partner(void **state)
{
    (void)state;
    const char *wires[] = {"PING \"abc\r\n",
                           "PING 'abc\r\n",
                           "PING \"a\"b\r\n",
                           "PING 'a'b\r\n",
                           "PING a\"b c\"d\n",
                           "PING \"a\\\r\n",
                           "'a\\\\'b\n",
                           "\"\n",
                           "'\n"};

    for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
        assert_refused(wires[i], "unbalanced quotes in request");
}

static void
test_parser_takes_nuls_for_bytes_like_others(void **state)
{
    (void)state;
    static const char wire[] = "*1\r\n$2\r\n\0\0\r\nPING\n";
    struct buf log = requests_cut(bytes_of(wire, sizeof(wire) - 1), 3, BULK_MAX);

    assert_int_equal(log.len, strlen("<2:xx>\n<4:PING>\n"));
    assert_memory_equal(log.data, "<2:\0\0>\n<4:PING>\n", log.len);
    buf_deinit(&log);
}

/* What began with a zero byte once was a request without end, one line after the other. */
static void
test_parser_finds_no_end_of_a_line_behind_a_zero_byte(void **state)
{
    static const char line[] = "PI\0NG\r\nPING\r\n", array[] = "*1\r\n\0\r\n";

    (void)state;
    assert_requests_of(bytes_of(line, sizeof line - 1), "");
    assert_requests_of(bytes_of(array, sizeof array - 1), "");

    struct buf lines = {0};
    buf_append(&lines, "", 1);
    while (lines.len <= PARSER_INLINE_MAX)
        buf_append(&lines, "PING\r\n", 6);
    for (size_t cut = 0; cut <= lines.len; cut += 4999)
        assert_log(requests_cut(buf_bytes(&lines), cut, BULK_MAX),
                   "Protocol error: too big inline request\n", bytes_str("PING"));
    buf_deinit(&lines);
}

static enum parsed
parse(struct parser *p, const char *wire)
{
    return parser_next(p, wire, strlen(wire));
}

static void
test_parser_lets_a_guest_send_small_requests_only(void **state)
{
    (void)state;
    struct parser p;

    parser_init(&p, BULK_MAX);
    p.guest = true;
    assert_int_equal(parse(&p, "*10\r\n$16384\r\n"), PARSED_MORE);
    parser_restart(&p);
    assert_int_equal(parse(&p, "*11\r\n"), PARSED_ERROR);
    assert_string_equal(p.error, "Protocol error: unauthenticated multibulk length");
    parser_restart(&p);
    assert_int_equal(parse(&p, "*1\r\n$16385\r\n"), PARSED_ERROR);
    assert_string_equal(p.error, "Protocol error: unauthenticated bulk length");
    parser_deinit(&p);
}

static void
test_parser_says_how_much_of_a_large_argument_is_missing(void **state)
{
    (void)state;
    const char *wire = "*2\r\n$3\r\nSET\r\n$1000\r\nabc";
    struct parser p;

    parser_init(&p, BULK_MAX);
    assert_int_equal(parser_missing(&p, 0), 0);
    assert_int_equal(parser_next(&p, wire, 6), PARSED_MORE);
    assert_int_equal(parser_missing(&p, 6), 0);
    assert_int_equal(parse(&p, wire), PARSED_MORE);
    assert_int_equal(parser_missing(&p, strlen(wire)), 1000 - 3 + 2);
    parser_deinit(&p);
}

static void
test_parser_reads_a_request_again_after_a_restart(void **state)
{
    (void)state;
    const char *wire = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    struct parser p;

    parser_init(&p, BULK_MAX);
    assert_int_equal(parser_next(&p, wire, 15), PARSED_MORE);
    parser_restart(&p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(parse(&p, wire), PARSED_REQUEST);
        assert_int_equal(p.argc, 2);
        assert_int_equal(p.consumed, strlen(wire));
        assert_ptr_equal(p.argv[1].data, wire + 17);
        parser_restart(&p);
    }
    parser_deinit(&p);
}

static void
test_parser_allocates_for_arguments_that_came_not_for_a_count(void **state)
{
    (void)state;
    struct parser p;

    parser_init(&p, BULK_MAX);
    assert_int_equal(parse(&p, "*2147483647\r\n$1\r\na\r\n"), PARSED_MORE);
    assert_true(p.cap_args < 100);
    parser_deinit(&p);
}

/* What it has understood it does not read again, so the time is linear. */
static void
test_parser_reads_each_of_many_arguments_once(void **state)
{
    (void)state;
    const int nargs = 200000;
    const size_t piece = 100, element = strlen("$1\r\na\r\n");
    struct buf wire = {0};
    struct parser p;

    parser_init(&p, BULK_MAX);
    buf_printf(&wire, "*%d\r\n", nargs);
    for (int i = 0; i < nargs; i++)
        buf_append(&wire, "$1\r\na\r\n", element);
    for (size_t len = piece; len < wire.len; len += piece) {
        assert_int_equal(parser_next(&p, wire.data, len), PARSED_MORE);
        assert_true(len - p.pos < element);
    }
    assert_int_equal(parser_next(&p, wire.data, wire.len), PARSED_REQUEST);
    assert_int_equal(p.argc, nargs);
    assert_int_equal(p.consumed, wire.len);
    assert_ptr_equal(p.argv[nargs - 1].data, wire.data + wire.len - 3);

    assert_int_equal(parse(&p, "PING\r\n"), PARSED_REQUEST);
    assert_true(p.cap_args < 100);
    buf_deinit(&wire);
    parser_deinit(&p);
}

static void
test_parser_looks_for_the_end_of_a_line_in_new_bytes_only(void **state)
{
    (void)state;
    const char *wire = "PING aaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct parser p;

    parser_init(&p, BULK_MAX);
    for (size_t len = 0; len <= strlen(wire); len++) {
        assert_int_equal(parser_next(&p, wire, len), PARSED_MORE);
        assert_int_equal(p.searched, len);
    }
    parser_deinit(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parser_gives_the_same_request_however_it_is_cut),
        cmocka_unit_test(test_parser_gives_one_request_of_a_pipeline_after_the_other),
        cmocka_unit_test(test_parser_gives_no_arguments_for_what_asks_for_nothing),
        cmocka_unit_test(test_parser_checks_the_cr_of_a_line_and_nothing_behind_it),
        cmocka_unit_test(test_parser_refuses_a_bad_count),
        cmocka_unit_test(test_parser_refuses_a_bad_length),
        cmocka_unit_test(test_parser_refuses_what_is_no_bulk_string),
        cmocka_unit_test(test_parser_refuses_lines_that_do_not_end),
        cmocka_unit_test(test_parser_splits_a_line_at_its_spaces),
        cmocka_unit_test(test_parser_unquotes_double_quotes),
        cmocka_unit_test(test_parser_unquotes_single_quotes),
        cmocka_unit_test(test_parser_refuses_quotes_without_a_partner),
        cmocka_unit_test(test_parser_takes_nuls_for_bytes_like_others),
        cmocka_unit_test(test_parser_finds_no_end_of_a_line_behind_a_zero_byte),
        cmocka_unit_test(test_parser_lets_a_guest_send_small_requests_only),
        cmocka_unit_test(test_parser_says_how_much_of_a_large_argument_is_missing),
        cmocka_unit_test(test_parser_reads_a_request_again_after_a_restart),
        cmocka_unit_test(test_parser_allocates_for_arguments_that_came_not_for_a_count),
        cmocka_unit_test(test_parser_reads_each_of_many_arguments_once),
        cmocka_unit_test(test_parser_looks_for_the_end_of_a_line_in_new_bytes_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
