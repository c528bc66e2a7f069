/* slowlog: the requests that took long. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/slowlog.h" /* before cmocka, which has a macro of fail's name */
#include "command/call.h"
#include "command/session_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#define ARGS_MAX 100

/* Who asks, in all of these tests. */
static struct session client = {.peer.address = "10.0.0.7:4711"};

static void
add(struct slowlog *l, int argc, const struct bytes *argv, int64_t usec, int64_t max)
{
    struct call c = {.session = &client, .argc = argc, .argv = argv};

    slowlog_add(l, &c, usec, max);
}

static void
assert_arg(const struct slow_request *r, int i, const char *text)
{
    assert_true(i < r->argc);
    assert_int_equal(r->argv[i].len, strlen(text));
    assert_memory_equal(r->argv[i].data, text, strlen(text));
}

static void
test_slowlog_tells_the_latest_first(void **state)
{
    struct slowlog *l = slowlog_new();
    struct bytes get[] = {bytes_str("get"), bytes_str("k")};

    (void)state;
    add(l, 2, get, 10, 5);
    add(l, 2, get, 20, 5);
    const struct slow_request *r = slowlog_first(l);
    assert_int_equal(r->id, 1);
    assert_int_equal(r->usec, 20);
    assert_int_equal(r->argc, 2);
    assert_arg(r, 0, "get");
    assert_arg(r, 1, "k");
    assert_int_equal(r->next->id, 0);
    assert_null(r->next->next);
    slowlog_free(l);
}

static void
test_slowlog_keeps_the_request_when_its_bytes_are_gone(void **state)
{
    struct slowlog *l = slowlog_new();
    char key[] = "key";
    struct bytes get[] = {bytes_str("get"), bytes_str(key)};

    (void)state;
    add(l, 2, get, 10, 5);
    key[0] = 'x';
    assert_arg(slowlog_first(l), 1, "key");
    slowlog_free(l);
}

static void
test_slowlog_tells_whose_request_it_was_when_the_client_is_gone(void **state)
{
    struct slowlog *l = slowlog_new();
    char name[SLOWLOG_ARG_MAX + 10] = "worker";
    struct session gone = {.peer.address = "[::1]:9", .name = {name, 6, 6}};
    struct bytes ping = bytes_str("ping");
    struct call c = {.session = &gone, .argc = 1, .argv = &ping};

    (void)state;
    slowlog_add(l, &c, 10, 5);
    memset(&gone, 'x', sizeof gone);
    name[0] = 'x';
    assert_true(bytes_eq(slowlog_first(l)->address, bytes_str("[::1]:9")));
    assert_true(bytes_eq(slowlog_first(l)->name, bytes_str("worker")));
    assert_arg(slowlog_first(l), 0, "ping");

    gone = (struct session){.name = {name, sizeof name, sizeof name}};
    slowlog_add(l, &c, 10, 5);
    assert_int_equal(slowlog_first(l)->address.len, 0);
    assert_int_equal(slowlog_first(l)->name.len, SLOWLOG_ARG_MAX);
    slowlog_free(l);
}

static void
test_slowlog_forgets_the_oldest(void **state)
{
    struct slowlog *l = slowlog_new();
    struct bytes ping = bytes_str("ping");

    (void)state;
    for (int i = 0; i < 10; i++)
        add(l, 1, &ping, i, 3);
    assert_int_equal(slowlog_count(l), 3);
    assert_int_equal(slowlog_first(l)->id, 9);
    assert_int_equal(slowlog_first(l)->next->next->id, 7);
    assert_null(slowlog_first(l)->next->next->next);
    add(l, 1, &ping, 10, 0);
    assert_int_equal(slowlog_count(l), 0);
    assert_null(slowlog_first(l));
    slowlog_free(l);
}

static void
test_slowlog_counts_on_after_a_reset(void **state)
{
    struct slowlog *l = slowlog_new();
    struct bytes ping = bytes_str("ping");

    (void)state;
    add(l, 1, &ping, 1, 3);
    slowlog_reset(l);
    assert_int_equal(slowlog_count(l), 0);
    add(l, 1, &ping, 1, 3);
    assert_int_equal(slowlog_first(l)->id, 1);
    slowlog_free(l);
}

static void
test_slowlog_keeps_the_beginning_of_what_is_long(void **state)
{
    struct slowlog *l = slowlog_new();
    char value[200], expected[200];
    struct bytes argv[ARGS_MAX];

    (void)state;
    memset(value, 'x', sizeof value);
    for (int i = 0; i < ARGS_MAX; i++)
        argv[i] = bytes_of(value, (size_t)i + 100);
    add(l, ARGS_MAX, argv, 1, 3);
    const struct slow_request *r = slowlog_first(l);
    assert_int_equal(r->argc, SLOWLOG_ARGS_MAX);
    assert_int_equal(r->argv[28].len, 128);
    snprintf(expected, sizeof expected, "%.128s... (2 more bytes)", value);
    assert_arg(r, 30, expected);
    assert_arg(r, 31, "... (69 more arguments)");
    add(l, SLOWLOG_ARGS_MAX, argv, 1, 3);
    assert_int_equal(slowlog_first(l)->argc, SLOWLOG_ARGS_MAX);
    snprintf(expected, sizeof expected, "%.128s... (3 more bytes)", value);
    assert_arg(slowlog_first(l), 31, expected);
    slowlog_free(l);
}

static void
test_slowlog_tells_no_secrets(void **state)
{
    struct slowlog *l = slowlog_new();
    struct bytes argv[] = {bytes_str("auth"), bytes_str("secret"), bytes_str("open")};
    struct call c = {.session = &client, .argc = 3, .argv = argv};

    (void)state;
    arg_hide(&c, 1);
    arg_hide(&c, 1000);
    slowlog_add(l, &c, 1, 3);
    assert_arg(slowlog_first(l), 0, "auth");
    assert_arg(slowlog_first(l), 1, "(redacted)");
    assert_arg(slowlog_first(l), 2, "open");
    slowlog_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slowlog_tells_the_latest_first),
        cmocka_unit_test(test_slowlog_keeps_the_request_when_its_bytes_are_gone),
        cmocka_unit_test(test_slowlog_tells_whose_request_it_was_when_the_client_is_gone),
        cmocka_unit_test(test_slowlog_forgets_the_oldest),
        cmocka_unit_test(test_slowlog_counts_on_after_a_reset),
        cmocka_unit_test(test_slowlog_keeps_the_beginning_of_what_is_long),
        cmocka_unit_test(test_slowlog_tells_no_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
