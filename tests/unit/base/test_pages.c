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

#define LENGTH  (8 * PAGES_FROM)
#define BLOCK   1000
#define NBLOCKS 20000

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

static void
test_pages_that_are_touched_are_there(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *data =
        mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(data, MAP_FAILED);
    madvise(data, 8 * page, MADV_NOHUGEPAGE);
    assert_true(pages_touch(data + 3 * page - 1, page + 2));
    assert_int_equal(count_resident(data, 8 * page), 3);
    assert_int_equal(count_resident(data + 2 * page, 3 * page), 3);
    munmap(data, 8 * page);
    assert_false(pages_touch(data, page));
}

/* Has all pieces from about where the next block comes from made ready. */
static void
touch_all(void)
{
    uintptr_t at = pages_fresh() & ~(uintptr_t)4095;

    while (pages_touch_fresh(at))
        at += PAGES_TOUCHED;
}

static void
test_pages_that_are_touched_stay_as_they_are(void **state)
{
    static char *blocks[NBLOCKS];

    (void)state;
    pages_load_begin();
    for (int i = 0; i < NBLOCKS; i++) {
        if (i % 1000 == 0)
            touch_all();
        blocks[i] = xmalloc(BLOCK);
        memset(blocks[i], i % 100, BLOCK);
    }
    pages_touch(blocks[0], LENGTH);
    pages_load_end();
    for (int i = 0; i < NBLOCKS; i++) {
        for (int at = 0; at < BLOCK; at++)
            assert_int_equal(blocks[i][at], i % 100);
        free(blocks[i]);
    }
}

static void
test_pages_that_are_not_there_are_not_touched(void **state)
{
    uintptr_t end = (uintptr_t)sbrk(0);

    (void)state;
    assert_false(pages_touch_fresh(0));
    assert_false(pages_touch_fresh(end));
    assert_false(pages_touch_fresh(end - PAGES_TOUCHED + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_given_back_are_those_within),
        cmocka_unit_test(test_pages_kept_small_grow_with_what_they_hold),
        cmocka_unit_test(test_pages_that_are_touched_are_there),
        cmocka_unit_test(test_pages_that_are_touched_stay_as_they_are),
        cmocka_unit_test(test_pages_that_are_not_there_are_not_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
