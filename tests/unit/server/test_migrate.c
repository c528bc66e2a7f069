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

static struct pair
pair_new(void **state, char *const *args_from, char *const *args_to)
{
    const struct direction *d = *state;
    struct pair p = {daemon_new(d->from, args_from), daemon_new(d->to, args_to), NULL,
                     NULL, 0};

    daemon_start(p.from);
    daemon_start(p.to);
    p.here = daemon_client(p.from);
    p.there = daemon_client(p.to);
    p.port = daemon_port(p.to);
    return p;
}

static void
pair_free(struct pair *p)
{
    client_close(p->here);
    client_close(p->there);
    daemon_free(p->from);
    daemon_free(p->to);
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

static void
test_a_key_goes_over(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SET k hello");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d k 0 10000", p.port);
    assert_asks(p.here, "(integer) 0", "EXISTS k");
    assert_asks(p.there, "\"hello\"", "GET k");
    assert_asks(p.there, "(integer) -1", "TTL k");
    assert_asks(p.here, "NOKEY", "MIGRATE 127.0.0.1 %d k 0 10000", p.port);
    pair_free(&p);
}

static void
test_a_name_is_looked_up(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SET k hello");
    assert_asks(p.here, "OK", "MIGRATE localhost %d k 0 10000", p.port);
    assert_asks(p.there, "\"hello\"", "GET k");
    pair_free(&p);
}

static void
test_the_time_to_live_goes_with_it(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);
    long ms;

    assert_asks(p.here, "OK", "SET k hello PX 1000000");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d k 0 10000", p.port);
    assert_int_equal(sscanf(ask(p.there, "PTTL k"), "(integer) %ld", &ms), 1);
    assert_in_range(ms, 1000000 - CLIENT_PATIENCE_S * 1000, 1000000);
    pair_free(&p);
}

static void
test_copy_leaves_the_key(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SET k hello");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d k 0 10000 COPY", p.port);
    assert_asks(p.here, "\"hello\"", "GET k");
    assert_asks(p.there, "\"hello\"", "GET k");
    pair_free(&p);
}

static void
test_replace_is_needed_for_a_key_that_is_there(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SET k new");
    assert_asks(p.there, "OK", "SET k old");
    assert_asks(p.here,
                "(error) ERR Target instance replied with error: BUSYKEY Target key name "
                "already exists.",
                "MIGRATE 127.0.0.1 %d k 0 10000", p.port);
    assert_asks(p.here, "\"new\"", "GET k");
    assert_asks(p.there, "\"old\"", "GET k");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d k 0 10000 REPLACE", p.port);
    assert_asks(p.here, "(integer) 0", "EXISTS k");
    assert_asks(p.there, "\"new\"", "GET k");
    pair_free(&p);
}

static void
test_of_several_keys_those_go_that_are_there(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "MSET a 1 b 2 c 3 d 4");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d  0 10000 KEYS a no b none c", p.port);
    assert_asks(p.here, "1) (nil)\n2) (nil)\n3) (nil)\n4) \"4\"", "MGET a b c d");
    assert_asks(p.there, "1) \"1\"\n2) \"2\"\n3) \"3\"\n4) (nil)", "MGET a b c d");
    assert_asks(p.there, "(integer) 3", "DBSIZE");
    pair_free(&p);
}

static void
test_of_several_keys_those_stay_that_are_refused(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "MSET a 1 b 2 c 3");
    assert_asks(p.there, "OK", "SET b old");
    assert_asks(p.here,
                "(error) ERR Target instance replied with error: BUSYKEY Target key name "
                "already exists.",
                "MIGRATE 127.0.0.1 %d  0 10000 KEYS a b c", p.port);
    assert_asks(p.here, "1) (nil)\n2) \"2\"\n3) (nil)", "MGET a b c");
    assert_asks(p.there, "1) \"1\"\n2) \"old\"\n3) \"3\"", "MGET a b c");
    pair_free(&p);
}

static void
test_a_key_may_be_named_twice(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SET k v");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d  0 10000 REPLACE KEYS k k", p.port);
    assert_asks(p.here, "(integer) 0", "EXISTS k");
    assert_asks(p.there, "\"v\"", "GET k");
    pair_free(&p);
}

static void
test_a_key_goes_to_the_store_that_is_named(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SELECT 3");
    assert_asks(p.here, "OK", "SET k v");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d k 5 10000", p.port);
    assert_asks(p.here, "(integer) 0", "DBSIZE");
    assert_asks(p.there, "(integer) 0", "DBSIZE");
    assert_asks(p.there, "OK", "SELECT 5");
    assert_asks(p.there, "\"v\"", "GET k");
    pair_free(&p);
}

static void
test_a_password_is_told(void **state)
{
    static char *const args[] = {"--requirepass", "secret", NULL};
    struct pair p = pair_new(state, NULL, args);

    assert_asks(p.there, "OK", "AUTH secret");
    assert_asks(p.here, "OK", "MSET a 1 b 2");
    assert_asks(p.here,
                "(error) ERR Target instance replied with error: NOAUTH Authentication "
                "required.",
                "MIGRATE 127.0.0.1 %d a 0 10000", p.port);
    assert_asks(p.here,
                "(error) ERR Target instance replied with error: WRONGPASS invalid "
                "username-password pair or user is disabled.",
                "MIGRATE 127.0.0.1 %d a 0 10000 AUTH wrong", p.port);
    assert_asks(p.here,
                "(error) ERR Target instance replied with error: WRONGPASS invalid "
                "username-password pair or user is disabled.",
                "MIGRATE 127.0.0.1 %d a 0 10000 AUTH2 nobody secret", p.port);
    assert_asks(p.here, "1) \"1\"\n2) \"2\"", "MGET a b");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d a 0 10000 AUTH secret", p.port);
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d b 0 10000 AUTH2 default secret",
                p.port);
    assert_asks(p.there, "1) \"1\"\n2) \"2\"", "MGET a b");
    pair_free(&p);
}

static void
test_a_password_that_is_not_asked_for_is_an_error(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SET k v");
    assert_asks(p.here,
                "(error) ERR Target instance replied with error: ERR AUTH <password> "
                "called without any password configured for the default user. Are you "
                "sure your configuration is correct?",
                "MIGRATE 127.0.0.1 %d k 0 10000 AUTH secret", p.port);
    assert_asks(p.here, "\"v\"", "GET k");
    pair_free(&p);
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
    struct pair p = pair_new(state, NULL, NULL);

    migrate_many(&p);
    pair_free(&p);
}

/* --- only from keyvald --- */

/* Redis lets it have the key in store 0, and tells the error. */
static void
test_a_key_stays_whose_store_is_refused(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "SET k v");
    assert_asks(p.here,
                "(error) ERR Target instance replied with error: ERR DB index is out of "
                "range",
                "MIGRATE 127.0.0.1 %d k 99 10000", p.port);
    assert_asks(p.here, "\"v\"", "GET k");
    assert_asks(p.there, "(integer) 0", "DBSIZE");
    pair_free(&p);
}

static void
test_keys_that_left_memory_go_over(void **state)
{
    static char *const args[] = {"--maxmemory", "1", NULL};
    struct pair p = pair_new(state, args, args);

    migrate_many(&p);
    pair_free(&p);
}

static void
test_a_large_value_goes_over(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "(integer) 50000001", "SETRANGE k 50000000 x");
    assert_asks(p.here, "(integer) 50000001", "SETRANGE k 20000000 y");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d k 0 60000", p.port);
    assert_asks(p.here, "(integer) 0", "EXISTS k");
    assert_asks(p.there, "(integer) 50000001", "STRLEN k");
    assert_asks(p.there, "\"\\x00y\\x00\"", "GETRANGE k 19999999 20000001");
    assert_asks(p.there, "\"\\x00x\"", "GETRANGE k 49999999 50000001");
    pair_free(&p);
}

static void
test_a_key_goes_to_another_store_of_the_same_server(void **state)
{
    struct daemon *d = daemon_new(DAEMON_KEYVALD, NULL);

    (void)state;
    daemon_start(d);
    struct client *c = daemon_client(d);
    int port = daemon_port(d);
    assert_asks(c, "OK", "SET k v");
    assert_asks(c,
                "(error) ERR Target instance replied with error: BUSYKEY Target key name "
                "already exists.",
                "MIGRATE 127.0.0.1 %d k 0 10000", port);
    assert_asks(c, "OK", "MIGRATE 127.0.0.1 %d k shop 10000", port);
    assert_asks(c, "(integer) 0", "EXISTS k");
    assert_asks(c, "OK", "SELECT shop");
    assert_asks(c, "\"v\"", "GET k");
    /* Onto itself: what was sent is not what is there then. */
    assert_asks(c,
                "(error) ERR A key was changed while it was on its way, so it is still "
                "here",
                "MIGRATE 127.0.0.1 %d k shop 10000 REPLACE", port);
    assert_asks(c, "\"v\"", "GET k");
    client_close(c);
    daemon_free(d);
}

static void
test_what_a_restart_brings_back_is_what_was_left(void **state)
{
    struct pair p = pair_new(state, NULL, NULL);

    assert_asks(p.here, "OK", "MSET a 1 b 2");
    assert_asks(p.here, "OK", "MIGRATE 127.0.0.1 %d a 0 10000", p.port);
    client_close(p.here);
    daemon_kill(p.from);
    daemon_start(p.from);
    p.here = daemon_client(p.from);
    assert_asks(p.here, "1) (nil)\n2) \"2\"", "MGET a b");
    pair_free(&p);
}

/* --- a server that is played --- */

struct stage {
    struct daemon *daemon;
    struct client *asker, *other;
    int listener, port;
    int fd; /* of the connection from the daemon */
};

static struct stage
stage_new(void **state, char *const *args)
{
    const struct direction *d = *state;
    struct stage s = {.daemon = daemon_new(d->from, args), .fd = -1};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon_start(s.daemon);
    s.asker = daemon_client(s.daemon);
    s.other = daemon_client(s.daemon);
    s.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s.listener, CROWD), 0);
    getsockname(s.listener, (struct sockaddr *)&at, &len);
    s.port = ntohs(at.sin_port);
    return s;
}

static void
hang_up(struct stage *s)
{
    close(s->fd);
    s->fd = -1;
}

static void
stage_free(struct stage *s)
{
    client_close(s->asker);
    client_close(s->other);
    if (s->fd >= 0)
        hang_up(s);
    close(s->listener);
    daemon_free(s->daemon);
}

static int
take_connection(const struct stage *s)
{
    struct timeval patience = {.tv_sec = CLIENT_PATIENCE_S};
    int fd = accept(s->listener, NULL, NULL);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
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
    s->fd = take_connection(s);
}

static void
assert_answered(struct client *c, const char *text)
{
    struct answer answer;

    assert_true(client_answer(c, &answer));
    assert_string_equal(answer.text, text);
    answer_deinit(&answer);
}

#define READING "IOERR error or timeout reading to target instance"
#define CHANGED "ERR A key was changed while it was on its way, so it is still here"

static void
test_a_server_that_says_nothing_is_given_up(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 50");
    assert_answered(s.asker, READING);
    assert_asks(s.other, "\"v\"", "GET k");
    hang_up(&s);
    begin(&s, "k 0 1000");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "+OK\r\n");
    assert_hears(s.fd, RESTORE_K);
    assert_answered(s.asker, READING);
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

static void
test_a_server_that_dies_has_what_it_acknowledged(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "MSET k v l v");
    begin(&s, "\"\" 0 60000 KEYS k l");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "+OK\r\n");
    assert_hears(s.fd, RESTORE_K RESTORE_L);
    say(s.fd, "+OK\r\n+O");
    hang_up(&s);
    assert_answered(s.asker, READING);
    assert_asks(s.other, "1) (nil)\n2) \"v\"", "MGET k l");
    stage_free(&s);
}

static void
test_options_are_told_as_redis_tells_them(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET n 12");
    begin(&s, "\"\" 3 60000 AUTH2 me pw REPLACE COPY KEYS n");
    assert_hears(s.fd, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$2\r\npw\r\n"
                       "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n");
    say(s.fd, "+OK\r\n+OK\r\n");
    assert_hears(s.fd, "*5\r\n$7\r\nRESTORE\r\n$1\r\nn\r\n$1\r\n0\r\n$13\r\n"
                       "\x00\xc0\x0c\n\x00<*\xf8Q\\\x04\xbc\xd5\r\n$7\r\nREPLACE\r\n");
    say(s.fd, "+OK\r\n");
    assert_answered(s.asker, "OK");
    stage_free(&s);
}

/* The rest holds for keyvald: Redis serves nobody else meanwhile, and believes what it is
 * told. */

static void
test_others_are_served_meanwhile(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000");
    assert_hears(s.fd, SELECT_0);
    for (int i = 0; i < 100; i++)
        assert_asks(s.other, "PONG", "PING");
    assert_asks(s.other, "\"v\"", "GET k");
    say(s.fd, "+OK\r\n");
    assert_hears(s.fd, RESTORE_K);
    say(s.fd, "+OK\r\n");
    assert_answered(s.asker, "OK");
    assert_asks(s.other, "(integer) 0", "EXISTS k");
    stage_free(&s);
}

/* A migration of k, on a connection that is there. */
static void
play_along(struct stage *s, struct client *asker)
{
    assert_hears(s->fd, SELECT_0);
    say(s->fd, "+OK\r\n");
    assert_hears(s->fd, RESTORE_K);
    say(s->fd, "+OK\r\n");
    assert_answered(asker, "OK");
}

static void
test_a_connection_is_used_again(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000 COPY");
    play_along(&s, s.asker);
    assert_non_null(strstr(ask(s.other, "INFO stats"), "migrate_cached_sockets:1"));
    for (int i = 0; i < 3; i++) {
        ask_for(&s, s.other, "k 0 60000 COPY");
        play_along(&s, s.other);
    }
    /* It ends with its other side. */
    hang_up(&s);
    while (strstr(ask(s.other, "INFO stats"), "migrate_cached_sockets:0") == NULL)
        continue;
    begin(&s, "k 0 60000 COPY");
    play_along(&s, s.asker);
    stage_free(&s);
}

static void
test_a_connection_that_is_logged_in_is_not_used_again(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000 COPY AUTH secret");
    assert_hears(s.fd, "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n");
    say(s.fd, "+OK\r\n");
    play_along(&s, s.asker);
    assert_hears_the_end(s.fd);
    stage_free(&s);
}

static void
test_a_connection_that_has_died_is_made_anew(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000 COPY");
    play_along(&s, s.asker);
    ask_for(&s, s.asker, "k 0 60000");
    assert_hears(s.fd, SELECT_0);
    hang_up(&s);
    s.fd = take_connection(&s);
    play_along(&s, s.asker);
    assert_asks(s.other, "(integer) 0", "EXISTS k");
    stage_free(&s);
}

static void
test_a_connection_that_has_died_is_not_made_anew_in_the_middle(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000 COPY");
    play_along(&s, s.asker);
    ask_for(&s, s.asker, "k 0 60000");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "+OK\r\n");
    hang_up(&s);
    assert_answered(s.asker, READING);
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

static void
test_nothing_is_sent_to_a_store_that_was_not_selected(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 1000000");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "-ERR no\r\n");
    assert_hears_the_end(s.fd);
    assert_answered(s.asker, "ERR Target instance replied with error: ERR no");
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

static void
test_only_ok_is_an_acknowledgement(void **state)
{
    static const char *const others[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n", ":1\r\n", "$2\r\nOK\r\n", "+OKAY\r\n", "\r\n",
    };
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        begin(&s, "k 0 60000");
        assert_hears(s.fd, SELECT_0);
        say(s.fd, "+OK\r\n");
        assert_hears(s.fd, RESTORE_K);
        say(s.fd, others[i]);
        assert_answered(s.asker, READING);
        assert_asks(s.other, "\"v\"", "GET k");
        hang_up(&s);
    }
    stage_free(&s);
}

static void
test_a_line_without_end_is_not_taken(void **state)
{
    struct stage s = stage_new(state, NULL);
    char text[4000];

    memset(text, '-', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000");
    say(s.fd, text);
    assert_answered(s.asker, READING);
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

static void
test_what_was_not_asked_is_not_taken(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "+OK\r\n+OK\r\n");
    assert_answered(s.asker, READING);
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

static void
changed_meanwhile(void **state, const char *change, const char *key_then)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 60000");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "+OK\r\n");
    assert_hears(s.fd, RESTORE_K);
    ask(s.other, "%s", change);
    say(s.fd, "+OK\r\n");
    assert_answered(s.asker, CHANGED);
    assert_asks(s.other, key_then, "GET k");
    stage_free(&s);
}

static void
test_a_key_that_is_changed_meanwhile_stays(void **state)
{
    changed_meanwhile(state, "SET k new", "\"new\"");
    changed_meanwhile(state, "SET k v", "\"v\"");
    changed_meanwhile(state, "EXPIRE k 1000", "\"v\"");
    changed_meanwhile(state, "APPEND k w", "\"vw\"");
    changed_meanwhile(state, "DEL k", "(nil)");
    changed_meanwhile(state, "FLUSHALL", "(nil)");
    changed_meanwhile(state, "SWAPDB 0 1", "(nil)");
}

static void
test_a_key_that_is_changed_before_its_turn_goes_as_it_is(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "MSET k old l v gone x");
    begin(&s, "\"\" 0 60000 KEYS k gone l");
    assert_hears(s.fd, SELECT_0);
    assert_asks(s.other, "OK", "SET k v");
    assert_asks(s.other, "(integer) 1", "DEL gone");
    say(s.fd, "+OK\r\n");
    assert_hears(s.fd, RESTORE_K RESTORE_L);
    say(s.fd, "+OK\r\n+OK\r\n");
    assert_answered(s.asker, "OK");
    assert_asks(s.other, "(integer) 0", "DBSIZE");
    stage_free(&s);
}

static void
test_a_key_that_expires_meanwhile_has_gone_over(void **state)
{
    struct stage s = stage_new(state, NULL);
    char byte;

    assert_asks(s.other, "OK", "SET k v PX 1500");
    begin(&s, "k 0 60000");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "+OK\r\n");
    assert_int_equal(recv(s.fd, &byte, 1, 0), 1);
    while (strcmp(ask(s.other, "EXISTS k"), "(integer) 0") != 0)
        continue;
    say(s.fd, "+OK\r\n");
    assert_answered(s.asker, "OK");
    stage_free(&s);
}

static void
test_a_killed_client_breaks_off(void **state)
{
    struct stage s = stage_new(state, NULL);
    long id;

    assert_asks(s.other, "OK", "SET k v");
    assert_int_equal(sscanf(ask(s.asker, "CLIENT ID"), "(integer) %ld", &id), 1);
    begin(&s, "k 0 1000000");
    assert_hears(s.fd, SELECT_0);
    assert_asks(s.other, "(integer) 1", "CLIENT KILL ID %ld", id);
    assert_hears_the_end(s.fd);
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

static void
test_a_hang_up_breaks_off(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "SET k v");
    begin(&s, "k 0 1000000");
    assert_hears(s.fd, SELECT_0);
    client_close(s.asker);
    s.asker = NULL;
    assert_hears_the_end(s.fd);
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

static void
test_shutdown_breaks_off(void **state)
{
    struct stage s = stage_new(state, NULL);

    assert_asks(s.other, "OK", "MSET k v l v");
    begin(&s, "\"\" 0 1000000 KEYS k l");
    assert_hears(s.fd, SELECT_0);
    say(s.fd, "+OK\r\n");
    assert_hears(s.fd, RESTORE_K RESTORE_L);
    say(s.fd, "+OK\r\n");
    assert_asks(s.other, "(hung up)", "SHUTDOWN");
    assert_hears_the_end(s.fd);
    assert_int_equal(daemon_wait(s.daemon), 0);
    client_close(s.other);
    daemon_start(s.daemon);
    s.other = daemon_client(s.daemon);
    assert_asks(s.other, "1) \"v\"\n2) \"v\"", "MGET k l");
    stage_free(&s);
}

/* Those that come last wait until the first have ended. */
static void
test_a_crowd_is_served_in_turn(void **state)
{
    struct stage s = stage_new(state, NULL);
    struct client *clients[CROWD];
    char line[LINE_MAX_BYTES];

    assert_asks(s.other, "OK", "SET k v");
    snprintf(line, sizeof line, "MIGRATE 127.0.0.1 %d k 0 60000 COPY\r\n", s.port);
    for (int i = 0; i < CROWD; i++) {
        clients[i] = daemon_client(s.daemon);
        assert_int_equal(client_send(clients[i], bytes_str(line)), 0);
    }
    for (int i = 0; i < CROWD; i++) {
        int fd = take_connection(&s);
        assert_hears(fd, SELECT_0);
        say(fd, "+OK\r\n");
        assert_hears(fd, RESTORE_K);
        say(fd, "+OK\r\n");
        close(fd);
    }
    for (int i = 0; i < CROWD; i++) {
        assert_answered(clients[i], "OK");
        client_close(clients[i]);
    }
    stage_free(&s);
}

static void
test_who_waits_for_its_turn_may_go(void **state)
{
    struct stage s = stage_new(state, NULL);
    struct client *clients[CROWD];
    char line[LINE_MAX_BYTES];

    assert_asks(s.other, "OK", "SET k v");
    snprintf(line, sizeof line, "MIGRATE 127.0.0.1 %d k 0 60000 COPY\r\n", s.port);
    for (int i = 0; i < CROWD; i++) {
        clients[i] = daemon_client(s.daemon);
        assert_int_equal(client_send(clients[i], bytes_str(line)), 0);
        assert_asks(s.other, "PONG", "PING");
    }
    assert_asks(s.other, "OK", "CLIENT SETNAME other");
    char killed[32];
    snprintf(killed, sizeof killed, "(integer) %d", CROWD + 1);
    assert_asks(s.other, killed, "CLIENT KILL TYPE normal");
    for (int i = 0; i < CROWD; i++)
        client_close(clients[i]);
    assert_asks(s.other, "\"v\"", "GET k");
    stage_free(&s);
}

/* --- */

static struct direction within = {DAEMON_KEYVALD, DAEMON_KEYVALD},
                        out = {DAEMON_KEYVALD, DAEMON_REDIS},
                        in = {DAEMON_REDIS, DAEMON_KEYVALD},
                        among_redis = {DAEMON_REDIS, DAEMON_REDIS};

#define NAMED(test, where, direction)                                                    \
    {                                                                                    \
#test " (" where ")", test, NULL, NULL, &direction                               \
    }
#define ON_ALL(test)                                                                     \
    NAMED(test, "keyvald to keyvald", within), NAMED(test, "keyvald to redis", out),     \
        NAMED(test, "redis to keyvald", in), NAMED(test, "redis to redis", among_redis)
#define FROM_KEYVALD(test)                                                               \
    NAMED(test, "keyvald to keyvald", within), NAMED(test, "keyvald to redis", out)
#define ON_BOTH(test)    NAMED(test, "keyvald", within), NAMED(test, "redis", in)
#define ON_KEYVALD(test) NAMED(test, "keyvald", within)

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
        ON_KEYVALD(test_keys_that_left_memory_go_over),
        FROM_KEYVALD(test_a_large_value_goes_over),
        ON_KEYVALD(test_a_key_goes_to_another_store_of_the_same_server),
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
