/* lcs: the longest common subsequence of two strings. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "lib/random.h"
#include "value/lcs.h"

#define LEN_MAX 90

static void
find(struct arena *a, const char *one, const char *other, struct lcs *lcs)
{
    lcs_find(a, bytes_str(one), bytes_str(other), lcs);
}

static void
assert_text(const char *one, const char *other, const char *expected)
{
    struct arena a = {0};
    struct lcs lcs;

    find(&a, one, other, &lcs);
    assert_true(bytes_eq(lcs.text, bytes_str(expected)));
    arena_deinit(&a);
}

static void
test_lcs_is_what_both_have(void **state)
{
    (void)state;
    assert_text("ohmytext", "mynewtext", "mytext");
    assert_text("same", "same", "same");
    assert_text("abc", "xyz", "");
    assert_text("", "xyz", "");
    assert_text("xyz", "", "");
    assert_text("a", "aaa", "a");
}

static void
test_lcs_matches_are_runs_the_last_first(void **state)
{
    struct arena a = {0};
    struct lcs lcs;

    (void)state;
    find(&a, "ohmytext", "mynewtext", &lcs);
    assert_int_equal(lcs.nmatches, 2);
    assert_memory_equal(&lcs.matches[0], (&(struct lcs_match){4, 5, 4}),
                        sizeof(struct lcs_match));
    assert_memory_equal(&lcs.matches[1], (&(struct lcs_match){2, 0, 2}),
                        sizeof(struct lcs_match));
    arena_deinit(&a);
}

/* The length alone, in the plainest way. */
static size_t
longest(struct bytes a, struct bytes b)
{
    static size_t table[LEN_MAX + 1][LEN_MAX + 1];

    for (size_t i = 1; i <= a.len; i++) {
        for (size_t j = 1; j <= b.len; j++) {
            size_t up = table[i - 1][j], left = table[i][j - 1];
            table[i][j] = up > left ? up : left;
            if (a.data[i - 1] == b.data[j - 1])
                table[i][j] = table[i - 1][j - 1] + 1;
        }
    }
    return table[a.len][b.len];
}

static struct bytes
any_text(uint64_t *random, char data[LEN_MAX])
{
    size_t len = random_below(random, LEN_MAX + 1);

    for (size_t i = 0; i < len; i++)
        data[i] = (char)('a' + random_below(random, 4));
    return bytes_of(data, len);
}

static void
assert_matches(const struct lcs *lcs, struct bytes a, struct bytes b)
{
    size_t left = lcs->text.len;

    for (size_t i = 0; i < lcs->nmatches; i++) {
        const struct lcs_match *m = &lcs->matches[i];
        assert_true(m->len > 0 && m->len <= left);
        left -= m->len;
        assert_memory_equal(a.data + m->a, lcs->text.data + left, m->len);
        assert_memory_equal(b.data + m->b, lcs->text.data + left, m->len);
        if (i > 0) {
            assert_true(m->a + m->len <= m[-1].a);
            assert_true(m->b + m->len <= m[-1].b);
        }
    }
    assert_int_equal(left, 0);
}

static void
test_lcs_is_the_longest_and_stands_in_both(void **state)
{
    uint64_t random = 3;

    (void)state;
    for (int round = 0; round < 500; round++) {
        char one[LEN_MAX], other[LEN_MAX];
        struct bytes a = any_text(&random, one), b = any_text(&random, other);
        struct arena arena = {0};
        struct lcs lcs;
        lcs_find(&arena, a, b, &lcs);
        assert_int_equal(lcs.text.len, longest(a, b));
        assert_matches(&lcs, a, b);
        arena_deinit(&arena);
    }
}

static void
test_lcs_cost_grows_with_both(void **state)
{
    (void)state;
    assert_int_equal(lcs_cost(bytes_of("", 0), bytes_of("", 0)), 4);
    assert_int_equal(lcs_cost(bytes_of("abc", 3), bytes_of("de", 2)), 48);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lcs_is_what_both_have),
        cmocka_unit_test(test_lcs_matches_are_runs_the_last_first),
        cmocka_unit_test(test_lcs_is_the_longest_and_stands_in_both),
        cmocka_unit_test(test_lcs_cost_grows_with_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
