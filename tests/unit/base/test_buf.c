/* buf: bytes that grow. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"

static void
assert_holds(const struct buf *b, const char *text)
{
    assert_int_equal(b->len, strlen(text));
    assert_memory_equal(b->data, text, b->len);
}

static void
test_buf_keeps_what_is_appended_in_order(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append(&b, "one ", 4);
    buf_append(&b, NULL, 0);
    buf_append_bytes(&b, bytes_str("two "));
    buf_printf(&b, "%d", 3);
    assert_holds(&b, "one two 3");
    assert_true(bytes_eq(buf_bytes(&b), bytes_str("one two 3")));
    buf_deinit(&b);
}

static void
test_buf_grows_by_doubling(void **state)
{
    (void)state;
    struct buf b = {0};
    int ngrown = 0;

    for (int i = 0; i < 100000; i++) {
        size_t cap = b.cap;
        buf_append(&b, "x", 1);
        ngrown += b.cap != cap;
    }
    assert_int_equal(b.len, 100000);
    assert_true(ngrown < 20);
    buf_deinit(&b);
}

static void
test_buf_reserves_room_without_a_change_of_length(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append(&b, "ab", 2);
    char *room = buf_reserve(&b, 1000);
    assert_int_equal(b.len, 2);
    assert_true(b.cap >= 1002);
    assert_ptr_equal(room, b.data + 2);
    memset(room, 'x', 1000);
    buf_deinit(&b);
}

static void
test_buf_prints_texts_of_any_length(void **state)
{
    (void)state;

    for (int width = 1; width < 600; width += 7) {
        struct buf b = {0};
        buf_append(&b, "<", 1);
        buf_printf(&b, "%*d>", width, 7);
        assert_int_equal(b.len, width + 2);
        assert_int_equal(b.data[b.len - 2], '7');
        assert_int_equal(b.data[b.len - 1], '>');
        buf_deinit(&b);
    }
}

static void
test_buf_drops_what_was_consumed(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_consume(&b, 0);
    buf_append(&b, "one two", 7);
    buf_consume(&b, 4);
    assert_holds(&b, "two");
    buf_consume(&b, 3);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

static void
test_buf_cleared_keeps_little_memory_and_gives_back_much(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append(&b, "small", 5);
    buf_clear(&b, 4096);
    assert_int_equal(b.len, 0);
    assert_true(b.cap > 0);

    buf_reserve(&b, 10000);
    buf_clear(&b, 4096);
    assert_int_equal(b.cap, 0);
    assert_null(b.data);
}

/* --- with a spare --- */

#define LARGE (2 * 1024 * 1024)

static void
test_buf_that_grows_large_takes_the_spare_and_leaves_it(void **state)
{
    (void)state;
    struct buf b = {0}, spare = {0};

    buf_append(&b, "ab", 2);
    buf_grow_from(&b, LARGE, &spare);
    char *large = b.data;
    buf_clear_to(&b, 0, &spare);
    assert_ptr_equal(b.data, NULL);
    assert_ptr_equal(spare.data, large);
    assert_int_equal(spare.len, 0);

    buf_append(&b, "cd", 2);
    buf_grow_from(&b, 100, &spare);
    assert_ptr_equal(spare.data, large);
    buf_grow_from(&b, LARGE, &spare);
    assert_ptr_equal(b.data, large);
    assert_holds(&b, "cd");
    assert_int_equal(spare.cap, 0);
    buf_deinit(&b);
}

static void
test_buf_that_needs_more_than_the_spare_has_leaves_it(void **state)
{
    (void)state;
    struct buf b = {0}, spare = {0};

    buf_grow(&spare, LARGE);
    buf_grow_from(&b, LARGE + 1, &spare);
    assert_int_equal(spare.cap, LARGE);
    assert_true(b.cap > LARGE);
    buf_clear_to(&b, 0, &spare);
    assert_true(spare.cap > LARGE);
    buf_deinit(&spare);
}

static void
test_spare_is_neither_small_nor_too_large(void **state)
{
    (void)state;
    struct buf b = {0}, spare = {0};

    buf_grow(&b, 1000);
    buf_clear_to(&b, 1000, &spare);
    assert_true(b.cap >= 1000);
    buf_grow(&b, BUF_SPARE_MAX + 1);
    buf_clear_to(&b, 1000, &spare);
    assert_int_equal(b.cap, 0);
    assert_int_equal(spare.cap, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_keeps_what_is_appended_in_order),
        cmocka_unit_test(test_buf_grows_by_doubling),
        cmocka_unit_test(test_buf_reserves_room_without_a_change_of_length),
        cmocka_unit_test(test_buf_prints_texts_of_any_length),
        cmocka_unit_test(test_buf_drops_what_was_consumed),
        cmocka_unit_test(test_buf_cleared_keeps_little_memory_and_gives_back_much),
        cmocka_unit_test(test_buf_that_grows_large_takes_the_spare_and_leaves_it),
        cmocka_unit_test(test_buf_that_needs_more_than_the_spare_has_leaves_it),
        cmocka_unit_test(test_spare_is_neither_small_nor_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
