/* filename: a store's file, named after it and safe. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/filename.h"

static void
assert_makes(const char *store, uint64_t generation, const char *expected)
{
    char file[FILENAME_MAX_LEN];

    filename_make(bytes_str(store), generation, file);
    assert_string_equal(file, expected);
}

static void
test_filename_shows_the_name_of_its_store(void **state)
{
    (void)state;
    assert_makes("shop", 7, "stores/shop.7.db");
    assert_makes("0", 1, "stores/0.1.db");
    assert_makes("My-shop_2", UINT64_MAX, "stores/My-shop_2.18446744073709551615.db");
}

static void
test_filename_writes_what_is_not_plain_in_hexadecimal(void **state)
{
    (void)state;
    assert_makes("../../etc/passwd", 1, "stores/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd.1.db");
    assert_makes("a b%", 2, "stores/a%20b%25.2.db");
    assert_makes("caf\xc3\xa9", 3, "stores/caf%C3%A9.3.db");
    assert_makes("", 4, "stores/.4.db");
}

/* Every name of one byte, repeated so often that it has to be cut. */
static void
test_filename_fits_and_is_a_table_whatever_the_name(void **state)
{
    (void)state;
    char file[FILENAME_MAX_LEN], name[3 * FILENAME_MAX_LEN];

    for (int byte = 0; byte <= UINT8_MAX; byte++) {
        memset(name, byte, sizeof name);
        for (size_t len = 0; len <= sizeof name; len += 1 + len / 8) {
            filename_make(bytes_of(name, len), UINT64_MAX, file);
            assert_true(strlen(file) < FILENAME_MAX_LEN);
            assert_memory_equal(file, FILENAME_DIR "/", sizeof FILENAME_DIR);
            assert_null(strchr(file + sizeof FILENAME_DIR, '/'));
            assert_null(strstr(file, ".."));
            assert_true(filename_is_table(file + sizeof FILENAME_DIR));
        }
    }
}

static void
test_filename_of_long_names_differs_by_its_generation(void **state)
{
    (void)state;
    char name[1000], one[FILENAME_MAX_LEN], two[FILENAME_MAX_LEN];

    memset(name, 'n', sizeof name);
    filename_make(bytes_of(name, sizeof name), 1, one);
    filename_make(bytes_of(name, sizeof name), 2, two);
    assert_string_not_equal(one, two);
}

static void
test_filename_knows_what_is_no_table(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",      ".",        "..",      ".db",    "a.db",    "1.db",       "a..db",
        "a1.db", "a.1.dbx",  "a.1.DB",  "a.x.db", "a.1x.db", "a.-1.db",    "a.1.db ",
        "LOCK",  "notes.db", "catalog", "1",      "a.1",     "__db.a.1.d", "a.1.db.bak",
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(filename_is_table(others[i]));
    assert_true(filename_is_table("a.1.db"));
    assert_true(filename_is_table(".1.db"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filename_shows_the_name_of_its_store),
        cmocka_unit_test(test_filename_writes_what_is_not_plain_in_hexadecimal),
        cmocka_unit_test(test_filename_fits_and_is_a_table_whatever_the_name),
        cmocka_unit_test(test_filename_of_long_names_differs_by_its_generation),
        cmocka_unit_test(test_filename_knows_what_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
