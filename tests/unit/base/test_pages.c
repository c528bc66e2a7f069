/* pages: how the kernel gives and takes back memory. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/pages.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH (8 * PAGES_FROM)

/* How many of the whole pages within a run are in memory. */
static size_t
count_resident(char *data, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    char *from = (char *)(((uintptr_t)data + page - 1) & ~(page - 1));

    for (; from + page <= data + len; from += page) {
        unsigned char is_there;
        assert_int_equal(mincore(from, page, &is_there), 0);
        count += is_there & 1;
    }
    return count;
}

static void
test_pages_given_back_are_those_within(void **state)
{
    (void)state;
    char *data = xmalloc(LENGTH);

    memset(data, 'x', LENGTH);
    pages_give_back(data + 1000, LENGTH / 2 - 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(data[i], 'x');
    for (size_t i = LENGTH / 2; i < LENGTH; i++)
        assert_int_equal(data[i], 'x');
    assert_int_equal(data[LENGTH / 4], 0);
    pages_give_back(data, LENGTH);
    assert_int_equal(count_resident(data, LENGTH), 0);
    pages_give_back(data + 1, 10);
    free(data);
}

static void
test_pages_kept_small_grow_with_what_they_hold(void **state)
{
    (void)state;
    char *data = xmalloc(LENGTH);

    pages_keep_small(data, LENGTH);
    memset(data, 'x', LENGTH);
    data = xrealloc(data, 2 * LENGTH);
    pages_keep_small(data, 2 * LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        assert_int_equal(data[i], 'x');
    memset(data + LENGTH, 'y', LENGTH);
    free(data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_given_back_are_those_within),
        cmocka_unit_test(test_pages_kept_small_grow_with_what_they_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
