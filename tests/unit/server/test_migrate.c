/*
 * MIGRATE between servers: keyvald to keyvald, to redis-server and from it; and to a server
 * that this test plays itself, which says and does what no real one would.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "lib/daemon.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define LINE_MAX_BYTES 512
#define MANY           3000 /* keys; together they are over MIGRATION_AHEAD */
#define CROWD          40   /* migrations at once, more than PEERS_MAX */

#define RESTORE_K                                                                        \
    "*4\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n0\r\n"                                      \
    "$13\r\n\x00\x01v\n\x00\x91\x08\xce\xb2\x19\x38\x8a\xce\r\n"
#define RESTORE_L                                                                        \
    "*4\r\n$7\r\nRESTORE\r\n$1\r\nl\r\n$1\r\n0\r\n"                                      \
    "$13\r\n\x00\x01v\n\x00\x91\x08\xce\xb2\x19\x38\x8a\xce\r\n"
#define SELECT_0 "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"

/* --- two servers --- */

struct direction {
    enum daemon_kind from, to;
};

struct pair {
    struct daemon *from, *to;
    struct client *here, *there;
    int port; /* of there */
};

/* For cmocka: two servers of the kinds that its initial state names. */
static int
pair_set_up(void **state)
{
    static struct pair pair;
    const struct direction *d = *state;

    pair =
        (struct pair){.from = daemon_new(d->from, NULL), .to = daemon_new(d->to, NULL)};
    *state = &pair;
    daemon_start(pair.from);
    daemon_start(pair.to);
    pair.here = daemon_client(pair.from);
    pair.there = daemon_client(pair.to);
    pair.port = daemon_port(pair.to);
    return 0;
}

static int
pair_tear_down(void **state)
{
    struct pair *p = *state;

    client_close(p->here);
    client_close(p->there);
    daemon_free(p->from);
    daemon_free(p->to);
    return 0;
}

/* Two blanks have an empty word between them. */
static const char *__attribute__((format(printf, 2, 3)))
ask(struct client *c, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    assert_in_range(len, 1, sizeof line - 1);
    return client_ask(c, line);
}

#define assert_asks(client, answer, ...)                                                 \
    assert_string_equal(ask((client), __VA_ARGS__), (answer))

/* The words are those behind the port. */
#define assert_migrates(pair, answer, words)                                             \
    assert_asks((pair)->here, (answer), "MIGRATE 127.0.0.1 %d %s", (pair)->port, (words))

#define THERE_SAYS "(error) ERR Target instance replied with error: "
#define BUSY_KEY   THERE_SAYS "BUSYKEY Target key name already exists."
#define WRONG_PASS                                                                       \
    THERE_SAYS "WRONGPASS invalid username-password pair or user is disabled."
#define CHANGED "ERR A key was changed while it was on its way, so it is still here"

static void
test_a_key_goes_over(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SET k hello");
    assert_migrates(p, "OK", "k 0 10000");
    assert_asks(p->here, "(integer) 0", "EXISTS k");
    assert_asks(p->there, "\"hello\"", "GET k");
    assert_asks(p->there, "(integer) -1", "TTL k");
    assert_migrates(p, "NOKEY", "k 0 10000");
}

static void
test_a_name_is_looked_up(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SET k hello");
    assert_asks(p->here, "OK", "MIGRATE localhost %d k 0 10000", p->port);
    assert_asks(p->there, "\"hello\"", "GET k");
}

static void
test_the_time_to_live_goes_with_it(void **state)
{
    struct pair *p = *state;
    long ms;

    assert_asks(p->here, "OK", "SET k hello PX 1000000");
    assert_migrates(p, "OK", "k 0 10000");
    assert_int_equal(sscanf(ask(p->there, "PTTL k"), "(integer) %ld", &ms), 1);
    assert_in_range(ms, 1000000 - CLIENT_PATIENCE_S * 1000, 1000000);
}

static void
test_copy_leaves_the_key(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SET k hello");
    assert_migrates(p, "OK", "k 0 10000 COPY");
    assert_asks(p->here, "\"hello\"", "GET k");
    assert_asks(p->there, "\"hello\"", "GET k");
}

static void
test_replace_is_needed_for_a_key_that_is_there(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SET k new");
    assert_asks(p->there, "OK", "SET k old");
    assert_migrates(p, BUSY_KEY, "k 0 10000");
    assert_asks(p->here, "\"new\"", "GET k");
    assert_asks(p->there, "\"old\"", "GET k");
    assert_migrates(p, "OK", "k 0 10000 REPLACE");
    assert_asks(p->here, "(integer) 0", "EXISTS k");
    assert_asks(p->there, "\"new\"", "GET k");
}

static void
test_of_several_keys_those_go_that_are_there(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "MSET a 1 b 2 c 3 d 4");
    assert_migrates(p, "OK", " 0 10000 KEYS a no b none c");
    assert_asks(p->here, "1) (nil)\n2) (nil)\n3) (nil)\n4) \"4\"", "MGET a b c d");
    assert_asks(p->there, "1) \"1\"\n2) \"2\"\n3) \"3\"\n4) (nil)", "MGET a b c d");
    assert_asks(p->there, "(integer) 3", "DBSIZE");
}

static void
test_of_several_keys_those_stay_that_are_refused(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "MSET a 1 b 2 c 3");
    assert_asks(p->there, "OK", "SET b old");
    assert_migrates(p, BUSY_KEY, " 0 10000 KEYS a b c");
    assert_asks(p->here, "1) (nil)\n2) \"2\"\n3) (nil)", "MGET a b c");
    assert_asks(p->there, "1) \"1\"\n2) \"old\"\n3) \"3\"", "MGET a b c");
}

static void
test_a_key_may_be_named_twice(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SET k v");
    assert_migrates(p, "OK", " 0 10000 REPLACE KEYS k k");
    assert_asks(p->here, "(integer) 0", "EXISTS k");
    assert_asks(p->there, "\"v\"", "GET k");
}

static void
test_a_key_goes_to_the_store_that_is_named(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SELECT 3");
    assert_asks(p->here, "OK", "SET k v");
    assert_migrates(p, "OK", "k 5 10000");
    assert_asks(p->here, "(integer) 0", "DBSIZE");
    assert_asks(p->there, "(integer) 0", "DBSIZE");
    assert_asks(p->there, "OK", "SELECT 5");
    assert_asks(p->there, "\"v\"", "GET k");
}

static void
test_a_password_is_told(void **state)
{
    struct pair *p = *state;

    assert_asks(p->there, "OK", "CONFIG SET requirepass secret");
    assert_asks(p->here, "OK", "MSET a 1 b 2");
    assert_migrates(p, THERE_SAYS "NOAUTH Authentication required.", "a 0 10000");
    assert_migrates(p, WRONG_PASS, "a 0 10000 AUTH wrong");
    assert_migrates(p, WRONG_PASS, "a 0 10000 AUTH2 nobody secret");
    assert_asks(p->here, "1) \"1\"\n2) \"2\"", "MGET a b");
    assert_migrates(p, "OK", "a 0 10000 AUTH secret");
    assert_migrates(p, "OK", "b 0 10000 AUTH2 default secret");
    assert_asks(p->there, "1) \"1\"\n2) \"2\"", "MGET a b");
}

static void
test_a_password_that_is_not_asked_for_is_an_error(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SET k v");
    assert_migrates(p,
                    THERE_SAYS
                    "ERR AUTH <password> called without any password configured for the "
                    "default user. Are you sure your configuration is correct?",
                    "k 0 10000 AUTH secret");
    assert_asks(p->here, "\"v\"", "GET k");
}

static void
set_many(struct client *c)
{
    struct buf value = {0};
    char key[32];
    struct answer answer;

    for (int i = 0; i < MANY; i++) {
        int len = snprintf(key, sizeof key, "key:%d", i);
        buf_clear(&value, 4096);
        for (int j = 0; j < 100 + i % 200; j++)
            buf_printf(&value, "%x ",
                       (unsigned)(i * 2654435761u + (unsigned)j * j * 40503u));
        struct bytes argv[] = {bytes_str("SET"), bytes_of(key, (size_t)len),
                               buf_bytes(&value)};
        assert_true(client_command(c, argv, 3, &answer));
        answer_deinit(&answer);
    }
    buf_deinit(&value);
}

/* All values as one text. */
static void
dump_many(struct client *c, struct buf *out)
{
    char line[64];

    for (int i = 0; i < MANY; i++) {
        snprintf(line, sizeof line, "GET key:%d", i);
        buf_printf(out, "%s\n", client_ask(c, line));
    }
}

static void
migrate_many(struct pair *p)
{
    struct buf before = {0}, after = {0};
    struct bytes *argv = xcalloc(MANY + 7, sizeof *argv);
    char port[16], (*keys)[16] = xcalloc(MANY, sizeof *keys);
    struct answer answer;

    set_many(p->here);
    dump_many(p->here, &before);
    snprintf(port, sizeof port, "%d", p->port);
    const char *head[] = {"MIGRATE", "127.0.0.1", port, "", "0", "60000", "KEYS"};
    for (int i = 0; i < 7; i++)
        argv[i] = bytes_str(head[i]);
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "key:%d", i);
        argv[7 + i] = bytes_str(keys[i]);
    }
    assert_true(client_command(p->here, argv, MANY + 7, &answer));
    assert_string_equal(answer.text, "OK");
    answer_deinit(&answer);
    dump_many(p->there, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    assert_asks(p->here, "(integer) 0", "DBSIZE");
    buf_deinit(&before);
    buf_deinit(&after);
    free(keys);
    free(argv);
}

static void
test_many_keys_go_over(void **state)
{
    migrate_many(*state);
}

/* --- only from keyvald --- */

/* Redis lets it have the key in store 0, and tells the error. */
static void
test_a_key_stays_whose_store_is_refused(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "SET k v");
    assert_migrates(p, THERE_SAYS "ERR DB index is out of range", "k 99 10000");
    assert_asks(p->here, "\"v\"", "GET k");
    assert_asks(p->there, "(integer) 0", "DBSIZE");
}

static void
test_keys_that_left_memory_go_over(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "CONFIG SET maxmemory 1");
    assert_asks(p->there, "OK", "CONFIG SET maxmemory 1");
    migrate_many(p);
}

static void
test_a_large_value_goes_over(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "(integer) 50000001", "SETRANGE k 50000000 x");
    assert_asks(p->here, "(integer) 50000001", "SETRANGE k 20000000 y");
    assert_migrates(p, "OK", "k 0 60000");
    assert_asks(p->here, "(integer) 0", "EXISTS k");
    assert_asks(p->there, "(integer) 50000001", "STRLEN k");
    assert_asks(p->there, "\"\\x00y\\x00\"", "GETRANGE k 19999999 20000001");
    assert_asks(p->there, "\"\\x00x\"", "GETRANGE k 49999999 50000001");
}

static void
test_a_key_goes_to_another_store_of_the_same_server(void **state)
{
    struct pair *p = *state;

    p->port = daemon_port(p->from);
    assert_asks(p->here, "OK", "SET k v");
    assert_migrates(p, BUSY_KEY, "k 0 10000");
    assert_migrates(p, "OK", "k shop 10000");
    assert_asks(p->here, "(integer) 0", "EXISTS k");
    assert_asks(p->here, "OK", "SELECT shop");
    assert_asks(p->here, "\"v\"", "GET k");
    /* Onto itself: what was sent is not what is there then. */
    assert_migrates(p, "(error) " CHANGED, "k shop 10000 REPLACE");
    assert_asks(p->here, "\"v\"", "GET k");
}

static void
test_what_a_restart_brings_back_is_what_was_left(void **state)
{
    struct pair *p = *state;

    assert_asks(p->here, "OK", "MSET a 1 b 2");
    assert_migrates(p, "OK", "a 0 10000");
    client_close(p->here);
    daemon_kill(p->from);
    daemon_start(p->from);
    p->here = daemon_client(p->from);
    assert_asks(p->here, "1) (nil)\n2) \"2\"", "MGET a b");
}

/* --- a server that is played --- */

struct stage {
    struct daemon *daemon;
    struct client *asker, *other;
    int listener, port;
    int fd; /* of the connection from the daemon */
};

/* For cmocka: a server with "k", of the kind that its initial state names. */
static int
stage_set_up(void **state)
{
    static struct stage s;
    const struct direction *d = *state;
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    s = (struct stage){.daemon = daemon_new(d->from, NULL), .fd = -1};
    *state = &s;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon_start(s.daemon);
    s.asker = daemon_client(s.daemon);
    s.other = daemon_client(s.daemon);
    s.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s.listener, CROWD), 0);
    getsockname(s.listener, (struct sockaddr *)&at, &len);
    s.port = ntohs(at.sin_port);
    assert_asks(s.other, "OK", "SET k v");
    return 0;
}

static void
hang_up(struct stage *s)
{
    close(s->fd);
    s->fd = -1;
}

static int
stage_tear_down(void **state)
{
    struct stage *s = *state;

    client_close(s->asker);
    client_close(s->other);
    if (s->fd >= 0)
        hang_up(s);
    close(s->listener);
    daemon_free(s->daemon);
    return 0;
}

static void
take_connection(struct stage *s)
{
    struct timeval patience = {.tv_sec = CLIENT_PATIENCE_S};

    s->fd = accept(s->listener, NULL, NULL);
    assert_true(s->fd >= 0);
    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void
assert_hears_bytes(int fd, const char *text, size_t len)
{
    char *got = xcalloc(1, len);

    assert_int_equal(recv(fd, got, len, MSG_WAITALL), len);
    assert_memory_equal(got, text, len);
    free(got);
}

/* The text may have NULs in it. */
#define assert_hears(fd, text) assert_hears_bytes((fd), (text), sizeof(text) - 1)

static void
assert_hears_the_end(int fd)
{
    char byte;

    assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static void
say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
ask_for(struct stage *s, struct client *asker, const char *words)
{
    char line[LINE_MAX_BYTES];

    snprintf(line, sizeof line, "MIGRATE 127.0.0.1 %d %s\r\n", s->port, words);
    assert_int_equal(client_send(asker, bytes_str(line)), 0);
}

static void
begin(struct stage *s, const char *words)
{
    ask_for(s, s->asker, words);
    take_connection(s);
}

static void
assert_answered(struct client *c, const char *text)
{
    struct answer answer;

    assert_true(client_answer(c, &answer));
    assert_string_equal(answer.text, text);
    answer_deinit(&answer);
}

/* "k" has come, and is not acknowledged yet. */
static void
let_k_come(struct stage *s)
{
    assert_hears(s->fd, SELECT_0);
    say(s->fd, "+OK\r\n");
    assert_hears(s->fd, RESTORE_K);
}

static void
begin_with_k_and_l(struct stage *s)
{
    assert_asks(s->other, "OK", "SET l v");
    begin(s, "\"\" 0 1000000 KEYS k l");
    assert_hears(s->fd, SELECT_0);
    say(s->fd, "+OK\r\n");
    assert_hears(s->fd, RESTORE_K RESTORE_L);
}

/* A migration of "k", on a connection that is there. */
static void
play_along(struct stage *s, struct client *asker)
{
    let_k_come(s);
    say(s->fd, "+OK\r\n");
    assert_answered(asker, "OK");
}

#define READING "IOERR error or timeout reading to target instance"

static void
assert_given_up(struct stage *s)
{
    assert_answered(s->asker, READING);
    assert_asks(s->other, "\"v\"", "GET k");
}

static void
test_a_server_that_says_nothing_is_given_up(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 50");
    assert_given_up(s);
    hang_up(s);
    begin(s, "k 0 1000");
    let_k_come(s);
    assert_given_up(s);
}

static void
test_a_server_that_dies_has_what_it_acknowledged(void **state)
{
    struct stage *s = *state;

    begin_with_k_and_l(s);
    say(s->fd, "+OK\r\n+O");
    hang_up(s);
    assert_answered(s->asker, READING);
    assert_asks(s->other, "1) (nil)\n2) \"v\"", "MGET k l");
}

static void
test_options_are_told_as_redis_tells_them(void **state)
{
    struct stage *s = *state;

    assert_asks(s->other, "OK", "SET n 12");
    begin(s, "\"\" 3 60000 AUTH2 me pw REPLACE COPY KEYS n");
    assert_hears(s->fd, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$2\r\npw\r\n"
                        "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
    say(s->fd, "+OK\r\n+OK\r\n");
    assert_hears(s->fd, "*5\r\n$7\r\nRESTORE\r\n$1\r\nn\r\n$1\r\n0\r\n$13\r\n"
                        "\x00\xc0\x0c\n\x00<*\xf8Q\\\x04\xbc\xd5\r\n$7\r\nREPLACE\r\n");
    say(s->fd, "+OK\r\n");
    assert_answered(s->asker, "OK");
}

/* The rest holds for keyvald: Redis serves nobody else meanwhile, and believes what it is
 * told. */

static void
test_others_are_served_meanwhile(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 60000");
    assert_hears(s->fd, SELECT_0);
    for (int i = 0; i < 100; i++)
        assert_asks(s->other, "PONG", "PING");
    assert_asks(s->other, "\"v\"", "GET k");
    say(s->fd, "+OK\r\n");
    assert_hears(s->fd, RESTORE_K);
    say(s->fd, "+OK\r\n");
    assert_answered(s->asker, "OK");
    assert_asks(s->other, "(integer) 0", "EXISTS k");
}

static void
test_a_connection_is_used_again(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 60000 COPY");
    play_along(s, s->asker);
    assert_non_null(strstr(ask(s->other, "INFO stats"), "migrate_cached_sockets:1"));
    for (int i = 0; i < 3; i++) {
        ask_for(s, s->other, "k 0 60000 COPY");
        play_along(s, s->other);
    }
    /* It ends with its other side. */
    hang_up(s);
    while (strstr(ask(s->other, "INFO stats"), "migrate_cached_sockets:0") == NULL)
        continue;
    begin(s, "k 0 60000 COPY");
    play_along(s, s->asker);
}

static void
test_a_connection_that_is_logged_in_is_not_used_again(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 60000 COPY AUTH secret");
    assert_hears(s->fd, "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n");
    say(s->fd, "+OK\r\n");
    play_along(s, s->asker);
    assert_hears_the_end(s->fd);
}

static void
test_a_connection_that_has_died_is_made_anew(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 60000 COPY");
    play_along(s, s->asker);
    ask_for(s, s->asker, "k 0 60000");
    assert_hears(s->fd, SELECT_0);
    hang_up(s);
    take_connection(s);
    play_along(s, s->asker);
    assert_asks(s->other, "(integer) 0", "EXISTS k");
}

static void
test_a_connection_that_has_died_is_not_made_anew_in_the_middle(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 60000 COPY");
    play_along(s, s->asker);
    ask_for(s, s->asker, "k 0 60000");
    assert_hears(s->fd, SELECT_0);
    say(s->fd, "+OK\r\n");
    hang_up(s);
    assert_given_up(s);
}

static void
test_nothing_is_sent_to_a_store_that_was_not_selected(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 1000000");
    assert_hears(s->fd, SELECT_0);
    say(s->fd, "-ERR no\r\n");
    assert_hears_the_end(s->fd);
    assert_answered(s->asker, "ERR Target instance replied with error: ERR no");
    assert_asks(s->other, "\"v\"", "GET k");
}

static void
test_only_ok_is_an_acknowledgement(void **state)
{
    static const char *const others[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n", ":1\r\n", "$2\r\nOK\r\n", "+OKAY\r\n", "\r\n",
    };
    struct stage *s = *state;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        begin(s, "k 0 60000");
        let_k_come(s);
        say(s->fd, others[i]);
        assert_given_up(s);
        hang_up(s);
    }
}

static void
test_a_line_without_end_is_not_taken(void **state)
{
    struct stage *s = *state;
    char text[4000];

    memset(text, '-', sizeof text);
    text[sizeof text - 1] = '\0';
    begin(s, "k 0 60000");
    say(s->fd, text);
    assert_given_up(s);
}

static void
test_what_was_not_asked_is_not_taken(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 60000");
    assert_hears(s->fd, SELECT_0);
    say(s->fd, "+OK\r\n+OK\r\n");
    assert_given_up(s);
}

static void
changed_meanwhile(struct stage *s, const char *change, const char *key_then)
{
    assert_asks(s->other, "OK", "SET k v");
    begin(s, "k 0 60000");
    let_k_come(s);
    ask(s->other, "%s", change);
    say(s->fd, "+OK\r\n");
    assert_answered(s->asker, CHANGED);
    assert_asks(s->other, key_then, "GET k");
    hang_up(s);
}

static void
test_a_key_that_is_changed_meanwhile_stays(void **state)
{
    struct stage *s = *state;

    changed_meanwhile(s, "SET k new", "\"new\"");
    changed_meanwhile(s, "SET k v", "\"v\"");
    changed_meanwhile(s, "EXPIRE k 1000", "\"v\"");
    changed_meanwhile(s, "APPEND k w", "\"vw\"");
    changed_meanwhile(s, "DEL k", "(nil)");
    changed_meanwhile(s, "FLUSHALL", "(nil)");
    changed_meanwhile(s, "SWAPDB 0 1", "(nil)");
}

static void
test_a_key_that_is_changed_before_its_turn_goes_as_it_is(void **state)
{
    struct stage *s = *state;

    assert_asks(s->other, "OK", "MSET k old l v gone x");
    begin(s, "\"\" 0 60000 KEYS k gone l");
    assert_hears(s->fd, SELECT_0);
    assert_asks(s->other, "OK", "SET k v");
    assert_asks(s->other, "(integer) 1", "DEL gone");
    say(s->fd, "+OK\r\n");
    assert_hears(s->fd, RESTORE_K RESTORE_L);
    say(s->fd, "+OK\r\n+OK\r\n");
    assert_answered(s->asker, "OK");
    assert_asks(s->other, "(integer) 0", "DBSIZE");
}

static void
test_a_key_that_expires_meanwhile_has_gone_over(void **state)
{
    struct stage *s = *state;
    char byte;

    assert_asks(s->other, "OK", "SET k v PX 1500");
    begin(s, "k 0 60000");
    assert_hears(s->fd, SELECT_0);
    say(s->fd, "+OK\r\n");
    assert_int_equal(recv(s->fd, &byte, 1, 0), 1);
    while (strcmp(ask(s->other, "EXISTS k"), "(integer) 0") != 0)
        continue;
    say(s->fd, "+OK\r\n");
    assert_answered(s->asker, "OK");
}

static void
test_a_killed_client_breaks_off(void **state)
{
    struct stage *s = *state;
    long id;

    assert_int_equal(sscanf(ask(s->asker, "CLIENT ID"), "(integer) %ld", &id), 1);
    begin(s, "k 0 1000000");
    assert_hears(s->fd, SELECT_0);
    assert_asks(s->other, "(integer) 1", "CLIENT KILL ID %ld", id);
    assert_hears_the_end(s->fd);
    assert_asks(s->other, "\"v\"", "GET k");
}

static void
test_a_hang_up_breaks_off(void **state)
{
    struct stage *s = *state;

    begin(s, "k 0 1000000");
    assert_hears(s->fd, SELECT_0);
    client_close(s->asker);
    s->asker = NULL;
    assert_hears_the_end(s->fd);
    assert_asks(s->other, "\"v\"", "GET k");
}

static void
test_shutdown_breaks_off(void **state)
{
    struct stage *s = *state;

    begin_with_k_and_l(s);
    say(s->fd, "+OK\r\n");
    assert_asks(s->other, "(hung up)", "SHUTDOWN");
    assert_hears_the_end(s->fd);
    assert_int_equal(daemon_wait(s->daemon), 0);
    client_close(s->other);
    daemon_start(s->daemon);
    s->other = daemon_client(s->daemon);
    assert_asks(s->other, "1) \"v\"\n2) \"v\"", "MGET k l");
}

/* Each has been heard before the next one asks. */
static void
begin_many(struct stage *s, struct client *clients[CROWD])
{
    for (int i = 0; i < CROWD; i++) {
        clients[i] = daemon_client(s->daemon);
        ask_for(s, clients[i], "k 0 60000 COPY");
        assert_asks(s->other, "PONG", "PING");
    }
}

/* Those that come last wait until the first have ended. */
static void
test_a_crowd_is_served_in_turn(void **state)
{
    struct stage *s = *state;
    struct client *clients[CROWD];

    begin_many(s, clients);
    for (int i = 0; i < CROWD; i++) {
        take_connection(s);
        let_k_come(s);
        say(s->fd, "+OK\r\n");
        hang_up(s);
    }
    for (int i = 0; i < CROWD; i++) {
        assert_answered(clients[i], "OK");
        client_close(clients[i]);
    }
}

static void
test_who_waits_for_its_turn_may_go(void **state)
{
    struct stage *s = *state;
    struct client *clients[CROWD];
    char killed[32];

    begin_many(s, clients);
    assert_asks(s->other, "OK", "CLIENT SETNAME other");
    snprintf(killed, sizeof killed, "(integer) %d", CROWD + 1);
    assert_asks(s->other, killed, "CLIENT KILL TYPE normal");
    for (int i = 0; i < CROWD; i++)
        client_close(clients[i]);
    assert_asks(s->other, "\"v\"", "GET k");
}

/* --- */

static struct direction within = {DAEMON_KEYVALD, DAEMON_KEYVALD},
                        out = {DAEMON_KEYVALD, DAEMON_REDIS},
                        in = {DAEMON_REDIS, DAEMON_KEYVALD},
                        among_redis = {DAEMON_REDIS, DAEMON_REDIS};

#define PAIR(test, where, direction)                                                     \
    {                                                                                    \
#test " (" where ")", test, pair_set_up, pair_tear_down, &direction              \
    }
#define WITHIN_KEYVALD(test) PAIR(test, "keyvald to keyvald", within)
#define FROM_KEYVALD(test)   WITHIN_KEYVALD(test), PAIR(test, "keyvald to redis", out)
#define ON_ALL(test)                                                                     \
    FROM_KEYVALD(test), PAIR(test, "redis to keyvald", in),                              \
        PAIR(test, "redis to redis", among_redis)

#define STAGE(test, where, direction)                                                    \
    {                                                                                    \
#test " (" where ")", test, stage_set_up, stage_tear_down, &direction            \
    }
#define ON_KEYVALD(test) STAGE(test, "keyvald", within)
#define ON_BOTH(test)    ON_KEYVALD(test), STAGE(test, "redis", in)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_ALL(test_a_key_goes_over),
        FROM_KEYVALD(test_a_name_is_looked_up),
        ON_ALL(test_the_time_to_live_goes_with_it),
        ON_ALL(test_copy_leaves_the_key),
        ON_ALL(test_replace_is_needed_for_a_key_that_is_there),
        ON_ALL(test_of_several_keys_those_go_that_are_there),
        ON_ALL(test_of_several_keys_those_stay_that_are_refused),
        ON_ALL(test_a_key_may_be_named_twice),
        ON_ALL(test_a_key_goes_to_the_store_that_is_named),
        ON_ALL(test_a_password_is_told),
        ON_ALL(test_a_password_that_is_not_asked_for_is_an_error),
        ON_ALL(test_many_keys_go_over),
        FROM_KEYVALD(test_a_key_stays_whose_store_is_refused),
        WITHIN_KEYVALD(test_keys_that_left_memory_go_over),
        FROM_KEYVALD(test_a_large_value_goes_over),
        WITHIN_KEYVALD(test_a_key_goes_to_another_store_of_the_same_server),
        FROM_KEYVALD(test_what_a_restart_brings_back_is_what_was_left),
        ON_BOTH(test_a_server_that_says_nothing_is_given_up),
        ON_BOTH(test_a_server_that_dies_has_what_it_acknowledged),
        ON_BOTH(test_options_are_told_as_redis_tells_them),
        ON_KEYVALD(test_others_are_served_meanwhile),
        ON_KEYVALD(test_a_connection_is_used_again),
        ON_KEYVALD(test_a_connection_that_is_logged_in_is_not_used_again),
        ON_KEYVALD(test_a_connection_that_has_died_is_made_anew),
        ON_KEYVALD(test_a_connection_that_has_died_is_not_made_anew_in_the_middle),
        ON_KEYVALD(test_nothing_is_sent_to_a_store_that_was_not_selected),
        ON_KEYVALD(test_only_ok_is_an_acknowledgement),
        ON_KEYVALD(test_a_line_without_end_is_not_taken),
        ON_KEYVALD(test_what_was_not_asked_is_not_taken),
        ON_KEYVALD(test_a_key_that_is_changed_meanwhile_stays),
        ON_KEYVALD(test_a_key_that_is_changed_before_its_turn_goes_as_it_is),
        ON_KEYVALD(test_a_key_that_expires_meanwhile_has_gone_over),
        ON_KEYVALD(test_a_killed_client_breaks_off),
        ON_KEYVALD(test_a_hang_up_breaks_off),
        ON_KEYVALD(test_shutdown_breaks_off),
        ON_KEYVALD(test_a_crowd_is_served_in_turn),
        ON_KEYVALD(test_who_waits_for_its_turn_may_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
