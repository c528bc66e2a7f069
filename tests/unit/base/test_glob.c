/* glob: patterns as redis-server 7.0.15 matches them. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/glob.h"
#include "lib/random.h"
#include <stdio.h>
#include <stdlib.h>

#define SEED  7
#define PAIRS 200000 /* patterns and texts, drawn */

struct row {
    const char *pattern;
    const char *text;
    bool matches;
};

static void
assert_rows(const struct row *rows, size_t nrows, bool nocase)
{
    for (size_t i = 0; i < nrows; i++) {
        const struct row *row = &rows[i];
        bool got = glob_match(bytes_str(row->pattern), bytes_str(row->text), nocase);
        if (got != row->matches)
            fail_msg("pattern %s, text %s: %d", row->pattern, row->text, got);
    }
}

#define ASSERT_ROWS(rows, nocase)                                                        \
    assert_rows((rows), sizeof(rows) / sizeof((rows)[0]), (nocase))

static void
test_glob_plain_text_matches_itself_only(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"key", "key", true},  {"key", "keys", false}, {"key", "ke", false},
        {"key", "Key", false}, {"", "", true},         {"", "a", false},
        {"a", "", false},
    };
    ASSERT_ROWS(rows, false);
}

static void
test_glob_star_takes_any_run_and_question_mark_any_byte(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"*", "a", true},         {"**", "abc", true},
        {"a*", "a", true},        {"a*", "abc", true},
        {"*c", "abc", true},      {"*b", "abc", false},
        {"a*c*e", "abcde", true}, {"a*c*e", "abcd", false},
        {"*ab", "aab", true},     {"*aab*", "aaaabb", true},
        {"?", "a", true},         {"?", "ab", false},
        {"a?c", "abc", true},     {"*?", "a", true},
        {"?*", "a", true},        {"*??", "a", false},
        {"a**", "a", true},       {"user:*:name", "user:1:name", true},
    };
    ASSERT_ROWS(rows, false);
}

static void
test_glob_class_takes_one_byte_of_it_or_not_of_it(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"[abc]", "b", true},   {"[abc]", "d", false},  {"[^abc]", "d", true},
        {"[^abc]", "a", false}, {"[a-c]", "b", true},   {"[a-c]", "d", false},
        {"[c-a]", "b", true},   {"[^a-c]", "b", false}, {"x[ab]y", "xay", true},
        {"[\\]]", "]", true},   {"[\\-]", "-", true},   {"[!a]", "!", true},
        {"[*]", "*", true},     {"[*]", "a", false},    {"[?]", "a", false},
        {"[a\\", "\\", true},   {"*[bc]", "aab", true},
    };
    ASSERT_ROWS(rows, false);
}

static void
test_glob_backslash_takes_the_meaning_away(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"\\*", "*", true},     {"\\*", "a", false},  {"\\?", "?", true},
        {"\\[a]", "[a]", true}, {"\\\\", "\\", true}, {"\\a", "a", true},
        {"a\\", "a\\", true},   {"a\\", "a", false},  {"*\\", "b\\", true},
    };
    ASSERT_ROWS(rows, false);
}

static void
test_glob_keeps_the_odd_corners_of_redis(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"[", "[", false},        {"[", "a", false},     {"[a", "a", true},
        {"[ab", "b", true},       {"[^", "a", true},     {"[^a", "a", false},
        {"[]", "a", false},       {"[]a]", "a]", false}, {"[^]", "a", true},
        {"[a-]", "]", true},      {"[a-]", "a", true},   {"[a-]", "-", false},
        {"[a-", "-", true},       {"[a-c", "b", true},   {"[a-\xe9]", "A", true},
        {"[a-\xe9]", "b", false}, {"*", "", false},      {"[^a]", "", false},
    };
    ASSERT_ROWS(rows, false);
}

static void
test_glob_folds_case_when_told_to(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"KEY*", "keys", true}, {"k?Y", "KeY", true},  {"[a-c]", "B", true},
        {"[ABC]", "b", true},   {"\\K", "k", true},    {"[\\A]", "a", false},
        {"[^a]", "A", false},   {"[[-_]", "{", false}, {"\xc9", "\xe9", false},
    };
    ASSERT_ROWS(rows, true);
}

static void
test_glob_matches_bytes_with_nuls(void **state)
{
    (void)state;
    assert_true(glob_match(bytes_of("a\0*", 3), bytes_of("a\0b\0", 4), false));
    assert_false(glob_match(bytes_of("a\0c", 3), bytes_of("a\0b", 3), false));
}

/* What * ? and bytes mean, written down as it is: a star tries all it could take. */
static bool
plain_match(const char *pattern, const char *text)
{
    if (*pattern == '*')
        return plain_match(pattern + 1, text)
               || (*text != '\0' && plain_match(pattern, text + 1));
    if (*text == '\0' || *pattern == '\0')
        return *text == *pattern;
    return (*pattern == '?' || *pattern == *text) && plain_match(pattern + 1, text + 1);
}

static void
draw(uint64_t *r, const char *alphabet, size_t nletters, char text[12])
{
    size_t len = 1 + random_below(r, 10);

    for (size_t i = 0; i < len; i++)
        text[i] = alphabet[random_below(r, nletters)];
    text[len] = '\0';
}

/* It goes back to the last star only; it finds what trying all of them finds. */
static void
test_glob_agrees_with_a_plain_matcher(void **state)
{
    uint64_t r = SEED;
    char pattern[12], text[12];
    int nmatches = 0;

    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        draw(&r, "ab**?", 5, pattern);
        draw(&r, "ab", 2, text);
        bool expected = plain_match(pattern, text);
        if (glob_match(bytes_str(pattern), bytes_str(text), false) != expected)
            fail_msg("pattern %s, text %s: not %d", pattern, text, expected);
        nmatches += expected;
    }
    assert_in_range(nmatches, PAIRS / 10, PAIRS - PAIRS / 10);
}

static void
test_glob_takes_bounded_time_for_any_pattern(void **state)
{
    (void)state;
    static char pattern[2001], text[20000];

    for (size_t i = 0; i + 1 < sizeof(pattern); i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[sizeof(pattern) - 1] = 'b';
    memset(text, 'a', sizeof(text));
    assert_false(glob_match(bytes_of(pattern, sizeof(pattern)),
                            bytes_of(text, sizeof(text)), false));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_glob_plain_text_matches_itself_only),
        cmocka_unit_test(test_glob_star_takes_any_run_and_question_mark_any_byte),
        cmocka_unit_test(test_glob_class_takes_one_byte_of_it_or_not_of_it),
        cmocka_unit_test(test_glob_backslash_takes_the_meaning_away),
        cmocka_unit_test(test_glob_keeps_the_odd_corners_of_redis),
        cmocka_unit_test(test_glob_folds_case_when_told_to),
        cmocka_unit_test(test_glob_matches_bytes_with_nuls),
        cmocka_unit_test(test_glob_agrees_with_a_plain_matcher),
        cmocka_unit_test(test_glob_takes_bounded_time_for_any_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
