/*
 * What only the wire shows: requests in pieces and in heaps, bytes that are no protocol, clients
 * that go away, read slowly or are too many. Every sentence holds for redis-server too, and is
 * tried on it, but those on names of stores.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "lib/daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PIPELINE         100000
#define BIG_VALUE        (64 * 1024 * 1024)
#define SLOW_VALUE       (1024 * 1024)
#define SLOW_GETS        64
#define SLOW_READS       10
#define LONG_MESSAGE     (48 * 1024 * 1024) /* more than the kernel takes, by far */
#define OVER_LIMIT       (1024 * 1024)
#define LONG_LINE        (70 * 1024)
#define VICTIMS          20
#define ASKED_MAX        100000 /* looks, until something is so */
#define FLOOD            (64 * 1024 * 1024)
#define PIECE            4096
#define STORE_NAME_LIMIT (64 * 1024) /* bytes in a store's name */

/* --- sentences --- */

static struct daemon *
started(void **state, char *const *args)
{
    struct daemon *d = daemon_new(*(enum daemon_kind *)*state, args);

    daemon_start(d);
    return d;
}

static void
assert_sends(struct client *c, const char *text)
{
    assert_int_equal(client_send(c, bytes_str(text)), 0);
}

static void
assert_receives(struct client *c, const char *text)
{
    size_t len = strlen(text), have = 0;
    char *got = xcalloc(1, len + 1);

    while (have < len) {
        size_t more = client_receive(c, got + have, len - have);
        if (more == 0)
            break;
        have += more;
    }
    assert_string_equal(got, text);
    free(got);
}

static void
assert_is_hung_up_on(struct client *c)
{
    char byte;

    assert_int_equal(client_receive(c, &byte, 1), 0);
    client_close(c);
}

static void
assert_asks(struct client *c, const char *line, const char *answer)
{
    assert_string_equal(client_ask(c, line), answer);
}

/* Sends all of out while it receives, so that neither side has to wait for the other. */
static void
exchange(struct client *c, struct bytes out, char *in, size_t in_len)
{
    size_t have = 0;

    while (have < in_len) {
        struct pollfd fd = {client_fd(c), POLLIN | (out.len > 0 ? POLLOUT : 0), 0};
        assert_true(poll(&fd, 1, CLIENT_PATIENCE_S * 1000) > 0);
        if (fd.revents & POLLOUT) {
            ssize_t sent = send(fd.fd, out.data, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
            assert_true(sent > 0);
            out = bytes_of(out.data + sent, out.len - (size_t)sent);
        }
        if (fd.revents & (POLLIN | POLLHUP)) {
            size_t got = client_receive(c, in + have, in_len - have);
            assert_true(got > 0);
            have += got;
        }
    }
    assert_int_equal(out.len, 0);
}

/* --- requests --- */

static void
test_a_line_is_a_request(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d);

    assert_sends(c, "PING\r\n");
    assert_receives(c, "+PONG\r\n");
    assert_sends(c, "\r\nset k \"a b\\x41\"\nGET 'k'\r\n");
    assert_receives(c, "+OK\r\n$4\r\na bA\r\n");
    client_close(c);
    daemon_free(d);
}

static void
test_a_hundred_thousand_requests_come_at_once(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d);
    struct buf out = {0}, expected = {0};

    for (int i = 1; i <= PIPELINE; i++) {
        buf_printf(&out, "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n");
        buf_printf(&expected, ":%d\r\n", i);
    }
    char *in = xmalloc(expected.len);
    exchange(c, buf_bytes(&out), in, expected.len);
    assert_memory_equal(in, expected.data, expected.len);
    free(in);
    buf_deinit(&out);
    buf_deinit(&expected);
    client_close(c);
    daemon_free(d);
}

/* The other client's round trip lets the server see the first piece alone. */
static void
test_a_request_may_be_cut_anywhere(void **state)
{
    static const char request[] =
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello\r\nworld\r\nGET k\r\n";
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d), *other = daemon_client(d);

    for (size_t cut = 1; cut < strlen(request); cut++) {
        assert_int_equal(client_send(c, bytes_of(request, cut)), 0);
        assert_asks(other, "PING", "PONG");
        assert_sends(c, request + cut);
        assert_receives(c, "+OK\r\n$12\r\nhello\r\nworld\r\n");
    }
    client_close(other);
    client_close(c);
    daemon_free(d);
}

static void
test_what_is_no_request_is_told_and_hung_up_on(void **state)
{
    static const char *const cases[][2] = {
        {"*1\r\n!4\r\nPING\r\n", "-ERR Protocol error: expected '$', got '!'\r\n"},
        {"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
        {"*2147483648\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
        {"*+1\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
        {"*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
        {"*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
        {"*1\r\n$99999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
        {"GET \"k\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
    };
    struct daemon *d = started(state, NULL);
    struct client *other = daemon_client(d);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *c = daemon_client(d);
        assert_sends(c, cases[i][0]);
        assert_receives(c, cases[i][1]);
        assert_is_hung_up_on(c);
        assert_asks(other, "PING", "PONG");
    }
    client_close(other);
    daemon_free(d);
}

static void
test_requests_before_a_wrong_one_are_answered(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d);

    assert_sends(c, "*1\r\n$4\r\nPING\r\n*1\r\n!4\r\nPING\r\n");
    assert_receives(c, "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    assert_is_hung_up_on(c);
    daemon_free(d);
}

static void
test_an_oversized_argument_is_refused(void **state)
{
    struct daemon *d = started(state, (char *[]){"--proto-max-bulk-len", "1mb", NULL});
    struct client *c = daemon_client(d), *other = daemon_client(d);

    assert_sends(c, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\n");
    assert_receives(c, "-ERR Protocol error: invalid bulk length\r\n");
    assert_is_hung_up_on(c);
    assert_asks(other, "EXISTS k", "(integer) 0");
    client_close(other);
    daemon_free(d);
}

/* The first request is answered already when the second grows over the limit, and more of it
 * is there to be read: the server once went on reading for a client that was gone. Redis
 * does not count the arguments it has taken, and waits for the rest. */
static void
test_a_request_over_the_query_buffer_limit_is_hung_up_on(void **state)
{
    struct daemon *d =
        started(state, (char *[]){"--client-query-buffer-limit", "1mb", NULL});
    struct client *c = daemon_client(d), *other = daemon_client(d);
    size_t len = 4 * OVER_LIMIT, head;
    char *request = xmalloc(len), in[64];

    head = (size_t)sprintf(request, "PING\r\n*1000000\r\n");
    for (size_t at = head; at + 7 <= len; at += 7)
        memcpy(request + at, "$1\r\na\r\n", 7);
    for (size_t sent = 0; sent < len;) {
        ssize_t more = send(client_fd(c), request + sent, len - sent, MSG_NOSIGNAL);
        if (more <= 0)
            break;
        sent += (size_t)more;
    }
    while (client_receive(c, in, sizeof in) > 0)
        ;
    assert_asks(other, "PING", "PONG");
    free(request);
    client_close(c);
    client_close(other);
    daemon_free(d);
}

/* All of it is there when it is read: that it could be carried out does not help. */
static void
test_an_argument_over_the_query_buffer_limit_is_hung_up_on(void **state)
{
    struct daemon *d =
        started(state, (char *[]){"--client-query-buffer-limit", "1mb", NULL});
    struct client *c = daemon_client(d), *other = daemon_client(d);
    struct buf request = {0};

    buf_printf(&request, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", 2 * OVER_LIMIT);
    memset(buf_reserve(&request, 2 * OVER_LIMIT), 'v', 2 * OVER_LIMIT);
    request.len += 2 * OVER_LIMIT;
    buf_append(&request, "\r\n", 2);
    client_send(c, buf_bytes(&request)); /* may fail: it is hung up on */
    char byte;
    assert_int_equal(client_receive(c, &byte, 1), 0);
    assert_asks(other, "EXISTS k", "(integer) 0");
    buf_deinit(&request);
    client_close(c);
    client_close(other);
    daemon_free(d);
}

/* How many seconds CLIENT LIST says of the client with that id. */
static long
idle_seconds(struct client *teller, long id)
{
    char line[64];
    snprintf(line, sizeof line, "CLIENT LIST ID %ld", id);
    const char *idle = strstr(client_ask(teller, line), " idle=");

    assert_non_null(idle);
    return strtol(idle + strlen(" idle="), NULL, 10);
}

static long
id_of(struct client *c)
{
    long id;

    assert_int_equal(sscanf(client_ask(c, "CLIENT ID"), "(integer) %ld", &id), 1);
    return id;
}

/* Once a subscriber was thought idle though it was sent messages all the time, and a
 * client that is told what changes was closed for it. */
static void
test_who_is_sent_something_is_not_idle(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d), *silent = daemon_client(d),
                  *other = daemon_client(d);
    long id = id_of(c), silent_id = id_of(silent), nasked = 0;

    assert_sends(c, "SUBSCRIBE c\r\n");
    assert_receives(c, "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    while (idle_seconds(other, silent_id) < 2) {
        assert_true(nasked++ < ASKED_MAX);
        assert_asks(other, "PUBLISH c m", "(integer) 1");
        assert_receives(c, "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n");
    }
    assert_true(idle_seconds(other, id) < 2);
    client_close(c);
    client_close(silent);
    client_close(other);
    daemon_free(d);
}

static long
figure(struct client *teller, const char *name)
{
    const char *at = strstr(client_ask(teller, "INFO stats"), name);

    assert_non_null(at);
    return strtol(at + strlen(name), NULL, 10);
}

/* Where nothing is sent, nothing was written: once it counted all the same. */
static void
test_writes_are_counted(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d), *other = daemon_client(d);
    char line[64];

    snprintf(line, sizeof line, "CLIENT LIST ID %ld", id_of(c));
    long before = figure(other, "total_writes_processed:"), nwrites = 1;
    assert_sends(c, "CLIENT REPLY OFF\r\nPING\r\n");
    do
        assert_true(nwrites++ < ASKED_MAX);
    while (strstr(client_ask(other, line), " cmd=ping ") == NULL);
    assert_int_equal(figure(other, "total_writes_processed:"), before + nwrites);
    client_close(c);
    client_close(other);
    daemon_free(d);
}

/* Whoever comes may make the server keep replies; so of a stranger's it keeps few. */
static void
test_a_stranger_that_takes_no_replies_is_hung_up_on(void **state)
{
    struct daemon *d = started(state, (char *[]){"--requirepass", "secret", NULL});
    struct client *c = daemon_client(d);
    char piece[PIECE];
    ssize_t sent;

    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = "GET k\r\n"[i % strlen("GET k\r\n")];
    do
        sent = send(client_fd(c), piece, sizeof piece - sizeof piece % 7, MSG_NOSIGNAL);
    while (sent > 0);
    assert_true(errno == ECONNRESET || errno == EPIPE);
    client_close(c);
    daemon_free(d);
}

static void
assert_line_is_too_long(struct daemon *d, char first, const char *answer)
{
    struct client *c = daemon_client(d);
    char *line = xmalloc(LONG_LINE + 1);

    memset(line, '1', LONG_LINE);
    line[0] = first;
    line[LONG_LINE] = '\0';
    assert_sends(c, line);
    assert_receives(c, answer);
    client_close(c);
    free(line);
}

static void
test_a_line_that_is_too_long_is_refused(void **state)
{
    struct daemon *d = started(state, NULL);

    assert_line_is_too_long(d, 'G', "-ERR Protocol error: too big inline request\r\n");
    assert_line_is_too_long(d, '*', "-ERR Protocol error: too big mbulk count string\r\n");
    daemon_free(d);
}

static void
test_quit_is_answered_and_hung_up_on(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d);

    assert_sends(c, "*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n");
    assert_receives(c, "+OK\r\n");
    assert_is_hung_up_on(c);
    daemon_free(d);
}

/* --- clients --- */

static void
test_a_client_that_goes_away_leaves_nothing_half_done(void **state)
{
    static const char request[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n";
    struct daemon *d = started(state, NULL);
    struct client *other = daemon_client(d);

    for (size_t cut = 1; cut < strlen(request); cut++) {
        struct client *c = daemon_client(d);
        assert_int_equal(client_send(c, bytes_of(request, cut)), 0);
        client_close(c);
        assert_asks(other, "EXISTS k", "(integer) 0");
    }
    struct client *c = daemon_client(d);
    assert_sends(c, "MULTI\r\nSET k v\r\n");
    assert_receives(c, "+OK\r\n+QUEUED\r\n");
    client_close(c);
    assert_asks(other, "EXISTS k", "(integer) 0");
    client_close(other);
    daemon_free(d);
}

static void
test_a_killed_client_is_gone_when_its_killer_is_told(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *killer = daemon_client(d), *victims[VICTIMS];
    char count[16], byte;

    for (int i = 0; i < VICTIMS; i++) {
        victims[i] = daemon_client(d);
        assert_asks(victims[i], "PING", "PONG");
    }
    snprintf(count, sizeof count, "(integer) %d", VICTIMS);
    assert_asks(killer, "CLIENT KILL TYPE normal", count);
    for (int i = 0; i < VICTIMS; i++) {
        assert_int_equal(recv(client_fd(victims[i]), &byte, 1, MSG_DONTWAIT), 0);
        client_close(victims[i]);
    }
    client_close(killer);
    daemon_free(d);
}

/* Until so many clients are connected. */
static void
wait_for_clients(struct client *c, const char *count)
{
    char line[64];

    snprintf(line, sizeof line, "connected_clients:%s\\r", count);
    for (int i = 0; i < ASKED_MAX; i++) {
        if (strstr(client_ask(c, "INFO clients"), line) != NULL)
            return;
    }
    fail_msg("there are not %s clients", count);
}

static void
test_a_hang_up_is_noticed_while_the_client_waits(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *other = daemon_client(d), *waiting = daemon_client(d);

    assert_sends(waiting, "PING\r\nWAIT 1 0\r\nSET k v\r\n");
    assert_receives(waiting, "+PONG\r\n");
    wait_for_clients(other, "2");
    client_close(waiting);
    wait_for_clients(other, "1");
    waiting = daemon_client(d);
    assert_asks(other, "CLIENT PAUSE 1000000 WRITE", "OK");
    assert_sends(waiting, "PING\r\nSET k v\r\n");
    assert_receives(waiting, "+PONG\r\n");
    client_close(waiting);
    wait_for_clients(other, "1");
    assert_asks(other, "CLIENT UNPAUSE", "OK");
    assert_asks(other, "EXISTS k", "(integer) 0");
    client_close(other);
    daemon_free(d);
}

/* As many as the server and the sockets take. */
static size_t
send_pings(struct client *c, struct client *other)
{
    static const char pings[] = "PING\r\nPING\r\nPING\r\nPING\r\n";
    size_t total = 0, at = 0, len = sizeof pings - 1;

    for (int refused = 0; refused < 100 && total < FLOOD;) {
        ssize_t sent =
            send(client_fd(c), pings + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            total += (size_t)sent;
            at = (at + (size_t)sent) % len;
            refused = 0;
        } else {
            assert_asks(other, "PING", "PONG");
            refused++;
        }
    }
    return total;
}

/* Redis would take them all, up to its query buffer's limit. */
static void
test_a_client_that_waits_is_not_read_without_bound(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *other = daemon_client(d), *waiting = daemon_client(d);
    char line[64];
    long id;

    assert_int_equal(sscanf(client_ask(waiting, "CLIENT ID"), "(integer) %ld", &id), 1);
    setsockopt(client_fd(waiting), SOL_SOCKET, SO_SNDBUF, &(int){PIECE}, sizeof(int));
    assert_sends(waiting, "WAIT 1 0\r\n");
    size_t total = send_pings(waiting, other);
    assert_true(total < FLOOD);
    snprintf(line, sizeof line, "CLIENT UNBLOCK %ld", id);
    assert_asks(other, line, "(integer) 1");
    assert_receives(waiting, ":0\r\n");
    for (size_t i = 0; i < total / strlen("PING\r\n"); i++)
        assert_receives(waiting, "+PONG\r\n");
    client_close(other);
    client_close(waiting);
    daemon_free(d);
}

static void
test_clients_come_to_an_address_that_has_a_name(void **state)
{
    struct daemon *d = started(state, (char *[]){"--bind", "localhost", "-::*", NULL});
    struct client *c = daemon_client(d);

    assert_asks(c, "PING", "PONG");
    client_close(c);
    daemon_free(d);
}

/* Gives whether a server starts that listens on this alone. */
static bool
starts_on(void **state, const char *address, int port)
{
    char number[16];
    snprintf(number, sizeof number, "%d", port);
    struct daemon *d =
        daemon_new(*(enum daemon_kind *)*state,
                   (char *[]){"--bind", (char *)address, "--port", number, NULL});

    bool starts = daemon_try_start(d);
    daemon_free(d);
    return starts;
}

static void
test_a_server_that_nobody_could_reach_does_not_start(void **state)
{
    struct daemon *d = started(state, NULL);

    assert_false(starts_on(state, "-192.0.2.1", daemon_port(d) + 1));
    assert_false(starts_on(state, "-127.0.0.1", daemon_port(d)));
    daemon_free(d);
}

static void
test_one_client_too_many_is_told_so(void **state)
{
    struct daemon *d = started(state, (char *[]){"--maxclients", "2", NULL});
    struct client *one = daemon_client(d), *two = daemon_client(d);

    assert_asks(one, "PING", "PONG");
    assert_asks(two, "PING", "PONG");
    struct client *three = daemon_client(d);
    assert_receives(three, "-ERR max number of clients reached\r\n");
    assert_is_hung_up_on(three);
    assert_asks(two, "QUIT", "OK");
    assert_is_hung_up_on(two);
    three = daemon_client(d);
    assert_asks(three, "PING", "PONG");
    assert_asks(one, "PING", "PONG");
    client_close(three);
    client_close(one);
    daemon_free(d);
}

static void
set_big(struct client *c, const char *key, size_t len)
{
    struct buf out = {0};
    char ok[strlen("+OK\r\n")];

    buf_printf(&out, "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(key), key, len);
    memset(buf_reserve(&out, len), 'v', len);
    out.len += len;
    buf_append(&out, "\r\n", 2);
    exchange(c, buf_bytes(&out), ok, sizeof ok);
    assert_memory_equal(ok, "+OK\r\n", sizeof ok);
    buf_deinit(&out);
}

static void
assert_receives_big(struct client *c, size_t len)
{
    char head[32];
    char *in = xmalloc(len + sizeof head);

    snprintf(head, sizeof head, "$%zu\r\n", len);
    assert_receives(c, head);
    exchange(c, bytes_of(NULL, 0), in, len + 2);
    for (size_t i = 0; i < len; i++) {
        if (in[i] != 'v')
            fail_msg("byte %zu of %zu is %d", i, len, in[i]);
    }
    assert_memory_equal(in + len, "\r\n", 2);
    free(in);
}

static void
test_more_clients_than_files_are_not_promised(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d);
    const char *answer = client_ask(c, "CONFIG SET maxclients 4000000000 timeout 7");

    assert_non_null(strstr(answer, "(error) ERR CONFIG SET failed (possibly related to "
                                   "argument 'maxclients') - The operating system is not "
                                   "able to handle the specified number of clients, try "
                                   "with "));
    assert_asks(c, "CONFIG GET timeout", "1) \"timeout\"\n2) \"0\"");
    assert_asks(c, "CONFIG GET maxclients", "1) \"maxclients\"\n2) \"10000\"");
    client_close(c);
    daemon_free(d);
}

static void
test_a_slow_reader_holds_nobody_up(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *slow = daemon_client(d), *other = daemon_client(d);

    set_big(slow, "big", SLOW_VALUE);
    for (int i = 0; i < SLOW_GETS; i++)
        assert_sends(slow, "GET big\r\n");
    for (int i = 0; i < 1000; i++)
        assert_asks(other, "PING", "PONG");
    for (int i = 0; i < SLOW_GETS; i++)
        assert_receives_big(slow, SLOW_VALUE);
    client_close(other);
    client_close(slow);
    daemon_free(d);
}

static void
receive_some(struct client *c, size_t len)
{
    static char in[64 * 1024];

    while (len > 0) {
        size_t got = client_receive(c, in, len < sizeof in ? len : sizeof in);
        assert_true(got > 0);
        len -= got;
    }
}

/* It reads for longer than it may be silent. */
static void
test_a_slow_reader_is_not_silent(void **state)
{
    struct daemon *d = started(state, (char *[]){"--timeout", "3", NULL});
    struct client *slow = daemon_client(d);
    size_t len = strlen("$67108864\r\n") + BIG_VALUE + strlen("\r\n");

    set_big(slow, "big", BIG_VALUE);
    struct client *other = daemon_client(d);
    assert_sends(slow, "GET big\r\n");
    for (int i = 0; i < SLOW_READS; i++) {
        receive_some(slow, len / SLOW_READS);
        assert_asks(other, "WAIT 1 400", "(integer) 0");
    }
    receive_some(slow, len % SLOW_READS);
    client_close(other);
    client_close(slow);
    daemon_free(d);
}

/* Reads to the end. */
static size_t
receive_all(struct client *c)
{
    static char in[64 * 1024];
    size_t count = 0, more;

    while ((more = client_receive(c, in, sizeof in)) > 0)
        count += more;
    return count;
}

/* How many messages of that length are published until who does not take them is gone. */
static int
publish_to_deaf(void **state, char *limit, size_t len)
{
    struct daemon *d =
        started(state, (char *[]){"--client-output-buffer-limit", limit, NULL});
    struct client *deaf = daemon_client(d), *other = daemon_client(d);
    struct buf publish = {0};
    int nsent = 0;

    assert_sends(deaf, "SUBSCRIBE c\r\n");
    assert_receives(deaf, "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    buf_printf(&publish, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$%zu\r\n", len);
    memset(buf_reserve(&publish, len), 'v', len);
    publish.len += len;
    buf_append(&publish, "\r\n", 2);
    for (char answer[4] = ":1\r\n"; memcmp(answer, ":1", 2) == 0; nsent++) {
        assert_true(nsent < 100);
        exchange(other, buf_bytes(&publish), answer, sizeof answer);
    }
    assert_true(receive_all(deaf) < (size_t)nsent * len);
    client_close(deaf);
    client_close(other);
    buf_deinit(&publish);
    daemon_free(d);
    return nsent - 1;
}

/* The kernel takes a part of what is sent, so the limit is below what is sent by far. */
static void
test_who_does_not_take_its_messages_is_hung_up_on(void **state)
{
    assert_true(publish_to_deaf(state, "pubsub 1mb 0 0", SLOW_VALUE) > 0);
}

/* What had been begun to be sent was once not counted any more. */
static void
test_what_is_being_sent_counts_for_the_limit(void **state)
{
    assert_int_equal(publish_to_deaf(state, "pubsub 64mb 0 0", LONG_MESSAGE), 2);
}

static void
test_a_reply_over_the_limit_is_not_sent(void **state)
{
    struct daemon *d = started(
        state, (char *[]){"--client-output-buffer-limit", "normal 4mb 0 0", NULL});
    struct client *c = daemon_client(d), *other = daemon_client(d);

    set_big(c, "big", SLOW_VALUE);
    assert_sends(c, "MULTI\r\nGET big\r\nGET big\r\nEXEC\r\n");
    assert_receives(c, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n");
    assert_receives_big(c, SLOW_VALUE);
    assert_receives_big(c, SLOW_VALUE);
    assert_sends(c, "MULTI\r\n");
    for (int i = 0; i < SLOW_GETS; i++)
        assert_sends(c, "GET big\r\n");
    assert_sends(c, "EXEC\r\n");
    assert_true(receive_all(c) < SLOW_GETS * SLOW_VALUE);
    client_close(c);
    assert_asks(other, "STRLEN big", "(integer) 1048576");
    client_close(other);
    daemon_free(d);
}

static void
test_a_reader_that_goes_away_holds_nobody_up(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *gone = daemon_client(d), *other = daemon_client(d);

    set_big(gone, "big", SLOW_VALUE);
    for (int i = 0; i < SLOW_GETS; i++)
        assert_sends(gone, "GET big\r\n");
    client_close(gone);
    assert_asks(other, "STRLEN big", "(integer) 1048576");
    client_close(other);
    daemon_free(d);
}

static void
test_a_value_of_64_megabytes_goes_there_and_back(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d), *other = daemon_client(d);

    set_big(c, "big", BIG_VALUE);
    assert_sends(c, "GET big\r\n");
    assert_asks(other, "STRLEN big", "(integer) 67108864");
    assert_receives_big(c, BIG_VALUE);
    client_close(other);
    client_close(c);
    daemon_free(d);
}

/* --- names of stores --- */

static char long_name[STORE_NAME_LIMIT];

#define NAME(text)                                                                       \
    {                                                                                    \
        text, sizeof(text) - 1                                                           \
    }

static const struct bytes names[] = {
    NAME("two words"), NAME("a/b"),  NAME("../a"),
    NAME("a\0b"),      NAME("a\0c"), NAME("\xc3\xa9t\xc3\xa9"),
    NAME("\xff\xfe"),  NAME("A/B"),  NAME("."),
    NAME(".."),        NAME("-1x"),  {long_name, sizeof long_name},
};

#define NNAMES (sizeof names / sizeof names[0])

static void
assert_says(struct client *c, struct bytes word, struct bytes more, struct bytes third,
            const char *reply)
{
    struct bytes argv[] = {word, more, third};
    struct answer answer;
    struct buf text = {0};

    assert_true(client_command(c, argv, third.data != NULL ? 3 : 2, &answer));
    answer_print(&answer, &text);
    buf_append(&text, "", 1);
    assert_string_equal(text.data, reply);
    buf_deinit(&text);
    answer_deinit(&answer);
}

static void
assert_each_name_holds_its_own(struct client *c)
{
    char reply[32];

    for (size_t i = 0; i < NNAMES; i++) {
        snprintf(reply, sizeof reply, "\"%zu\"\n", i);
        assert_says(c, bytes_str("SELECT"), names[i], bytes_of(NULL, 0), "OK\n");
        assert_says(c, bytes_str("GET"), bytes_str("k"), bytes_of(NULL, 0), reply);
        assert_asks(c, "DBSIZE", "(integer) 1");
    }
}

static void
test_any_bytes_are_a_stores_name(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d);
    char number[32];

    memset(long_name, 'n', sizeof long_name);
    for (size_t i = 0; i < NNAMES; i++) {
        snprintf(number, sizeof number, "%zu", i);
        assert_says(c, bytes_str("SELECT"), names[i], bytes_of(NULL, 0), "OK\n");
        assert_says(c, bytes_str("SET"), bytes_str("k"), bytes_str(number), "OK\n");
    }
    assert_each_name_holds_its_own(c);
    client_close(c);
    daemon_kill(d);
    daemon_start(d);
    c = daemon_client(d);
    assert_each_name_holds_its_own(c);
    client_close(c);
    assert_int_equal(daemon_stop(d), 0);
    daemon_start(d);
    c = daemon_client(d);
    assert_each_name_holds_its_own(c);
    client_close(c);
    daemon_free(d);
}

static void
test_a_stores_name_has_64_kilobytes_at_most(void **state)
{
    struct daemon *d = started(state, NULL);
    struct client *c = daemon_client(d);
    struct bytes argv[] = {bytes_str("SELECT"),
                           {xcalloc(1, STORE_NAME_LIMIT + 1), STORE_NAME_LIMIT + 1}};
    struct answer answer;

    assert_true(client_command(c, argv, 2, &answer));
    assert_int_equal(answer.kind, '-');
    answer_deinit(&answer);
    assert_asks(c, "SET k v", "OK");
    assert_asks(c, "SELECT 0", "OK");
    assert_asks(c, "GET k", "\"v\"");
    free((char *)argv[1].data);
    client_close(c);
    daemon_free(d);
}

static enum daemon_kind keyvald = DAEMON_KEYVALD, redis = DAEMON_REDIS;

#define ON_KEYVALD(test) cmocka_unit_test_prestate(test, &keyvald)
#define ON_BOTH(test)                                                                    \
    ON_KEYVALD(test),                                                                    \
    {                                                                                    \
#test " (redis)", test, NULL, NULL, &redis                                       \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_a_line_is_a_request),
        ON_BOTH(test_a_hundred_thousand_requests_come_at_once),
        ON_BOTH(test_a_request_may_be_cut_anywhere),
        ON_BOTH(test_what_is_no_request_is_told_and_hung_up_on),
        ON_BOTH(test_requests_before_a_wrong_one_are_answered),
        ON_BOTH(test_an_oversized_argument_is_refused),
        ON_KEYVALD(test_a_request_over_the_query_buffer_limit_is_hung_up_on),
        ON_BOTH(test_an_argument_over_the_query_buffer_limit_is_hung_up_on),
        ON_BOTH(test_who_is_sent_something_is_not_idle),
        ON_BOTH(test_writes_are_counted),
        ON_BOTH(test_a_stranger_that_takes_no_replies_is_hung_up_on),
        ON_BOTH(test_a_line_that_is_too_long_is_refused),
        ON_BOTH(test_quit_is_answered_and_hung_up_on),
        ON_BOTH(test_a_client_that_goes_away_leaves_nothing_half_done),
        ON_BOTH(test_a_killed_client_is_gone_when_its_killer_is_told),
        ON_BOTH(test_a_hang_up_is_noticed_while_the_client_waits),
        ON_KEYVALD(test_a_client_that_waits_is_not_read_without_bound),
        ON_BOTH(test_clients_come_to_an_address_that_has_a_name),
        ON_BOTH(test_a_server_that_nobody_could_reach_does_not_start),
        ON_BOTH(test_one_client_too_many_is_told_so),
        ON_KEYVALD(test_more_clients_than_files_are_not_promised),
        ON_BOTH(test_a_slow_reader_holds_nobody_up),
        ON_BOTH(test_a_slow_reader_is_not_silent),
        ON_BOTH(test_who_does_not_take_its_messages_is_hung_up_on),
        ON_BOTH(test_what_is_being_sent_counts_for_the_limit),
        ON_BOTH(test_a_reply_over_the_limit_is_not_sent),
        ON_BOTH(test_a_reader_that_goes_away_holds_nobody_up),
        ON_BOTH(test_a_value_of_64_megabytes_goes_there_and_back),
        ON_KEYVALD(test_any_bytes_are_a_stores_name),
        ON_KEYVALD(test_a_stores_name_has_64_kilobytes_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
