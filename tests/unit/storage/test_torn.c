/* torn: a page stands in its file whole, or not at all. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/tables.h"
#include "storage/torn.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PART 5000 /* bytes of a page that there is room for */

/* A file that a page and a part of another fit in. */
static int
set_up(void **state)
{
    static FILE *file;
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_non_null(file = tmpfile());
    *state = file;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = TABLE_PAGE_SIZE + PART;
    return setrlimit(RLIMIT_FSIZE, &limit);
}

static int
tear_down(void **state)
{
    struct rlimit limit;

    fclose(*state);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_FSIZE, &limit);
}

static void
assert_is(int fd, off_t at, size_t len, char byte)
{
    char text[TABLE_PAGE_SIZE];

    assert_int_equal(pread(fd, text, sizeof text, at), len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(text[i], byte);
}

static void
test_torn_writes_what_there_is_room_for(void **state)
{
    char page[TABLE_PAGE_SIZE];
    int fd = fileno(*state);

    memset(page, 'p', sizeof page);
    assert_int_equal(torn_write(fd, page, sizeof page), sizeof page);
    assert_is(fd, 0, sizeof page, 'p');
    assert_int_equal(torn_write(fd, page, PART), PART);
    assert_is(fd, TABLE_PAGE_SIZE, PART, 'p');
}

static void
test_torn_leaves_nothing_of_a_page_there_is_no_room_for(void **state)
{
    char page[TABLE_PAGE_SIZE];
    int fd = fileno(*state);

    memset(page, 'p', sizeof page);
    assert_int_equal(torn_write(fd, page, sizeof page), sizeof page);
    assert_int_equal(torn_write(fd, page, sizeof page), -1);
    assert_int_equal(errno, EFBIG);
    assert_is(fd, 0, sizeof page, 'p');
    assert_is(fd, TABLE_PAGE_SIZE, PART, '\0');
}

/* The log's writes are none of pages. */
static void
test_torn_leaves_a_part_of_what_is_no_page(void **state)
{
    char text[2 * TABLE_PAGE_SIZE];
    int fd = fileno(*state);

    memset(text, 't', sizeof text);
    assert_int_equal(torn_write(fd, text, sizeof text), -1);
    assert_is(fd, TABLE_PAGE_SIZE, PART, 't');
}

#define TORN_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TORN_TEST(test_torn_writes_what_there_is_room_for),
        TORN_TEST(test_torn_leaves_nothing_of_a_page_there_is_no_room_for),
        TORN_TEST(test_torn_leaves_a_part_of_what_is_no_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
