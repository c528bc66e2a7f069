/*
 * crash_stores: more than fits. Five thousand stores where 1,024 files may be open; a
 * data set ten times as large as maxmemory, which answers every command as if it were all
 * in memory, before and after the server was killed.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "lib/daemon.h"
#include "lib/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define STORES     5000
#define OPEN_FILES 1024
#define KEYS       20000
#define VALUE_LEN  1000
#define MAXMEMORY  "2mb"
#define MEMORY_MAX (8 * 1024 * 1024) /* that the server may say it uses */
#define QUESTIONS  20000
#define TEXT       256

/* Sends what is in out and checks that these answers come. */
static void
assert_answers(struct client *c, struct buf *out, const struct buf *expected)
{
    char *in = xmalloc(expected->len + 1);
    size_t have = 0;

    assert_int_equal(client_send(c, buf_bytes(out)), 0);
    while (have < expected->len) {
        size_t got = client_receive(c, in + have, expected->len - have);
        assert_true(got > 0);
        have += got;
    }
    if (memcmp(in, expected->data, have) != 0)
        fail_msg("awaited %.*s, received %.*s", (int)have, expected->data, (int)have, in);
    free(in);
}

static void
assert_asks(struct client *c, const char *answer, const char *format, ...)
{
    char line[TEXT];
    va_list rest;

    va_start(rest, format);
    vsnprintf(line, sizeof line, format, rest);
    va_end(rest);
    const char *said = client_ask(c, line);
    if (strcmp(said, answer) != 0)
        fail_msg("%s: awaited %.200s, received %.200s", line, answer, said);
}

/* --- stores --- */

static void
write_stores(struct daemon *d)
{
    struct client *c = daemon_client(d);
    struct buf out = {0}, expected = {0};

    for (int i = 0; i < STORES; i++) {
        out.len = expected.len = 0;
        buf_printf(&out, "SELECT store/%d\r\nSET k %d\r\n", i, i);
        buf_printf(&expected, "+OK\r\n+OK\r\n");
        assert_answers(c, &out, &expected);
    }
    buf_deinit(&out);
    buf_deinit(&expected);
    client_close(c);
}

static void
assert_stores_are_there(struct daemon *d)
{
    struct client *c = daemon_client(d);
    char number[TEXT];

    for (int i = 0; i < STORES; i++) {
        snprintf(number, sizeof number, "\"%d\"", i);
        assert_asks(c, "OK", "SELECT store/%d", i);
        assert_asks(c, number, "GET k");
        assert_asks(c, "(integer) 1", "DBSIZE");
    }
    client_close(c);
}

static void
test_five_thousand_stores_need_no_more_files_than_allowed(void **state)
{
    struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);

    (void)state;
    daemon_set_open_files(d, OPEN_FILES);
    daemon_start(d);
    write_stores(d);
    assert_stores_are_there(d);
    daemon_kill(d);
    daemon_start(d);
    assert_stores_are_there(d);
    assert_int_equal(daemon_stop(d), 0);
    daemon_start(d);
    assert_stores_are_there(d);
    daemon_free(d);
}

/* --- ten times maxmemory --- */

/* What a key holds: length times the letter, or a number. */
struct known {
    bool present;
    bool is_number;
    bool has_deadline;
    char letter;
    size_t len;
    long number;
};

struct data {
    struct daemon *daemon;
    struct client *client;
    struct known *keys;
    int count;
    uint64_t random;
    char *text; /* of a value as redis-cli prints it */
};

/* The value, in quotes, or "(nil)". Borrowed until the next call. */
static const char *
printed(struct data *d, const struct known *k)
{
    if (!k->present)
        return "(nil)";
    if (k->is_number) {
        snprintf(d->text, TEXT, "\"%ld\"", k->number);
        return d->text;
    }
    d->text[0] = '"';
    memset(d->text + 1, k->letter, k->len);
    strcpy(d->text + 1 + k->len, "\"");
    return d->text;
}

static const char *
integer(struct data *d, long number)
{
    snprintf(d->text, TEXT, "(integer) %ld", number);
    return d->text;
}

static void
fill(struct data *d)
{
    struct buf out = {0}, expected = {0};

    for (int i = 0; i < KEYS; i++) {
        struct known *k = &d->keys[i];
        *k = (struct known){
            .present = true, .letter = (char)('a' + i % 26), .len = VALUE_LEN};
        out.len = expected.len = 0;
        buf_printf(&out, "*3\r\n$3\r\nSET\r\n$8\r\nk%07d\r\n$%d\r\n", i, VALUE_LEN);
        memset(buf_reserve(&out, VALUE_LEN), k->letter, VALUE_LEN);
        out.len += VALUE_LEN;
        buf_printf(&out, "\r\n");
        buf_printf(&expected, "+OK\r\n");
        assert_answers(d->client, &out, &expected);
    }
    d->count = KEYS;
    buf_deinit(&out);
    buf_deinit(&expected);
}

static void
ask_get(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, printed(d, k), "GET k%07d", key);
}

static void
ask_strlen(struct data *d, struct known *k, int key)
{
    char number[32];
    int digits = snprintf(number, sizeof number, "%ld", k->number);
    long len = !k->present ? 0 : k->is_number ? digits : (long)k->len;

    assert_asks(d->client, integer(d, len), "STRLEN k%07d", key);
}

static void
ask_exists(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, integer(d, k->present), "EXISTS k%07d", key);
}

static void
ask_type(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, k->present ? "string" : "none", "TYPE k%07d", key);
}

static void
ask_ttl(struct data *d, struct known *k, int key)
{
    const char *said;
    char line[TEXT];

    if (!k->present || !k->has_deadline) {
        assert_asks(d->client, integer(d, k->present ? -1 : -2), "TTL k%07d", key);
        return;
    }
    snprintf(line, sizeof line, "TTL k%07d", key);
    said = client_ask(d->client, line);
    long left = atol(said + strlen("(integer) "));
    assert_true(left > 9000 && left <= 10000);
}

static void
ask_expire(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, integer(d, k->present), "EXPIRE k%07d 10000", key);
    k->has_deadline = k->present;
}

static void
ask_persist(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, integer(d, k->has_deadline), "PERSIST k%07d", key);
    k->has_deadline = false;
}

static void
ask_append(struct data *d, struct known *k, int key)
{
    if (k->is_number)
        return;
    d->count += !k->present;
    if (!k->present)
        *k = (struct known){.present = true, .letter = 'x'};
    k->len += 3;
    assert_asks(d->client, integer(d, (long)k->len), "APPEND k%07d %c%c%c", key,
                k->letter, k->letter, k->letter);
}

static void
ask_incr(struct data *d, struct known *k, int key)
{
    if (k->present && !k->is_number) {
        assert_asks(d->client, "(error) ERR value is not an integer or out of range",
                    "INCR k%07d", key);
        return;
    }
    d->count += !k->present;
    k->present = k->is_number = true;
    assert_asks(d->client, integer(d, ++k->number), "INCR k%07d", key);
}

static void
forget(struct data *d, struct known *k)
{
    d->count -= k->present;
    *k = (struct known){0};
}

static void
ask_del(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, integer(d, k->present), "DEL k%07d", key);
    forget(d, k);
}

static void
ask_getdel(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, printed(d, k), "GETDEL k%07d", key);
    forget(d, k);
}

static void
ask_set_nx(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, k->present ? "(nil)" : "OK", "SET k%07d nn NX", key);
    if (k->present)
        return;
    *k = (struct known){.present = true, .letter = 'n', .len = 2};
    d->count++;
}

static void
ask_set_xx(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, k->present ? "OK" : "(nil)", "SET k%07d mm XX", key);
    if (k->present)
        *k = (struct known){.present = true, .letter = 'm', .len = 2};
}

static void
ask_set_get(struct data *d, struct known *k, int key)
{
    assert_asks(d->client, printed(d, k), "SET k%07d gg GET KEEPTTL", key);
    d->count += !k->present;
    *k = (struct known){
        .present = true, .letter = 'g', .len = 2, .has_deadline = k->has_deadline};
}

static void
ask_mget(struct data *d, struct known *k, int key)
{
    int other = (int)random_below(&d->random, KEYS);
    struct buf expected = {0};

    buf_printf(&expected, "1) %s\n", printed(d, k));
    buf_printf(&expected, "2) %s\n", printed(d, &d->keys[other]));
    buf_printf(&expected, "3) (nil)");
    buf_append(&expected, "", 1);
    assert_asks(d->client, expected.data, "MGET k%07d k%07d nokey", key, other);
    buf_deinit(&expected);
}

static void
ask_multi(struct data *d, struct known *k, int key)
{
    struct buf expected = {0};

    assert_asks(d->client, "OK", "MULTI");
    assert_asks(d->client, "QUEUED", "GET k%07d", key);
    assert_asks(d->client, "QUEUED", "SET k%07d tt", key);
    assert_asks(d->client, "QUEUED", "STRLEN k%07d", key);
    buf_printf(&expected, "1) %s\n2) OK\n3) (integer) 2", printed(d, k));
    buf_append(&expected, "", 1);
    assert_asks(d->client, expected.data, "EXEC");
    buf_deinit(&expected);
    d->count += !k->present;
    *k = (struct known){.present = true, .letter = 't', .len = 2};
}

static void
ask_dbsize(struct data *d, struct known *k, int key)
{
    (void)k;
    (void)key;
    assert_asks(d->client, integer(d, d->count), "DBSIZE");
}

typedef void ask_fn(struct data *d, struct known *k, int key);

static void
ask_questions(struct data *d)
{
    static ask_fn *const questions[] = {
        ask_get,     ask_strlen,  ask_exists, ask_type,  ask_ttl,    ask_expire,
        ask_persist, ask_append,  ask_incr,   ask_del,   ask_getdel, ask_set_nx,
        ask_set_xx,  ask_set_get, ask_mget,   ask_multi, ask_dbsize, ask_get,
    };
    size_t count = sizeof questions / sizeof questions[0];

    for (int i = 0; i < QUESTIONS; i++) {
        int key = (int)random_below(&d->random, KEYS);
        questions[random_below(&d->random, count)](d, &d->keys[key], key);
    }
}

static void
assert_all_is_there(struct data *d)
{
    for (int i = 0; i < KEYS; i++)
        ask_get(d, &d->keys[i], i);
    ask_dbsize(d, NULL, 0);
}

static void
assert_memory_is_bounded(struct data *d)
{
    struct client *c = daemon_client(d->daemon);
    const char *info = client_ask(c, "INFO memory");
    const char *used = strstr(info, "used_memory_dataset:");

    assert_non_null(used);
    assert_true(atol(used + strlen("used_memory_dataset:")) < MEMORY_MAX);
    client_close(c);
}

static void
start_again(struct data *d)
{
    client_close(d->client);
    daemon_start(d->daemon);
    d->client = daemon_client(d->daemon);
}

static void
test_ten_times_maxmemory_answers_as_if_it_were_in_memory(void **state)
{
    struct data d = {.random = 7};

    (void)state;
    d.keys = xcalloc(KEYS, sizeof *d.keys);
    d.text = xmalloc(1024 * 1024);
    d.daemon = daemon_new(DAEMON_KEYVALD, (char *[]){"--maxmemory", MAXMEMORY, NULL});
    daemon_start(d.daemon);
    d.client = daemon_client(d.daemon);
    fill(&d);
    ask_questions(&d);
    assert_memory_is_bounded(&d);
    daemon_kill(d.daemon);
    start_again(&d);
    ask_questions(&d);
    assert_all_is_there(&d);
    assert_memory_is_bounded(&d);
    assert_int_equal(daemon_stop(d.daemon), 0);
    start_again(&d);
    assert_all_is_there(&d);
    client_close(d.client);
    daemon_free(d.daemon);
    free(d.keys);
    free(d.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_thousand_stores_need_no_more_files_than_allowed),
        cmocka_unit_test(test_ten_times_maxmemory_answers_as_if_it_were_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
