/* test_config: the defaults, CONFIG GET and CONFIG SET. */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/config.h"

#include "base/log.h"
#include "config/option_priv.h"
#include "lib/config_print.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define PAIRS_MAX 3

struct fixture {
    struct config *c;
    char error[CONFIG_ERROR_MAX];
    struct buf got; /* name=value; of what CONFIG GET visited */
    int asked;      /* how often refuse_all was called */
};

static int
set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.c = config_new()};
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;

    buf_deinit(&f->got);
    config_free(f->c);
    return 0;
}

/* Sets the pairs of an array of C strings that ends in NULL. */
static int
set(struct fixture *f, const char *const *texts, config_changed_fn *changed)
{
    struct bytes pairs[2 * PAIRS_MAX];
    size_t count = 0;

    for (; texts[count] != NULL; count++)
        pairs[count] = bytes_str(texts[count]);
    return config_set(f->c, pairs, count / 2, changed, f, f->error);
}

static void
append_got(void *arg, const char *name, struct bytes value)
{
    struct fixture *f = arg;

    buf_printf(&f->got, "%s=%.*s;", name, (int)value.len, value.data);
}

static void
assert_got(struct fixture *f, const char *const *patterns, const char *expected)
{
    struct bytes asked[PAIRS_MAX];
    size_t count = 0;

    for (; patterns[count] != NULL; count++)
        asked[count] = bytes_str(patterns[count]);
    f->got.len = 0;
    config_get(f->c, asked, count, append_got, f);
    buf_append(&f->got, "", 1);
    assert_string_equal(f->got.data, expected);
}

#define TEXTS(...)                       ((const char *const[]){__VA_ARGS__, NULL})
#define assert_get(f, pattern, expected) assert_got(f, TEXTS(pattern), expected)

static void
assert_set(struct fixture *f, const char *name, const char *value)
{
    if (set(f, TEXTS(name, value), NULL) != 0)
        fail_msg("%s %s: %s", name, value, f->error);
}

static void
assert_refused(struct fixture *f, const char *name, const char *value, const char *reason)
{
    char expected[CONFIG_ERROR_MAX];

    snprintf(expected, sizeof(expected),
             "CONFIG SET failed (possibly related to argument '%s') - %s", name, reason);
    assert_int_equal(set(f, TEXTS(name, value), NULL), -1);
    assert_string_equal(f->error, expected);
}

static void
test_config_has_the_documented_defaults(void **state)
{
    const struct config *c = ((struct fixture *)*state)->c;

    assert_string_equal(c->bind, "127.0.0.1");
    assert_int_equal(c->port, 6379);
    assert_int_equal(c->tcp_backlog, 511);
    assert_int_equal(c->tcp_keepalive, 300);
    assert_int_equal(c->timeout, 0);
    assert_int_equal(c->maxclients, 10000);
    assert_int_equal(c->proto_max_bulk_len, 512 << 20);
    assert_int_equal(c->client_query_buffer_limit, 1 << 30);
    assert_int_equal(c->loglevel, LOG_NOTICE);
    assert_string_equal(c->logfile, "");
    assert_int_equal(c->databases, 16);
    assert_string_equal(c->dir, "./data");
    assert_int_equal(c->appendfsync, APPENDFSYNC_EVERYSEC);
    assert_int_equal(c->maxmemory, 0);
    assert_string_equal(c->refused_store_names, "\"\" NaN undefined null None");
    assert_int_equal(c->hll_sparse_max_bytes, 3000);
    assert_int_equal(c->table_cache, 32 << 20);
    assert_int_equal(c->log_distance, 640 << 20);
    assert_int_equal(c->apply_delay, 5000);
    assert_int_equal(c->max_open_tables, 256);
    assert_int_equal(c->read_threads, 2);
    assert_string_equal(c->file, "");
}

static void
test_config_names_every_directive_once(void **state)
{
    (void)state;
    assert_string_equal(config_option_name(0), "bind");
    assert_null(config_option_name(OPTION_COUNT));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        assert_true(strlen(config_option_name(i)) < OPTION_NAME_MAX);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(config_option_name(i), config_option_name(k));
    }
}

static void
test_get_prints_bytes_as_numbers_and_choices_as_words(void **state)
{
    struct fixture *f = *state;

    assert_get(f, "table-cache", "table-cache=33554432;");
    assert_get(f, "appendfsync", "appendfsync=everysec;");
    assert_get(f, "loglevel", "loglevel=notice;");
    assert_get(f, "logfile", "logfile=;");
    assert_get(f, "refused-store-names",
               "refused-store-names=\"\" NaN undefined null None;");
}

static void
test_get_takes_patterns_in_any_case_and_gives_each_directive_once(void **state)
{
    struct fixture *f = *state;

    assert_get(f, "MAXM*Y", "maxmemory=0;maxmemory-policy=noeviction;");
    assert_get(f, "tcp-[bk]*", "tcp-backlog=511;tcp-keepalive=300;");
    assert_got(f, TEXTS("por?", "port", "dir"), "port=6379;dir=./data;");
    assert_get(f, "nosuch*", "");
    assert_get(f, "", "");
}

static void
test_get_answers_a_plain_name_in_the_clients_spelling(void **state)
{
    struct fixture *f = *state;

    assert_got(f, TEXTS("TimeOut", "timeout"), "TimeOut=0;");
}

static void
test_get_of_everything_has_every_directive(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;
    struct bytes all = bytes_str("*");

    config_get(f->c, &all, 1, append_got, f);
    for (size_t i = 0; i < f->got.len; i++)
        count += f->got.data[i] == ';';
    assert_int_equal(count, OPTION_COUNT);
}

static void
test_set_changes_what_get_answers(void **state)
{
    struct fixture *f = *state;

    assert_set(f, "TIMEOUT", "7");
    assert_get(f, "timeout", "timeout=7;");
    assert_set(f, "appendfsync", "ALWAYS");
    assert_int_equal(f->c->appendfsync, APPENDFSYNC_ALWAYS);
    assert_set(f, "loglevel", "warning");
    assert_int_equal(f->c->loglevel, LOG_WARNING);
}

static void
test_set_reads_units_of_memory_as_redis_does(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = {
        {"1", 1},           {"0b", 0},
        {"1k", 1000},       {"1kb", 1024},
        {"1m", 1000000},    {"1MB", 1 << 20},
        {"1g", 1000000000}, {"1Gb", 1 << 30},
        {"007", 7},         {"", 0},
        {"gb", 0},          {"9223372036854775807", INT64_MAX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_set(f, "maxmemory", cases[i].text);
        assert_true(f->c->maxmemory == cases[i].bytes);
    }
}

static void
test_set_refuses_what_is_no_memory_value(void **state)
{
    static const char *const texts[] = {"1t", "-1", "1.5g", " 1g", "1 g", "1kbb", "x"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_refused(*state, "maxmemory", texts[i], "argument must be a memory value");
}

static void
test_set_refuses_with_redis_words(void **state)
{
    struct fixture *f = *state;
    const char *const no_int = "argument couldn't be parsed into an integer";

    assert_refused(f, "timeout", "x", no_int);
    assert_refused(f, "timeout", "", no_int);
    assert_refused(f, "timeout", " 5", no_int);
    assert_refused(f, "timeout", "05", no_int);
    assert_refused(f, "timeout", "+5", no_int);
    assert_refused(f, "timeout", "-1",
                   "argument must be between 0 and 2147483647 inclusive");
    assert_refused(f, "maxclients", "0",
                   "argument must be between 1 and 4294967295 inclusive");
    assert_refused(f, "proto-max-bulk-len", "1",
                   "argument must be between 1048576 and 9223372036854775807 inclusive");
    assert_refused(
        f, "loglevel", "foo",
        "argument(s) must be one of the following: debug, verbose, notice, warning");
    assert_refused(f, "appendfsync", "",
                   "argument(s) must be one of the following: everysec, always, no");
    assert_refused(f, "databases", "3", "can't set immutable config");
    assert_refused(f, "PORT", "3", "can't set immutable config");
}

static void
test_set_of_more_than_fits_is_refused_not_wrapped(void **state)
{
    assert_refused(*state, "log-distance", "99999999999999999999",
                   "argument must be between 1048576 and 2147483648 inclusive");
    assert_refused(*state, "log-distance", "2147483649",
                   "argument must be between 1048576 and 2147483648 inclusive");
    assert_refused(*state, "log-distance", "9999999999999999gb",
                   "argument must be between 1048576 and 2147483648 inclusive");
}

static void
test_set_refuses_an_unknown_name(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(set(f, TEXTS("timeout", "5", "foo", "bar", "foo", "baz"), NULL), -1);
    assert_string_equal(f->error,
                        "Unknown option or number of arguments for CONFIG SET - 'foo'");
    assert_get(f, "timeout", "timeout=0;");
}

static void
test_set_refuses_an_endless_name_within_the_bounds_of_the_error(void **state)
{
    struct fixture *f = *state;
    static char name[4096];
    struct bytes pair[2] = {{name, sizeof(name)}, {"x", 1}};

    memset(name, 'a', sizeof(name));
    assert_int_equal(config_set(f->c, pair, 1, NULL, NULL, f->error), -1);
    assert_int_equal(strlen(f->error), CONFIG_ERROR_MAX - 1);
}

static void
test_set_refuses_a_name_given_twice(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(set(f, TEXTS("timeout", "1", "TIMEOUT", "2"), NULL), -1);
    assert_string_equal(f->error,
                        "CONFIG SET failed (possibly related to argument 'TIMEOUT') "
                        "- duplicate parameter");
    assert_get(f, "timeout", "timeout=0;");
}

static void
test_set_carries_out_all_pairs_or_none(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        set(f, TEXTS("refused-store-names", "a", "timeout", "5", "loglevel", "x"), NULL),
        -1);
    assert_get(f, "timeout", "timeout=0;");
    assert_get(f, "refused-store-names",
               "refused-store-names=\"\" NaN undefined null None;");
    assert_int_equal(set(f, TEXTS("timeout", "5", "loglevel", "debug"), NULL), 0);
    assert_got(f, TEXTS("timeout", "loglevel"), "timeout=5;loglevel=debug;");
}

/* Sees the new values, and will not have them. */
static int
refuse_all(void *arg, const struct config *c, char error[CONFIG_ERROR_MAX])
{
    struct fixture *f = arg;

    f->asked++;
    assert_int_equal(c->timeout, 5);
    assert_string_equal(c->refused_store_names, "a");
    snprintf(error, CONFIG_ERROR_MAX, "not today");
    return -1;
}

static void
test_set_takes_everything_back_when_the_change_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        set(f, TEXTS("timeout", "5", "refused-store-names", "a"), refuse_all), -1);
    assert_int_equal(f->asked, 1);
    assert_string_equal(f->error, "not today");
    assert_get(f, "timeout", "timeout=0;");
    assert_get(f, "refused-store-names",
               "refused-store-names=\"\" NaN undefined null None;");
}

static void
test_set_takes_yes_and_no(void **state)
{
    struct fixture *f = *state;

    assert_set(f, "latency-tracking", "NO");
    assert_get(f, "latency-tracking", "latency-tracking=no;");
    assert_set(f, "latency-tracking", "yes");
    assert_get(f, "latency-tracking", "latency-tracking=yes;");
    assert_refused(f, "latency-tracking", "1", "argument must be 'yes' or 'no'");
}

static void
test_set_takes_of_what_is_settled_only_that(void **state)
{
    struct fixture *f = *state;

    assert_set(f, "maxmemory-policy", "noeviction");
    assert_refused(f, "maxmemory-policy", "allkeys-lru",
                   "argument(s) must be one of the following: noeviction");
    assert_set(f, "appendonly", "yes");
    assert_refused(f, "appendonly", "no", "argument(s) must be one of the following: yes");
    assert_set(f, "protected-mode", "no");
    assert_refused(f, "protected-mode", "yes",
                   "argument(s) must be one of the following: no");
    assert_set(f, "save", "");
    assert_refused(f, "save", "900 1", "argument must be empty");
}

static void
test_dir_is_told_from_the_root_once_it_is_there(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/keyvald-config-XXXXXX", wanted[64];

    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    config_resolve_dir(f->c);
    assert_get(f, "dir", "dir=./data;");
    assert_int_equal(mkdir("data", 0700), 0);
    config_resolve_dir(f->c);
    snprintf(wanted, sizeof wanted, "dir=%s/data;", path);
    assert_get(f, "dir", wanted);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(f->c->dir), 0);
    assert_int_equal(rmdir(path), 0);
}

static void
test_set_takes_percentiles(void **state)
{
    struct fixture *f = *state;
    const char *name = "latency-tracking-info-percentiles";

    assert_get(f, name, "latency-tracking-info-percentiles=50 99 99.9;");
    assert_set(f, name, "0 50.50 33.3333333 1e2");
    assert_get(f, name, "latency-tracking-info-percentiles=0 50.5 33.333333 100;");
    assert_set(f, name, "");
    assert_get(f, name, "latency-tracking-info-percentiles=;");
    assert_refused(f, name, "50 x",
                   "Invalid latency-tracking-info-percentiles parameters");
    assert_refused(f, name, "nan", "Invalid latency-tracking-info-percentiles parameters");
    assert_refused(f, name, "100.1",
                   "latency-tracking-info-percentiles parameters should sit between "
                   "[0.0,100.0]");
}

static void
test_set_does_not_ask_about_values_that_are_wrong(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(set(f, TEXTS("timeout", "x"), refuse_all), -1);
    assert_int_equal(f->asked, 0);
}

static void
test_set_keeps_a_list_as_words_that_can_be_set_again(void **state)
{
    struct fixture *f = *state;

    assert_set(f, "refused-store-names", "  a 'b c'\t\"\" \"\\x00\\\"\" caf\xc3\xa9 ");
    assert_string_equal(f->c->refused_store_names,
                        "a \"b c\" \"\" \"\\x00\\\"\" caf\xc3\xa9");
    assert_set(f, "refused-store-names", f->c->refused_store_names);
    assert_string_equal(f->c->refused_store_names,
                        "a \"b c\" \"\" \"\\x00\\\"\" caf\xc3\xa9");
    assert_set(f, "refused-store-names", "");
    assert_string_equal(f->c->refused_store_names, "");
    assert_refused(f, "refused-store-names", "\"a",
                   "unbalanced quotes, or more than 63 words");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_config_has_the_documented_defaults),
        TEST(test_config_names_every_directive_once),
        TEST(test_get_prints_bytes_as_numbers_and_choices_as_words),
        TEST(test_get_takes_patterns_in_any_case_and_gives_each_directive_once),
        TEST(test_get_answers_a_plain_name_in_the_clients_spelling),
        TEST(test_get_of_everything_has_every_directive),
        TEST(test_set_changes_what_get_answers),
        TEST(test_set_reads_units_of_memory_as_redis_does),
        TEST(test_set_refuses_what_is_no_memory_value),
        TEST(test_set_refuses_with_redis_words),
        TEST(test_set_of_more_than_fits_is_refused_not_wrapped),
        TEST(test_set_refuses_an_unknown_name),
        TEST(test_set_refuses_an_endless_name_within_the_bounds_of_the_error),
        TEST(test_set_refuses_a_name_given_twice),
        TEST(test_set_carries_out_all_pairs_or_none),
        TEST(test_set_takes_everything_back_when_the_change_is_refused),
        TEST(test_set_takes_yes_and_no),
        TEST(test_set_takes_of_what_is_settled_only_that),
        TEST(test_dir_is_told_from_the_root_once_it_is_there),
        TEST(test_set_takes_percentiles),
        TEST(test_set_does_not_ask_about_values_that_are_wrong),
        TEST(test_set_keeps_a_list_as_words_that_can_be_set_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
