/* home: the data directory, made, locked, and refused where it is not ours. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/home.h"
#include "unit/storage/bench.h"
#include <sys/stat.h>

static int
home_of(const struct bench *b)
{
    char error[STORAGE_ERROR_MAX] = "";
    int fd = home_open(b->dir, error, sizeof error);

    assert_string_equal(error, "");
    return fd;
}

/* The directory is refused with "dir: words". */
static void
assert_refused(const struct bench *b, const char *words)
{
    char error[STORAGE_ERROR_MAX], expected[BENCH_PATH_MAX];

    assert_int_equal(home_open(b->dir, error, sizeof error), -1);
    snprintf(expected, sizeof expected, "%s: %s", b->dir, words);
    assert_string_equal(error, expected);
}

static void
make_part(const struct bench *b, const char *name)
{
    assert_int_equal(mkdir(bench_path(b, name), 0750), 0);
}

static void
test_home_makes_what_is_not_there(void **state)
{
    struct bench *b = *state;

    rmdir(b->dir);
    int fd = home_of(b);
    assert_true(fd >= 0);
    assert_true(bench_file_is_there(b, HOME_LOCK));
    assert_true(bench_file_is_there(b, "stores"));
    assert_true(bench_file_is_there(b, "txn"));
    assert_true(bench_file_is_there(b, "wal"));
    close(fd);
    close(home_of(b));
}

static void
test_home_is_served_by_one_process_at_a_time(void **state)
{
    struct bench *b = *state;
    char words[100];
    int fd = home_of(b);

    snprintf(words, sizeof words, "is in use by process %ld", (long)getpid());
    assert_refused(b, words);
    close(fd);
    fd = home_of(b);
    assert_true(fd >= 0);
    close(fd);
}

static void
test_home_of_another_program_is_refused_and_left_alone(void **state)
{
    struct bench *b = *state;

    bench_write_file(b, "thesis.txt", "");
    assert_refused(b, "is not a data directory of keyvald: it has thesis.txt and no "
                      "catalog.db");
    assert_false(bench_file_is_there(b, HOME_LOCK));
    assert_false(bench_file_is_there(b, "stores"));
    unlink(bench_path(b, "thesis.txt"));
    close(home_of(b));
}

/* What Berkeley DB leaves when its process dies while it makes the catalog. */
static void
test_home_with_a_catalog_that_was_only_begun_is_new(void **state)
{
    struct bench *b = *state;

    bench_write_file(b, "__db.80000001.34044486", "");
    close(home_of(b));
}

static void
test_home_with_stores_and_without_a_catalog_is_damaged(void **state)
{
    struct bench *b = *state;

    make_part(b, "stores");
    bench_write_file(b, "stores/shop.1.db", "");
    assert_refused(b, "is damaged: it has stores/shop.1.db and no catalog.db");
}

static void
test_home_without_the_log_of_its_tables_is_damaged(void **state)
{
    struct bench *b = *state;

    bench_write_file(b, "catalog.db", "");
    assert_refused(b, "is damaged: it has catalog.db and nothing in txn");
    make_part(b, "txn");
    assert_refused(b, "is damaged: it has catalog.db and nothing in txn");
    bench_write_file(b, "txn/log.0000000001", "");
    close(home_of(b));
}

static void
test_home_says_why_it_cannot_be_made_or_opened(void **state)
{
    struct bench *b = *state;
    char error[STORAGE_ERROR_MAX];

    assert_int_equal(home_open(bench_path(b, "no/where"), error, sizeof error), -1);
    assert_non_null(strstr(error, "/no/where: cannot be made: No such file"));
    bench_write_file(b, "file", "");
    assert_int_equal(home_open(bench_path(b, "file"), error, sizeof error), -1);
    assert_non_null(strstr(error, "/file: cannot be opened: Not a directory"));
}

static void
test_home_stays_within_a_small_error(void **state)
{
    struct bench *b = *state;
    char error[9] = "........";

    bench_write_file(b, "thesis.txt", "");
    assert_int_equal(home_open(b->dir, error, sizeof error - 1), -1);
    assert_int_equal(strlen(error), sizeof error - 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_home_makes_what_is_not_there),
        BENCH_TEST(test_home_is_served_by_one_process_at_a_time),
        BENCH_TEST(test_home_of_another_program_is_refused_and_left_alone),
        BENCH_TEST(test_home_with_a_catalog_that_was_only_begun_is_new),
        BENCH_TEST(test_home_with_stores_and_without_a_catalog_is_damaged),
        BENCH_TEST(test_home_without_the_log_of_its_tables_is_damaged),
        BENCH_TEST(test_home_says_why_it_cannot_be_made_or_opened),
        BENCH_TEST(test_home_stays_within_a_small_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
