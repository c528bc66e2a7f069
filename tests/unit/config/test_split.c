/* test_split: lines to words, with the quoting of redis.conf. */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define WORDS_MAX 4

/* A line and its words, or a count of -1. */
struct split_case {
    struct bytes line;
    int count;
    struct bytes words[WORDS_MAX];
};

#define BYTES(text)                                                                      \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

static const struct split_case split_cases[] = {
    {BYTES(""), 0, {{0}}},
    {BYTES(" \t\r\n\v\f"), 0, {{0}}},
    {BYTES("port 6379"), 2, {BYTES("port"), BYTES("6379")}},
    {BYTES("  a\t b  "), 2, {BYTES("a"), BYTES("b")}},
    {BYTES("\"\" ''"), 2, {BYTES(""), BYTES("")}},
    {BYTES("\"a b\" 'c d'"), 2, {BYTES("a b"), BYTES("c d")}},
    {BYTES("\"\\n\\r\\t\\b\\a\\\\\\\"\\q\""), 1, {BYTES("\n\r\t\b\a\\\"q")}},
    {BYTES("\"\\x00\\xfF\\x4\\xg1\""), 1, {BYTES("\0\xffx4xg1")}},
    {BYTES("'\\n\\x41\\''"), 1, {BYTES("\\n\\x41'")}},
    {BYTES("\\n 'a\"b' \"a'b\""), 3, {BYTES("\\n"), BYTES("a\"b"), BYTES("a'b")}},
    {BYTES("foo\"bar\" baz"), 2, {BYTES("foobar"), BYTES("baz")}},
    {BYTES("caf\xc3\xa9"), 1, {BYTES("caf\xc3\xa9")}},
    {BYTES("a\0b"), 1, {BYTES("a")}},
    {BYTES("a b c d"), 4, {BYTES("a"), BYTES("b"), BYTES("c"), BYTES("d")}},
    {BYTES("a b c d e"), -1, {{0}}},
    {BYTES("\"a"), -1, {{0}}},
    {BYTES("'a"), -1, {{0}}},
    {BYTES("\"a\\"), -1, {{0}}},
    {BYTES("\"a\\\""), -1, {{0}}},
    {BYTES("'a\\'"), -1, {{0}}},
    {BYTES("\"a\"b"), -1, {{0}}},
    {BYTES("'a'b"), -1, {{0}}},
    {BYTES("\"a\"\"b\""), -1, {{0}}},
};

static void
assert_split(const struct split_case *expected)
{
    struct bytes words[WORDS_MAX];
    struct buf text = {0};
    int count = config_split(expected->line, &text, words, WORDS_MAX);

    if (count != expected->count)
        print_error("in: %s\n", expected->line.data);
    assert_int_equal(count, expected->count);
    for (int i = 0; i < count; i++) {
        if (!bytes_eq(words[i], expected->words[i]))
            fail_msg("%s: word %d is %s", expected->line.data, i, words[i].data);
        assert_int_equal(words[i].data[words[i].len], '\0');
    }
    buf_deinit(&text);
}

static void
test_split_reads_quotes_and_escapes_as_redis_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(split_cases) / sizeof(split_cases[0]); i++)
        assert_split(&split_cases[i]);
}

static void
test_split_appends_its_words_to_the_text(void **state)
{
    struct bytes words[WORDS_MAX];
    struct buf text = {0};

    (void)state;
    buf_append(&text, "before", 6);
    assert_int_equal(config_split(bytes_str("a 'b c'"), &text, words, WORDS_MAX), 2);
    assert_true(bytes_eq(buf_bytes(&text), bytes_of("beforea\0b c", 12)));
    buf_deinit(&text);
}

static void
test_split_of_nothing_has_no_words(void **state)
{
    struct bytes words[WORDS_MAX];
    struct buf text = {0};

    (void)state;
    assert_int_equal(config_split(bytes_of(NULL, 0), &text, words, WORDS_MAX), 0);
    buf_deinit(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split_reads_quotes_and_escapes_as_redis_does),
        cmocka_unit_test(test_split_appends_its_words_to_the_text),
        cmocka_unit_test(test_split_of_nothing_has_no_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
