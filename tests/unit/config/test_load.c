/* test_load: directives from files and from the command line. */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/load_priv.h"

#include "base/version.h"
#include "lib/config_print.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/config/fixture.h"

#define ARGUMENTS_MAX 16
#define TITLE         "*** FATAL CONFIG FILE ERROR (keyvald " KEYVALD_VERSION ") ***\n"

/* The arguments of an array of C strings that ends in NULL. */
static int
load_arguments(struct fixture *f, const char *const *texts)
{
    char *argv[ARGUMENTS_MAX];
    int argc = 0;

    for (; texts[argc] != NULL; argc++)
        argv[argc] = (char *)texts[argc];
    return config_arguments(f->c, argc, argv, f->error);
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
assert_line_refused(struct fixture *f, const char *text, int number, const char *line,
                    const char *reason)
{
    char expected[2 * CONFIG_ERROR_MAX];

    assert_int_equal(fixture_load(f, text), -1);
    snprintf(expected, sizeof(expected),
             TITLE "Reading the configuration file %s, at line %d\n>>> '%s'\n%s", f->path,
             number, line, reason);
    assert_string_equal(f->error, expected);
}

static void
assert_arguments_refused(struct fixture *f, const char *const *texts, const char *line,
                         const char *reason)
{
    char expected[2 * CONFIG_ERROR_MAX];

    assert_int_equal(load_arguments(f, texts), -1);
    snprintf(expected, sizeof(expected), TITLE "Reading the command line\n>>> '%s'\n%s",
             line, reason);
    assert_string_equal(f->error, expected);
}

static void
assert_same(const struct config *a, const struct config *b)
{
    struct buf printed_a = {0}, printed_b = {0};

    config_print(a, &printed_a);
    config_print(b, &printed_b);
    assert_int_equal(printed_a.len, printed_b.len);
    assert_memory_equal(printed_a.data, printed_b.data, printed_a.len);
    buf_deinit(&printed_a);
    buf_deinit(&printed_b);
}

static void
test_a_file_sets_what_it_names_and_leaves_the_rest(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        fixture_load(f, "# a comment\n\n\f \v\n\tPort 7000\r\nbind 127.0.0.1  ::1\n"
                        " logfile \"my log\"\nmaxmemory 1gb"),
        0);
    assert_int_equal(f->c->port, 7000);
    assert_string_equal(f->c->bind, "127.0.0.1 ::1");
    assert_string_equal(f->c->logfile, "my log");
    assert_int_equal(f->c->maxmemory, 1 << 30);
    assert_int_equal(f->c->timeout, 0);
}

static void
test_the_last_line_of_a_name_wins(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_load(f, "port 1\nport 2\n"), 0);
    assert_int_equal(f->c->port, 2);
}

static void
test_a_file_is_remembered_by_its_absolute_path(void **state)
{
    struct fixture *f = *state;
    char *absolute = realpath(f->path, NULL);

    assert_int_equal(fixture_load(f, ""), 0);
    assert_string_equal(f->c->file, absolute);
    free(absolute);
}

static void
test_a_list_may_be_empty_or_hold_the_empty_word(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_load(f, "refused-store-names\n"), 0);
    assert_string_equal(f->c->refused_store_names, "");
    assert_int_equal(fixture_load(f, "refused-store-names \"\"\n"), 0);
    assert_string_equal(f->c->refused_store_names, "\"\"");
}

static void
test_an_error_names_file_line_and_reason(void **state)
{
    struct fixture *f = *state;
    const char *const no_int = "argument couldn't be parsed into an integer";

    assert_line_refused(f, "port 1\n\n  port abc \nport 2\n", 3, "port abc", no_int);
    assert_line_refused(f, "port\n", 1, "port", "wrong number of arguments");
    assert_line_refused(f, "port 1 2\n", 1, "port 1 2", "wrong number of arguments");
    assert_line_refused(f, "port 65536", 1, "port 65536",
                        "argument must be between 0 and 65535 inclusive");
    assert_line_refused(f, "dir \"\"", 1, "dir \"\"",
                        "argument must be 1 to 4096 bytes long");
    assert_line_refused(f, "dir \"\\x00\"", 1, "dir \"\\x00\"",
                        "argument must not contain a zero byte");
    assert_line_refused(f, "dir \"x", 1, "dir \"x",
                        "Unbalanced quotes in configuration line, or more than 64 words");
}

static void
test_a_directive_of_redis_that_keyvald_has_not_is_named(void **state)
{
    assert_line_refused(*state, "dbfilename x\n", 1, "dbfilename x",
                        "Bad directive or wrong number of arguments: keyvald has no "
                        "directive 'dbfilename'");
    assert_line_refused(
        *state, "include x.conf\n", 1, "include x.conf",
        "Bad directive or wrong number of arguments: keyvald has no directive 'include'");
    assert_line_refused(
        *state, "\"\"\n", 1, "\"\"",
        "Bad directive or wrong number of arguments: keyvald has no directive ''");
}

static void
test_a_zero_byte_in_a_file_is_an_error_and_not_the_end_of_a_line(void **state)
{
    struct fixture *f = *state;

    fixture_write(f, "port 1\nport 2\0 3\n", 17);
    assert_int_equal(config_load(f->c, f->path, f->error), -1);
    assert_non_null(strstr(f->error, "at line 2\n"));
    assert_non_null(strstr(f->error, "a zero byte in configuration line"));
}

static void
test_a_line_of_too_many_words_is_refused(void **state)
{
    struct fixture *f = *state;
    struct buf line = {0};

    buf_printf(&line, "bind");
    for (int i = 1; i < CONFIG_LINE_ARGS; i++)
        buf_printf(&line, " a");
    assert_int_equal(load_text(f->c, buf_bytes(&line), "x", f->error), 0);
    buf_printf(&line, " a");
    assert_int_equal(load_text(f->c, buf_bytes(&line), "x", f->error), -1);
    buf_deinit(&line);
}

static void
test_an_error_about_a_long_line_still_has_its_reason(void **state)
{
    struct fixture *f = *state;
    char line[4096], path[4096];

    memset(line, 'x', sizeof(line));
    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(load_text(f->c, bytes_of(line, sizeof(line)), path, f->error), -1);
    assert_true(strlen(f->error) < CONFIG_ERROR_MAX - 1);
    assert_non_null(strstr(f->error, "ppp, at line 1\n>>> 'xxx"));
    assert_non_null(strstr(f->error, "xxx...'\nBad directive"));
}

static void
test_a_file_that_cannot_be_read_is_an_error(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(config_load(f->c, "/nonexistent/x.conf", f->error), -1);
    assert_string_equal(f->error,
                        "Fatal error, can't open config file '/nonexistent/x.conf': "
                        "No such file or directory");
    assert_int_equal(config_load(f->c, "/", f->error), -1);
    assert_string_equal(f->error,
                        "Fatal error, can't open config file '/': Is a directory");
}

static void
test_a_file_that_is_too_large_is_an_error(void **state)
{
    struct fixture *f = *state;
    char *blanks = malloc(CONFIG_FILE_MAX + 1);

    memset(blanks, '\n', CONFIG_FILE_MAX + 1);
    fixture_write(f, blanks, CONFIG_FILE_MAX);
    assert_int_equal(config_load(f->c, f->path, f->error), 0);
    fixture_write(f, blanks, CONFIG_FILE_MAX + 1);
    assert_int_equal(config_load(f->c, f->path, f->error), -1);
    assert_non_null(strstr(f->error, "File too large"));
    free(blanks);
}

static void
test_the_command_line_wins_over_its_file(void **state)
{
    struct fixture *f = *state;

    fixture_write(f, "port 1\ntimeout 9\n", 17);
    assert_int_equal(
        load_arguments(f, ARGUMENTS(f->path, "--port", "7000", "--bind", "a", "b c")), 0);
    assert_int_equal(f->c->port, 7000);
    assert_int_equal(f->c->timeout, 9);
    assert_string_equal(f->c->bind, "a \"b c\"");
}

static void
test_a_command_line_needs_no_file(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(config_arguments(f->c, 0, NULL, f->error), 0);
    assert_int_equal(load_arguments(f, ARGUMENTS("--PORT", "0", "--timeout 5")), 0);
    assert_int_equal(f->c->port, 0);
    assert_int_equal(f->c->timeout, 5);
    assert_string_equal(f->c->file, "");
}

static void
test_the_first_word_of_a_name_may_look_like_a_name(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(load_arguments(f, ARGUMENTS("--logfile", "--x", "--port", "1")), 0);
    assert_string_equal(f->c->logfile, "--x");
    assert_int_equal(f->c->port, 1);
}

static void
test_an_error_on_the_command_line_shows_its_directive(void **state)
{
    struct fixture *f = *state;

    assert_arguments_refused(f, ARGUMENTS("--port", "a b"), "port \"a b\"",
                             "argument couldn't be parsed into an integer");
    assert_arguments_refused(f, ARGUMENTS("--port"), "port", "wrong number of arguments");
    assert_arguments_refused(f, ARGUMENTS("--port", "1", "2"), "port 1 2",
                             "wrong number of arguments");
    assert_arguments_refused(
        f, ARGUMENTS("--port", "1", "--foo", "x"), "foo x",
        "Bad directive or wrong number of arguments: keyvald has no directive 'foo'");
    assert_arguments_refused(
        f, ARGUMENTS("-x"), "-x",
        "Bad directive or wrong number of arguments: keyvald has no directive '-x'");
}

static void
test_standard_input_is_refused_as_a_file(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(load_arguments(f, ARGUMENTS("-")), -1);
    assert_string_equal(
        f->error,
        "Fatal error, the configuration is not read from standard input: name a file");
}

static void
test_what_is_printed_loads_to_the_same(void **state)
{
    struct fixture *f = *state;
    struct config *again = config_new();
    struct buf printed = {0};

    assert_int_equal(
        fixture_load(f, "bind a 'b c'\nlogfile \"\\n\\\"\"\nrefused-store-names\n"
                        "appendfsync no\nloglevel debug\nmaxmemory 3g\n"),
        0);
    config_print(f->c, &printed);
    assert_int_equal(load_text(again, buf_bytes(&printed), "printed", f->error), 0);
    assert_same(f->c, again);
    buf_deinit(&printed);
    config_free(again);
}

/* conf/keyvald.conf is documentation: it must have every directive, in the order of
 * options.def, with its default. */
static void
test_the_example_file_has_every_directive_with_its_default(void **state)
{
    struct fixture *f = *state;
    struct config *defaults = config_new();
    FILE *file = fopen(SOURCE_DIR "/conf/keyvald.conf", "r");
    char line[1024], name[64];
    size_t index = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#' || sscanf(line, "%63s", name) != 1)
            continue;
        assert_non_null(config_option_name(index));
        assert_string_equal(name, config_option_name(index++));
    }
    fclose(file);
    assert_null(config_option_name(index));
    assert_int_equal(config_load(f->c, SOURCE_DIR "/conf/keyvald.conf", f->error), 0);
    assert_same(f->c, defaults);
    config_free(defaults);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_file_sets_what_it_names_and_leaves_the_rest),
        FIXTURE_TEST(test_the_last_line_of_a_name_wins),
        FIXTURE_TEST(test_a_file_is_remembered_by_its_absolute_path),
        FIXTURE_TEST(test_a_list_may_be_empty_or_hold_the_empty_word),
        FIXTURE_TEST(test_an_error_names_file_line_and_reason),
        FIXTURE_TEST(test_a_directive_of_redis_that_keyvald_has_not_is_named),
        FIXTURE_TEST(test_a_zero_byte_in_a_file_is_an_error_and_not_the_end_of_a_line),
        FIXTURE_TEST(test_a_line_of_too_many_words_is_refused),
        FIXTURE_TEST(test_an_error_about_a_long_line_still_has_its_reason),
        FIXTURE_TEST(test_a_file_that_cannot_be_read_is_an_error),
        FIXTURE_TEST(test_a_file_that_is_too_large_is_an_error),
        FIXTURE_TEST(test_the_command_line_wins_over_its_file),
        FIXTURE_TEST(test_a_command_line_needs_no_file),
        FIXTURE_TEST(test_the_first_word_of_a_name_may_look_like_a_name),
        FIXTURE_TEST(test_an_error_on_the_command_line_shows_its_directive),
        FIXTURE_TEST(test_standard_input_is_refused_as_a_file),
        FIXTURE_TEST(test_what_is_printed_loads_to_the_same),
        FIXTURE_TEST(test_the_example_file_has_every_directive_with_its_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
