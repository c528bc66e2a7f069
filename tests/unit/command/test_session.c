/*
 * session: how requests are taken, held up and refused. What commands answer is told by
 * the transcripts.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/waiting.h" /* before cmocka, which has a macro of fail's name */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>

#include "base/buf.h"
#include "base/clock.h"
#include "command/host.h"
#include "command/session.h"
#include "command/unsent.h"
#include "fake_keyspace.h"

/* A client that feeds what it has as soon as it may. */

struct client {
    struct host *host;
    struct session *session;
    struct buf input;
};

struct fixture {
    struct config *config;
    struct keyspace keyspace;
    struct host host;
    struct client a, b;
};

static void
feed(void *arg)
{
    struct client *c = arg;

    buf_consume(&c->input, session_feed(c->session, buf_bytes(&c->input)));
}

static void
ignore(void *arg)
{
    (void)arg;
}

static const struct session_owner owner = {.resumed = feed, .pushed = ignore};
static const struct session_peer peer = {"127.0.0.1:1", "127.0.0.1:2", -1};

static void
client_init(struct client *c, struct host *h)
{
    *c = (struct client){.host = h, .session = session_new(h, &owner, c, &peer)};
}

static void
client_deinit(struct client *c)
{
    if (c->session != NULL)
        session_free(c->session);
    c->session = NULL;
    buf_deinit(&c->input);
}

static int
setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->config = config_new();
    host_init(&f->host, f->config, &f->keyspace);
    client_init(&f->a, &f->host);
    client_init(&f->b, &f->host);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    client_deinit(&f->a);
    client_deinit(&f->b);
    for (size_t i = 0; i < sizeof f->keyspace.stores / sizeof *f->keyspace.stores; i++)
        assert_int_equal(f->keyspace.stores[i].holds, 0);
    host_deinit(&f->host);
    config_free(f->config);
    free(f->keyspace.fetch);
    free(f);
    return 0;
}

static void
says(struct client *c, const char *text)
{
    buf_append(&c->input, text, strlen(text));
    feed(c);
}

/* Takes the output, and expects it to be just this. */
static void
hears(struct client *c, const char *text)
{
    struct buf *out = session_output(c->session);

    buf_append(out, "", 1);
    assert_string_equal(out->data, text);
    buf_clear(out, 0);
}

/* Expects the output to begin so, and takes it. */
static void
hears_of(struct client *c, const char *text)
{
    struct buf *out = session_output(c->session);

    assert_true(out->len >= strlen(text));
    assert_memory_equal(out->data, text, strlen(text));
    buf_clear(out, 0);
}

/* Expects the output to begin so, and takes as much of it. */
static void
hears_next(struct client *c, const char *text)
{
    struct buf *out = session_output(c->session);

    assert_true(out->len >= strlen(text));
    assert_memory_equal(out->data, text, strlen(text));
    buf_consume(out, strlen(text));
}

static void
is_parked(struct client *c, bool parked)
{
    assert_int_equal(session_is_parked(c->session), parked);
}

/* Takes the output, and expects it to be lines of MONITOR that go on so behind the time. */
static void
is_shown(struct client *c, const char *lines)
{
    struct buf *out = session_output(c->session), shown = {0};

    for (size_t i = 0; i < out->len; i++) {
        if (out->data[i] == '+' && (i == 0 || out->data[i - 1] == '\n'))
            while (out->data[i] != ' ')
                i++;
        else
            buf_append(&shown, &out->data[i], 1);
    }
    buf_append(&shown, "", 1);
    assert_string_equal(shown.data, lines);
    buf_deinit(&shown);
    buf_clear(out, 0);
}

/* What a session in RESP3 hears of a key. */
#define CHANGED(key) ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\n" key "\r\n"

/* It speaks RESP3 and tracks from now on. */
static void
tracks(struct client *c, const char *how)
{
    says(c, "HELLO 3\r\n");
    hears_of(c, "%7");
    says(c, "CLIENT TRACKING ON ");
    says(c, how);
    says(c, "\r\n");
    hears(c, "+OK\r\n");
}

/* --- taking requests --- */

static void
test_session_answers_the_same_however_requests_are_cut(void **state)
{
    static const char wire[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3\r\na\r\n\r\n"
                               "PING\r\n\r\n*0\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    struct fixture *f = *state;

    for (size_t cut = 0; cut <= strlen(wire); cut++) {
        buf_append(&f->a.input, wire, cut);
        feed(&f->a);
        says(&f->a, wire + cut);
        hears(&f->a, "+OK\r\n+PONG\r\n$3\r\na\r\n\r\n");
        assert_int_equal(f->a.input.len, 0);
    }
}

/* In an array: of these a session reads many before it carries out the first. */
static void
echo(struct buf *out, const char *text)
{
    buf_printf(out, "*2\r\n$4\r\nECHO\r\n$%zu\r\n%s\r\n", strlen(text), text);
}

static void
test_session_keeps_the_requests_of_a_pipeline_apart(void **state)
{
    struct fixture *f = *state;
    struct buf *in = &f->a.input;

    echo(in, "a");
    buf_printf(in, "ECHO b\r\nECHO c\r\n*400\r\n$6\r\nEXISTS\r\n");
    for (int i = 1; i < 400; i++)
        buf_printf(in, "$1\r\nk\r\n");
    buf_printf(in, "*0\r\n");
    for (int i = 0; i < 100; i += 2) {
        echo(in, "d");
        echo(in, "efg");
    }
    feed(&f->a);

    hears_next(&f->a, "$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n:0\r\n");
    for (int i = 0; i < 100; i += 2)
        hears_next(&f->a, "$1\r\nd\r\n$3\r\nefg\r\n");
    hears(&f->a, "");
    assert_int_equal(in->len, 0);
}

static void
test_session_tells_an_error_behind_what_it_waits_for(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n+x\r\n");
    hears(&f->a, "+PONG\r\n");
    is_parked(&f->a, true);
    disk_answers(&f->keyspace, 0);
    hears(&f->a, "$-1\r\n-ERR Protocol error: expected '$', got '+'\r\n");
    assert_true(session_is_closing(f->a.session));
}

static void
test_session_that_logs_in_may_say_more_at_once(void **state)
{
    struct fixture *f = *state;
    char word[20 * 1024 + 1] = "";

    memset(word, 'x', sizeof word - 1);
    says(&f->a, "CONFIG SET requirepass secret\r\nRESET\r\n");
    hears(&f->a, "+OK\r\n+RESET\r\n");
    buf_printf(&f->a.input, "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n");
    echo(&f->a.input, word);
    feed(&f->a);
    hears_of(&f->a, "+OK\r\n$20480\r\nxxx");

    says(&f->a, "RESET\r\n");
    hears(&f->a, "+RESET\r\n");
    echo(&f->a.input, word);
    feed(&f->a);
    hears(&f->a, "-ERR Protocol error: unauthenticated bulk length\r\n");
}

static void
test_session_tells_a_protocol_error_and_closes(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "PING\r\n*1\r\n+x\r\nPING\r\n");
    hears(&f->a, "+PONG\r\n-ERR Protocol error: expected '$', got '+'\r\n");
    assert_true(session_is_closing(f->a.session));
    says(&f->a, "PING\r\n");
    hears(&f->a, "");
}

static void
test_session_does_nothing_behind_quit(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "QUIT\r\nSET k v\r\n");
    hears(&f->a, "+OK\r\n");
    assert_true(session_is_closing(f->a.session));
    says(&f->b, "GET k\r\n");
    hears(&f->b, "$-1\r\n");
}

static void
test_session_hangs_up_on_a_browser(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "POST / HTTP/1.1\r\nSET k v\r\n");
    hears(&f->a, "");
    assert_true(session_is_killed(f->a.session));
    says(&f->b, "host: example.org\r\n");
    hears(&f->b, "");
    assert_true(session_is_killed(f->b.session));
}

static void
test_session_asks_for_the_shutdown_and_answers_nothing(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "SHUTDOWN NOSAVE\r\nPING\r\n");
    hears(&f->a, "");
    assert_true(f->host.shutdown_asked);
    assert_true(session_is_closing(f->a.session));
}

static void
test_session_stops_while_its_output_is_not_taken(void **state)
{
    struct fixture *f = *state;
    struct buf *out = session_output(f->a.session);

    buf_reserve(out, SESSION_OUTPUT_SOFT);
    memset(out->data, 'x', SESSION_OUTPUT_SOFT);
    out->len = SESSION_OUTPUT_SOFT;
    says(&f->a, "PING\r\n");
    assert_int_equal(out->len, SESSION_OUTPUT_SOFT);
    buf_clear(out, 0);
    feed(&f->a);
    hears(&f->a, "+PONG\r\n");
}

static void
test_session_depends_on_the_highest_stamp_it_told_of(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "PING\r\n");
    assert_int_equal(session_depends(f->a.session), 0);
    f->keyspace.stamp = 7;
    says(&f->a, "GET k\r\n");
    assert_int_equal(session_depends(f->a.session), 7);
    f->keyspace.stamp = 3;
    says(&f->a, "GET k\r\nPING\r\n");
    assert_int_equal(session_depends(f->a.session), 7);
    assert_int_equal(session_depends(f->b.session), 0);
}

static void
test_session_bounds_a_transaction(void **state)
{
    struct fixture *f = *state;

    f->config->client_query_buffer_limit = 200;
    says(&f->a, "MULTI\r\nSET k 1\r\nSET k 2\r\nSET k 3\r\n");
    hears(&f->a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n"
                 "-ERR transaction is larger than client-query-buffer-limit\r\n");
    says(&f->a, "EXEC\r\nGET k\r\n");
    hears(&f->a,
          "-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n");
}

/* --- keys that are on the disk --- */

static void
test_session_waits_for_a_key_and_goes_on(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "SET k v\r\n");
    hears(&f->a, "+OK\r\n");
    f->keyspace.is_cold = true;
    says(&f->a, "PING\r\nGET k\r\nPING\r\n");
    hears(&f->a, "+PONG\r\n");
    is_parked(&f->a, true);
    assert_string_equal(f->keyspace.asked, "0/k ");
    assert_int_equal(f->a.input.len, strlen("GET k\r\nPING\r\n"));
    says(&f->a, "PING\r\n");
    hears(&f->a, "");

    disk_answers(&f->keyspace, 0);
    hears(&f->a, "$1\r\nv\r\n+PONG\r\n+PONG\r\n");
    is_parked(&f->a, false);
}

static void
test_session_asks_again_for_the_next_request(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "EXISTS a b\r\nMSET c 1 d 2\r\n");
    assert_string_equal(f->keyspace.asked, "0/a 0/b ");
    disk_answers(&f->keyspace, 0);
    hears(&f->a, ":0\r\n+OK\r\n");
    says(&f->a, "MSET c 1 d 2\r\n");
    assert_string_equal(f->keyspace.asked, "0/c 0/d ");
    assert_int_equal(f->keyspace.nfetches, 2);
    disk_answers(&f->keyspace, 0);
    hears(&f->a, "+OK\r\n");
}

static void
test_session_tells_that_the_disk_failed_and_goes_on(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "GET k\r\nPING\r\n");
    disk_answers(&f->keyspace, -1);
    hears(&f->a, "-IOERR could not read from the disk, the server's log says why\r\n"
                 "+PONG\r\n");
    says(&f->a, "GET k\r\n");
    assert_int_equal(f->keyspace.nfetches, 2);
    disk_answers(&f->keyspace, 0);
    hears(&f->a, "$-1\r\n");
}

static void
test_session_fetches_for_exec_what_is_queued_in_its_stores(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "MULTI\r\nGET a\r\nSELECT shop\r\nMGET b c\r\nSELECT 99\r\nGET d\r\n");
    hears(&f->a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    assert_int_equal(f->keyspace.nfetches, 0);
    says(&f->a, "EXEC\r\n");
    is_parked(&f->a, true);
    assert_string_equal(f->keyspace.asked, "0/a shop/b shop/c shop/d ");
    disk_answers(&f->keyspace, 0);
    hears(&f->a,
          "*5\r\n$-1\r\n+OK\r\n*2\r\n$-1\r\n$-1\r\n-ERR DB index is out of range\r\n"
          "$-1\r\n");
}

static void
test_session_ends_a_transaction_the_disk_failed(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "MULTI\r\nGET a\r\nEXEC\r\nEXEC\r\n");
    disk_answers(&f->keyspace, -1);
    hears(&f->a,
          "+OK\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of: IOERR could "
          "not read from the disk, the server's log says why\r\n"
          "-ERR EXEC without MULTI\r\n");
}

static void
test_session_refuses_before_it_asks_the_disk(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "GET\r\nGET a b\r\nFOO k\r\nPING\r\n");
    assert_int_equal(f->keyspace.nfetches, 0);
    hears_of(&f->a, "-ERR wrong number of arguments for 'get' command\r\n-ERR wrong");
}

static void
test_session_freed_while_it_waits_cancels_the_reading(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "GET k\r\n");
    client_deinit(&f->a);
    assert_int_equal(f->keyspace.ncancelled, 1);
}

/* --- writes that must wait --- */

static void
test_session_holds_writes_and_no_reads(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_slow = true;
    says(&f->a, "GET k\r\nMULTI\r\nGET k\r\nEXEC\r\nSET k v\r\nPING\r\n");
    hears(&f->a, "$-1\r\n+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n");
    is_parked(&f->a, true);
    host_retry_writes(&f->host);
    is_parked(&f->a, true);

    f->keyspace.is_slow = false;
    host_retry_writes(&f->host);
    hears(&f->a, "+OK\r\n+PONG\r\n");
    assert_int_equal(f->host.nthrottled, 0);
}

static void
test_session_holds_exec_if_it_would_write(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_slow = true;
    says(&f->a, "MULTI\r\nSET k v\r\nEXEC\r\n");
    hears(&f->a, "+OK\r\n+QUEUED\r\n");
    is_parked(&f->a, true);
    f->keyspace.is_slow = false;
    host_retry_writes(&f->host);
    hears(&f->a, "*1\r\n+OK\r\n");
}

static void
test_session_that_waited_longest_writes_first(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_slow = true;
    says(&f->a, "SET k first\r\n");
    says(&f->b, "SET k second\r\n");
    assert_int_equal(f->host.nthrottled, 2);
    f->keyspace.is_slow = false;
    host_retry_writes(&f->host);
    says(&f->a, "GET k\r\n");
    hears(&f->a, "+OK\r\n$6\r\nsecond\r\n");
}

static void
test_session_freed_while_it_waits_to_write_leaves_the_others(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_slow = true;
    says(&f->a, "SET k a\r\n");
    says(&f->b, "SET k b\r\n");
    client_deinit(&f->a);
    assert_int_equal(f->host.nthrottled, 1);
    f->keyspace.is_slow = false;
    host_retry_writes(&f->host);
    hears(&f->b, "+OK\r\n");
}

static void
test_session_whose_keys_have_come_writes_at_once(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_cold = true;
    says(&f->a, "SET k v\r\n");
    f->keyspace.is_slow = true;
    disk_answers(&f->keyspace, 0);
    hears(&f->a, "+OK\r\n");
}

/* --- writes that cannot be --- */

static void
test_session_refuses_writes_while_the_log_fails(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_failing = true;
    says(&f->a, "SET k v\r\n");
    hears_of(&f->a, "-MISCONF ");
    says(&f->a, "GET k\r\n");
    hears(&f->a, "$-1\r\n");
    f->keyspace.is_failing = false;
    says(&f->a, "SET k v\r\n");
    hears(&f->a, "+OK\r\n");
}

static void
test_session_refuses_a_transaction_while_the_log_fails(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MULTI\r\nSET k v\r\n");
    hears(&f->a, "+OK\r\n+QUEUED\r\n");
    f->keyspace.is_failing = true;
    says(&f->a, "EXEC\r\n");
    hears_of(&f->a, "-EXECABORT Transaction discarded because of: MISCONF ");
    says(&f->a, "MULTI\r\nSET k v\r\n");
    hears_of(&f->a, "+OK\r\n-MISCONF ");
    says(&f->a, "EXEC\r\n");
    hears(&f->a, "-EXECABORT Transaction discarded because of previous errors.\r\n");
}

static void
test_session_tells_that_nothing_could_be_saved(void **state)
{
    struct fixture *f = *state;

    f->keyspace.is_failing = true;
    says(&f->a, "SAVE\r\nPING\r\n");
    hears(&f->a, "-IOERR could not write to the disk, the server's log says why\r\n"
                 "+PONG\r\n");
}

/* --- memory --- */

struct probe {
    size_t heap[2]; /* bytes taken of it when each message comes */
    int count;
};

static void
note_heap(void *arg)
{
    struct probe *p = arg;
    struct mallinfo2 heap = mallinfo2();

    assert_true(p->count < 2);
    p->heap[p->count++] = heap.uordblks + heap.hblkhd;
}

#define TAKERS  200 /* requests; each takes SCRATCH bytes */
#define KEYS    200 /* of each */
#define SCRATCH (KEYS * sizeof(struct bytes))

static void
test_session_frees_in_exec_what_each_request_took(void **state)
{
    static const struct session_owner probing = {.resumed = ignore, .pushed = note_heap};
    struct fixture *f = *state;
    struct probe probe = {0};
    struct client listener = {.session = session_new(&f->host, &probing, &probe, &peer)};

    says(&listener, "SUBSCRIBE c\r\n");
    probe.count = 0;
    says(&f->a, "MULTI\r\nPUBLISH c first\r\n");
    for (int i = 0; i < TAKERS; i++) {
        buf_printf(&f->a.input, "COMMAND GETKEYS DEL");
        for (int key = 0; key < KEYS; key++)
            buf_printf(&f->a.input, " k");
        says(&f->a, "\r\n");
    }
    says(&f->a, "PUBLISH c last\r\nEXEC\r\n");
    assert_int_equal(probe.count, 2);
    size_t replies = 2 * session_output(f->a.session)->cap;
    assert_true(probe.heap[1] < probe.heap[0] + replies + TAKERS * SCRATCH / 4);
    client_deinit(&listener);
}

static void
says_long(struct client *c, const char *before, size_t len)
{
    buf_append(&c->input, before, strlen(before));
    memset(buf_reserve(&c->input, len), 'x', len);
    c->input.len += len;
    says(c, "\r\n");
}

static struct client_limit *
limits(struct fixture *f)
{
    return f->config->client_output_buffer_limit;
}

static void
test_session_whose_reply_is_over_the_hard_limit_is_closed(void **state)
{
    struct fixture *f = *state;

    limits(f)[CLASS_NORMAL].hard = 100;
    says_long(&f->a, "ECHO ", SESSION_OUTPUT_FIRST);
    assert_false(session_is_killed(f->a.session));
    buf_clear(session_output(f->a.session), 0);
    says_long(&f->a, "ECHO ", SESSION_OUTPUT_FIRST + 100);
    assert_true(session_is_killed(f->a.session));
    assert_false(session_is_killed(f->b.session));
}

/* What is behind the limit is not even kept. */
static void
test_session_bounds_the_replies_of_a_transaction(void **state)
{
    struct fixture *f = *state;

    limits(f)[CLASS_NORMAL].hard = 20000;
    says(&f->a, "MULTI\r\n");
    for (int i = 0; i < 100; i++)
        says_long(&f->a, "ECHO ", 10000);
    hears_of(&f->a, "+OK\r\n");
    says(&f->a, "EXEC\r\n");
    assert_true(session_is_killed(f->a.session));
    assert_in_range(session_output(f->a.session)->len, 20000, 60000);
}

static void
test_session_bounds_the_values_of_one_reply(void **state)
{
    struct fixture *f = *state;

    limits(f)[CLASS_NORMAL].hard = 20000;
    says_long(&f->a, "SET k ", 50);
    buf_printf(&f->a.input, "MGET");
    for (int i = 0; i < 2000; i++)
        buf_printf(&f->a.input, " k");
    says(&f->a, "\r\n");
    assert_true(session_is_killed(f->a.session));
    assert_in_range(session_output(f->a.session)->len, 20000, 60000);
}

static void
test_session_that_takes_no_messages_is_closed(void **state)
{
    struct fixture *f = *state;
    int64_t sent = 0;

    limits(f)[CLASS_PUBSUB].hard = 100000;
    limits(f)[CLASS_NORMAL].hard = 1;
    says(&f->a, "SUBSCRIBE c\r\n");
    for (; !session_is_killed(f->a.session); sent += 10000) {
        assert_true(sent < 200000);
        says_long(&f->b, "PUBLISH c ", 10000);
    }
    assert_in_range(sent, 100000, 130000);
}

static void
test_session_over_the_soft_limit_is_closed_when_it_stays_there(void **state)
{
    struct fixture *f = *state;
    struct buf *out = session_output(f->a.session);

    limits(f)[CLASS_PUBSUB] = (struct client_limit){0, 1000, 10};
    says(&f->a, "SUBSCRIBE c\r\n");
    says_long(&f->b, "PUBLISH c ", 20000);
    clock_advance(9000);
    unsent_tick(&f->host);
    assert_false(session_is_killed(f->a.session));

    buf_clear(out, 0);
    unsent_tick(&f->host);
    says_long(&f->b, "PUBLISH c ", 20000);
    clock_advance(9000);
    unsent_tick(&f->host);
    assert_false(session_is_killed(f->a.session));
    clock_advance(2000);
    unsent_tick(&f->host);
    assert_true(session_is_killed(f->a.session));
}

static void
test_session_may_be_over_the_soft_limit_for_ever(void **state)
{
    struct fixture *f = *state;

    limits(f)[CLASS_PUBSUB] = (struct client_limit){0, 1000, INT64_MAX};
    says(&f->a, "SUBSCRIBE c\r\n");
    says_long(&f->b, "PUBLISH c ", 20000);
    clock_advance(60000);
    unsent_tick(&f->host);
    assert_false(session_is_killed(f->a.session));
}

/* By default a normal client has no limit; but what it did not ask for has one. */
static void
test_session_that_watches_and_takes_nothing_is_closed(void **state)
{
    struct fixture *f = *state;
    int sent = 0;

    says(&f->a, "MONITOR\r\n");
    for (; !session_is_killed(f->a.session) && sent < 1000; sent++) {
        says_long(&f->b, "ECHO ", 60000);
        buf_clear(session_output(f->b.session), 0);
    }
    assert_in_range(sent, UNSENT_UNASKED_MAX / 60000, UNSENT_UNASKED_MAX / 60000 + 2);
}

static void
keeps(void *arg, struct session_held *out)
{
    *out = *(const struct session_held *)arg;
}

static void
test_session_counts_what_its_owner_keeps(void **state)
{
    static const struct session_owner keeping = {ignore, ignore, keeps};
    struct fixture *f = *state;
    struct session_held held = {100, 7, 50, 1000, 2000, 4500};
    struct client c = {.session = session_new(&f->host, &keeping, &held, &peer)};
    struct kept kept;

    unsent_kept(c.session, &kept);
    assert_int_equal(kept.input_room, 50);
    assert_int_equal(kept.pieces, 1);
    assert_int_equal(kept.piece_bytes, 2000);
    assert_int_equal(kept.idle_ms, 4500);
    assert_true(kept.total > 100 + 57 + 2000);
    assert_true(unsent_total(&f->host) > kept.total);
    unsent_tick(&f->host);
    assert_int_equal(unsent_peak(&f->host).input, 50);
    assert_int_equal(unsent_peak(&f->host).output, 2000);

    limits(f)[CLASS_NORMAL].hard = 1000;
    held.output = SESSION_OUTPUT_FIRST + 1000;
    unsent_tick(&f->host);
    assert_true(session_is_killed(c.session));
    client_deinit(&c);
}

static void
test_session_ends_the_server_while_the_log_fails_only_by_force(void **state)
{
    static const char *const forced[] = {"NOSAVE", "FORCE", "FORCE SAVE", "NOW NOSAVE"};
    struct fixture *f = *state;
    char line[64];

    f->keyspace.is_failing = true;
    says(&f->a, "SHUTDOWN\r\nSHUTDOWN SAVE\r\nSHUTDOWN NOW\r\n");
    hears(&f->a, "-ERR Errors trying to SHUTDOWN. Check logs.\r\n"
                 "-ERR Errors trying to SHUTDOWN. Check logs.\r\n"
                 "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    assert_false(f->host.shutdown_asked);
    for (int i = 0; i < 4; i++) {
        client_deinit(&f->a);
        client_init(&f->a, &f->host);
        f->host.shutdown_asked = false;
        snprintf(line, sizeof line, "SHUTDOWN %s\r\n", forced[i]);
        says(&f->a, line);
        assert_true(f->host.shutdown_asked);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* --- being watched, and waiting --- */

static void
test_session_shows_what_others_do(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MONITOR\r\n");
    hears(&f->a, "+OK\r\n");
    says(&f->b, "SELECT 3\r\nSELECT \"a b\"\r\nECHO \"x\\\"\\\\\\r\\n\\xff\\a'\"\r\n");
    is_shown(&f->a, "[3 127.0.0.1:1] \"SELECT\" \"3\"\r\n"
                    "[a\\x20b 127.0.0.1:1] \"SELECT\" \"a b\"\r\n"
                    "[a\\x20b 127.0.0.1:1] \"ECHO\" \"x\\\"\\\\\\r\\n\\xff\\a'\"\r\n");
    says(&f->b,
         "RESET\r\nMULTI\r\nPING\r\nCLIENT LIST\r\nDISCARD\r\nMULTI\r\nPING\r\nEXEC\r\n");
    is_shown(&f->a, "[0 127.0.0.1:1] \"RESET\"\r\n"
                    "[0 127.0.0.1:1] \"MULTI\"\r\n"
                    "[0 127.0.0.1:1] \"DISCARD\"\r\n"
                    "[0 127.0.0.1:1] \"MULTI\"\r\n"
                    "[0 127.0.0.1:1] \"PING\"\r\n"
                    "[0 127.0.0.1:1] \"EXEC\"\r\n");
    says(&f->b, "MULTI\r\nPING\r\nEXEC all\r\n");
    is_shown(&f->a, "[0 127.0.0.1:1] \"MULTI\"\r\n"
                    "[0 127.0.0.1:1] \"EXEC\" \"all\"\r\n");
}

static void
test_session_shows_no_secrets_and_no_operators(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MONITOR\r\n");
    hears(&f->a, "+OK\r\n");
    says(&f->b, "AUTH secret\r\nHELLO 2 AUTH default secret\r\nCONFIG GET port\r\n");
    is_shown(
        &f->a,
        "[0 127.0.0.1:1] \"AUTH\" \"(redacted)\"\r\n"
        "[0 127.0.0.1:1] \"HELLO\" \"2\" \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n");
}

static void
test_session_shows_what_waits_when_it_begins(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MONITOR\r\n");
    hears(&f->a, "+OK\r\n");
    says(&f->b, "WAIT 1 0\r\nPING\r\n");
    is_shown(&f->a, "[0 127.0.0.1:1] \"WAIT\" \"1\" \"0\"\r\n");
    says(&f->a, "CLIENT UNBLOCK 2\r\n");
    hears_of(&f->a, ":1\r\n");
    host_end_waiting(&f->host);
    is_shown(&f->a, "[0 127.0.0.1:1] \"PING\"\r\n");
}

static void
test_session_that_watches_may_not_look_at_keys(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MONITOR\r\nGET k\r\nMONITOR\r\n");
    hears(&f->a, "+OK\r\n-ERR Replica can't interact with the keyspace\r\n");
    says(&f->a, "RESET\r\n");
    hears_of(&f->a, "+RESET\r\n");
    says(&f->b, "PING\r\n");
    hears(&f->a, "");
}

static void
test_session_may_be_silent_while_it_waits_or_hears(void **state)
{
    struct fixture *f = *state;

    assert_false(session_may_be_silent(f->a.session));
    says(&f->a, "SUBSCRIBE c\r\n");
    assert_true(session_may_be_silent(f->a.session));
    says(&f->a, "RESET\r\nMONITOR\r\n");
    assert_true(session_may_be_silent(f->a.session));
    says(&f->a, "RESET\r\n");
    assert_false(session_may_be_silent(f->a.session));
    says(&f->a, "WAIT 1 0\r\n");
    assert_true(session_may_be_silent(f->a.session));
}

static void
test_session_waits_for_replicas_until_it_is_unblocked(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "WAIT 1 0\r\nPING\r\n");
    is_parked(&f->a, true);
    host_end_waiting(&f->host);
    is_parked(&f->a, true);
    assert_int_equal(waiting_limited(&f->host), 0);
    says(&f->b, "CLIENT UNBLOCK 1\r\nCLIENT UNBLOCK 1\r\n");
    hears(&f->b, ":1\r\n:0\r\n");
    host_end_waiting(&f->host);
    hears(&f->a, ":0\r\n+PONG\r\n");
    says(&f->a, "WAIT 1 60000\r\nPING\r\n");
    assert_int_equal(waiting_limited(&f->host), 1);
    says(&f->b, "CLIENT UNBLOCK 1 ERROR\r\n");
    hears(&f->b, ":1\r\n");
    host_end_waiting(&f->host);
    hears(&f->a, "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n+PONG\r\n");
}

static void
test_session_that_writes_waits_while_paused(void **state)
{
    struct fixture *f = *state;

    says(&f->b, "CLIENT PAUSE 60000 WRITE\r\n");
    hears(&f->b, "+OK\r\n");
    says(&f->a, "PUBLISH c m\r\nPING\r\n");
    is_parked(&f->a, true);
    assert_int_equal(f->host.nblocked, 1);
    assert_int_equal(waiting_limited(&f->host), 0);
    says(&f->b, "PING\r\nCLIENT UNBLOCK 1\r\nCLIENT UNPAUSE\r\n");
    hears(&f->b, "+PONG\r\n:0\r\n+OK\r\n");
    host_end_waiting(&f->host);
    hears(&f->a, ":0\r\n+PONG\r\n");
}

static void
test_session_that_would_publish_in_exec_waits_while_paused(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MULTI\r\nPUBLISH c m\r\n");
    hears(&f->a, "+OK\r\n+QUEUED\r\n");
    says(&f->b, "CLIENT PAUSE 60000 WRITE\r\n");
    says(&f->a, "EXEC\r\n");
    is_parked(&f->a, true);
    says(&f->b, "CLIENT UNPAUSE\r\n");
    host_end_waiting(&f->host);
    hears(&f->a, "*1\r\n:0\r\n");
}

static void
test_session_that_watches_others_is_not_paused(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MONITOR\r\n");
    says(&f->b, "CLIENT PAUSE 60000\r\n");
    says(&f->a, "PING\r\n");
    is_parked(&f->a, false);
    says(&f->b, "PING\r\n");
    is_parked(&f->b, true);
}

/* Expects what CLIENT INFO or CLIENT LIST told of the first client to have this in it. */
static void
is_described(struct client *teller, const char *part)
{
    struct buf *out = session_output(teller->session);

    buf_append(out, "", 1);
    const char *line = strstr(out->data, "id=1 ");
    assert_non_null(line);
    assert_non_null(strstr(line, part));
    buf_clear(out, 0);
}

static void
test_session_is_described_while_it_waits(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "WAIT 1 0\r\nPING\r\n");
    says(&f->b, "CLIENT LIST ID 1\r\n");
    is_described(&f->b, " flags=b ");
    says(&f->b, "CLIENT LIST ID 1\r\n");
    is_described(&f->b, " qbuf=6 ");
    says(&f->b, "CLIENT UNBLOCK 1\r\nCLIENT LIST ID 1\r\n");
    is_described(&f->b, " flags=u ");
    host_end_waiting(&f->host);
    says(&f->b, "CLIENT LIST ID 1\r\n");
    is_described(&f->b, " flags=N ");
}

static void
test_session_is_described_in_exec(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MULTI\r\nCLIENT INFO\r\nPING\r\n");
    hears_of(&f->a, "+OK\r\n");
    says(&f->b, "CLIENT LIST ID 1\r\n");
    is_described(&f->b, " flags=x ");
    says(&f->a, "EXEC\r\n");
    is_described(&f->a, " flags=x db=0 sub=0 psub=0 ssub=0 multi=2 ");
    says(&f->a, "CLIENT INFO\r\n");
    is_described(&f->a, " flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 ");
    says(&f->a, "MULTI\r\nPING\r\nFOO\r\nPING\r\nPING\r\n");
    says(&f->b, "CLIENT LIST ID 1\r\n");
    is_described(&f->b, " flags=x db=0 sub=0 psub=0 ssub=0 multi=1 ");
}

static void
test_session_may_end_while_it_waits(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "WAIT 1 0\r\n");
    says(&f->b, "WAIT 1 0\r\n");
    client_deinit(&f->a);
    host_end_waiting(&f->host);
    is_parked(&f->b, true);
    assert_int_equal(f->host.nblocked, 1);
}

static void
test_session_says_nothing_where_that_is_wished(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "CLIENT REPLY SKIP\r\nPING\r\nECHO 1\r\n");
    hears(&f->a, "$1\r\n1\r\n");
    says(&f->a, "CLIENT REPLY OFF\r\nPING\r\nFOO\r\nGET\r\nCLIENT REPLY SKIP\r\n"
                "MULTI\r\nPING\r\nEXEC\r\nPING\r\n");
    hears(&f->a, "");
    says(&f->a, "CLIENT REPLY ON\r\n");
    hears(&f->a, "+OK\r\n");
    says(&f->a, "MULTI\r\nCLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n");
    hears(&f->a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    says(&f->a, "EXEC\r\n");
    hears(&f->a, "*4\r\n+OK\r\n+PONG\r\n");
    says(&f->a, "CLIENT REPLY SKIP\r\nRESET\r\nPING\r\n");
    hears(&f->a, "+PONG\r\n");
    says(&f->a, "CLIENT REPLY OFF\r\n*1\r\n$x\r\n");
    hears(&f->a, "");
    assert_true(session_is_closing(f->a.session));
}

static void
test_session_skips_the_reply_behind_exec_though_it_wants_others(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MULTI\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY OFF\r\nCLIENT REPLY ON\r\n");
    hears_of(&f->a, "+OK\r\n");
    says(&f->a, "EXEC\r\nECHO 1\r\nECHO 2\r\n");
    hears(&f->a, "*3\r\n+OK\r\n$1\r\n2\r\n");
}

static void
test_session_takes_an_empty_request_for_the_next_one(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "CLIENT REPLY SKIP\r\n\r\nECHO 1\r\n");
    hears(&f->a, "$1\r\n1\r\n");
    says(&f->a, "CLIENT REPLY SKIP\r\n*0\r\nECHO 2\r\n");
    hears(&f->a, "$1\r\n2\r\n");
    tracks(&f->a, "OPTIN");
    says(&f->a, "CLIENT CACHING YES\r\n*-1\r\nGET k\r\nSET k 1\r\n");
    hears(&f->a, "+OK\r\n_\r\n+OK\r\n");
    says(&f->a, "CLIENT CACHING YES\r\nMULTI\r\n\r\nGET k\r\nEXEC\r\n");
    hears_of(&f->a, "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n");
    says(&f->b, "SET k 2\r\n");
    hears(&f->a, CHANGED("k"));
}

static void
test_session_that_kills_itself_in_exec_hears_of_it(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MULTI\r\nPING\r\nCLIENT KILL ID 1 SKIPME no\r\nPING\r\n");
    hears_of(&f->a, "+OK\r\n");
    says(&f->a, "EXEC\r\n");
    hears(&f->a, "*3\r\n+PONG\r\n:1\r\n");
    assert_true(session_is_closing(f->a.session));
}

static void
test_session_hears_messages_where_it_wants_no_replies(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "HELLO 3\r\n");
    hears_of(&f->a, "%7\r\n");
    says(&f->a, "CLIENT REPLY OFF\r\nSUBSCRIBE c\r\nPING\r\n");
    hears(&f->a, ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    says(&f->b, "PUBLISH c 1\r\n");
    hears(&f->a, ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\n1\r\n");
    says(&f->a, "PING\r\nPUBLISH c 2\r\nPING\r\n");
    hears(&f->a, ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\n2\r\n");
    says(&f->a, "MULTI\r\nPING\r\nPUBLISH c 3\r\nPING\r\nEXEC\r\nPING\r\n");
    hears(&f->a, ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\n3\r\n");
    says(&f->a, "CLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nUNSUBSCRIBE\r\nPING\r\n");
    hears(&f->a, "+OK\r\n>3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n+PONG\r\n");
}

static void
test_session_that_watches_sees_nothing_where_it_wants_no_replies(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MONITOR\r\nCLIENT REPLY OFF\r\n");
    hears(&f->a, "+OK\r\n");
    says(&f->b, "PING\r\n");
    hears(&f->a, "");
    says(&f->a, "CLIENT REPLY ON\r\n");
    hears_of(&f->a, "+OK\r\n");
    says(&f->b, "PING\r\n");
    is_shown(&f->a, "[0 127.0.0.1:1] \"PING\"\r\n");
}

/* --- tracking --- */

static void
test_session_hears_of_a_change_when_it_is_safe(void **state)
{
    struct fixture *f = *state;

    tracks(&f->a, "");
    says(&f->a, "GET k\r\n");
    hears(&f->a, "_\r\n");
    f->keyspace.stamp = 7;
    says(&f->b, "SET k v\r\nSET k w\r\n");
    hears(&f->a, CHANGED("k"));
    assert_int_equal(session_depends(f->a.session), 7);
}

static void
test_session_hears_a_broadcast_when_what_it_tells_of_is_safe(void **state)
{
    struct fixture *f = *state;

    tracks(&f->a, "BCAST");
    f->keyspace.stamp = 7;
    says(&f->b, "SET k v\r\n");
    f->keyspace.stamp = 1;
    says(&f->b, "GET k\r\n");
    hears(&f->a, "");
    host_end_turn(&f->host);
    hears(&f->a, CHANGED("k"));
    assert_int_equal(session_depends(f->a.session), 7);
    host_end_turn(&f->host);
    hears(&f->a, "");
}

static void
test_session_hears_of_changes_though_it_wants_no_answers(void **state)
{
    struct fixture *f = *state;

    tracks(&f->a, "");
    says(&f->a, "GET k\r\nCLIENT REPLY OFF\r\n");
    hears(&f->a, "_\r\n");
    says(&f->a, "SET k v\r\nGET k\r\n");
    hears(&f->a, CHANGED("k"));
    says(&f->b, "SET k w\r\n");
    hears(&f->a, CHANGED("k"));
}

static void
test_session_that_tracks_may_end(void **state)
{
    struct fixture *f = *state;

    tracks(&f->a, "");
    says(&f->a, "GET k\r\n");
    client_deinit(&f->a);
    says(&f->b, "SET k v\r\n");
    hears(&f->b, "+OK\r\n");
    assert_null(f->keyspace.changed);
    tracks(&f->b, "BCAST PREFIX k PREFIX l");
    assert_non_null(f->keyspace.changed);
    says(&f->b, "SET k v\r\n");
    client_deinit(&f->b);
    host_end_turn(&f->host);
    assert_null(f->keyspace.changed);
    assert_int_equal(f->host.tracking.nclients, 0);
}

static void
test_session_hears_at_once_that_its_key_is_forgotten(void **state)
{
    struct fixture *f = *state;

    f->config->tracking_table_max_keys = 1;
    tracks(&f->a, "NOLOOP");
    says(&f->a, "GET k\r\n");
    hears(&f->a, "_\r\n");
    says(&f->a, "EXISTS l\r\n");
    hears(&f->a, ":0\r\n");
    says(&f->a, "PING\r\n");
    hears_of(&f->a, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\n");
    assert_int_equal(f->host.tracking.tracked.keys.count, 1);
    says(&f->a, "MGET a b c d\r\n");
    host_tick(&f->host);
    assert_int_equal(f->host.tracking.tracked.keys.count, 1);
}

static void
test_session_hears_of_prefixes_within_prefixes(void **state)
{
    struct fixture *f = *state;

    tracks(&f->a, "BCAST PREFIX a PREFIX b PREFIX cc");
    tracks(&f->b, "BCAST PREFIX ab PREFIX c");
    says(&f->b, "SET ac v\r\nSET aa v\r\nSET bb v\r\nSET c v\r\nSET d v\r\n");
    hears(&f->b, "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n");
    host_end_turn(&f->host);
    hears(&f->a, ">2\r\n$10\r\ninvalidate\r\n*2\r\n$2\r\naa\r\n$2\r\nac\r\n"
                 ">2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\nbb\r\n");
    hears(&f->b, CHANGED("c"));
    says(&f->b, "CLIENT TRACKING OFF\r\nSET cc v\r\nSET abc v\r\n");
    hears(&f->b, "+OK\r\n+OK\r\n+OK\r\n");
    host_end_turn(&f->host);
    hears(&f->a, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nabc\r\n"
                 ">2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\ncc\r\n");
    hears(&f->b, "");
}

#define SUBSCRIBED(mark) mark "3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n"
#define MESSAGE(mark)    mark "3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$2\r\nhi\r\n"

static void
test_session_that_gets_no_replies_gets_messages(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "CLIENT REPLY SKIP\r\nSUBSCRIBE x\r\n");
    hears(&f->a, SUBSCRIBED("*"));
    says(&f->a, "UNSUBSCRIBE\r\nHELLO 3\r\n");
    hears_of(&f->a, "*3\r\n$11\r\nunsubscribe\r\n");
    says(&f->a, "CLIENT REPLY OFF\r\nSUBSCRIBE x\r\nFOO\r\nPUBLISH x hi\r\n"
                "MULTI\r\nECHO y\r\nPUBLISH x hi\r\nECHO z\r\nEXEC\r\n");
    hears(&f->a, SUBSCRIBED(">") MESSAGE(">") MESSAGE(">"));
    says(&f->b, "PUBLISH x hi\r\n");
    hears(&f->a, MESSAGE(">"));
    says(&f->a, "CLIENT REPLY ON\r\n");
    hears(&f->a, "+OK\r\n");
}

static void
test_session_that_kills_itself_in_exec_hears_what_was_before(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "MULTI\r\nECHO y\r\nCLIENT KILL ID 1 SKIPME no\r\nCLIENT KILL ID x\r\n"
                "ECHO z\r\nEXEC\r\n");
    hears(&f->a, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                 "*4\r\n$1\r\ny\r\n:1\r\n");
    assert_true(session_is_closing(f->a.session));
}

static void
test_session_that_closes_gets_no_messages(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "SUBSCRIBE x\r\nQUIT\r\n");
    hears(&f->a, SUBSCRIBED("*") "+OK\r\n");
    says(&f->b, "PUBLISH x hi\r\n");
    hears(&f->b, ":1\r\n");
    hears(&f->a, "");
}

static void
test_session_that_was_killed_gets_no_messages(void **state)
{
    struct fixture *f = *state;

    says(&f->a, "SUBSCRIBE x\r\n");
    hears(&f->a, SUBSCRIBED("*"));
    says(&f->b, "MULTI\r\nCLIENT KILL ID 1\r\nPUBLISH x hi\r\nEXEC\r\n");
    assert_true(session_is_killed(f->a.session));
    hears(&f->a, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_session_answers_the_same_however_requests_are_cut),
        TEST(test_session_keeps_the_requests_of_a_pipeline_apart),
        TEST(test_session_tells_an_error_behind_what_it_waits_for),
        TEST(test_session_that_logs_in_may_say_more_at_once),
        TEST(test_session_tells_a_protocol_error_and_closes),
        TEST(test_session_does_nothing_behind_quit),
        TEST(test_session_hangs_up_on_a_browser),
        TEST(test_session_asks_for_the_shutdown_and_answers_nothing),
        TEST(test_session_stops_while_its_output_is_not_taken),
        TEST(test_session_depends_on_the_highest_stamp_it_told_of),
        TEST(test_session_bounds_a_transaction),
        TEST(test_session_waits_for_a_key_and_goes_on),
        TEST(test_session_asks_again_for_the_next_request),
        TEST(test_session_tells_that_the_disk_failed_and_goes_on),
        TEST(test_session_fetches_for_exec_what_is_queued_in_its_stores),
        TEST(test_session_ends_a_transaction_the_disk_failed),
        TEST(test_session_refuses_before_it_asks_the_disk),
        TEST(test_session_freed_while_it_waits_cancels_the_reading),
        TEST(test_session_holds_writes_and_no_reads),
        TEST(test_session_holds_exec_if_it_would_write),
        TEST(test_session_that_waited_longest_writes_first),
        TEST(test_session_freed_while_it_waits_to_write_leaves_the_others),
        TEST(test_session_whose_keys_have_come_writes_at_once),
        TEST(test_session_refuses_writes_while_the_log_fails),
        TEST(test_session_refuses_a_transaction_while_the_log_fails),
        TEST(test_session_tells_that_nothing_could_be_saved),
        TEST(test_session_ends_the_server_while_the_log_fails_only_by_force),
        TEST(test_session_shows_what_others_do),
        TEST(test_session_shows_no_secrets_and_no_operators),
        TEST(test_session_shows_what_waits_when_it_begins),
        TEST(test_session_that_watches_may_not_look_at_keys),
        TEST(test_session_may_be_silent_while_it_waits_or_hears),
        TEST(test_session_waits_for_replicas_until_it_is_unblocked),
        TEST(test_session_that_writes_waits_while_paused),
        TEST(test_session_that_would_publish_in_exec_waits_while_paused),
        TEST(test_session_that_watches_others_is_not_paused),
        TEST(test_session_is_described_while_it_waits),
        TEST(test_session_is_described_in_exec),
        TEST(test_session_may_end_while_it_waits),
        TEST(test_session_says_nothing_where_that_is_wished),
        TEST(test_session_skips_the_reply_behind_exec_though_it_wants_others),
        TEST(test_session_takes_an_empty_request_for_the_next_one),
        TEST(test_session_that_kills_itself_in_exec_hears_of_it),
        TEST(test_session_hears_messages_where_it_wants_no_replies),
        TEST(test_session_that_watches_sees_nothing_where_it_wants_no_replies),
        TEST(test_session_frees_in_exec_what_each_request_took),
        TEST(test_session_whose_reply_is_over_the_hard_limit_is_closed),
        TEST(test_session_bounds_the_replies_of_a_transaction),
        TEST(test_session_bounds_the_values_of_one_reply),
        TEST(test_session_that_takes_no_messages_is_closed),
        TEST(test_session_over_the_soft_limit_is_closed_when_it_stays_there),
        TEST(test_session_may_be_over_the_soft_limit_for_ever),
        TEST(test_session_that_watches_and_takes_nothing_is_closed),
        TEST(test_session_counts_what_its_owner_keeps),
        TEST(test_session_hears_of_a_change_when_it_is_safe),
        TEST(test_session_hears_a_broadcast_when_what_it_tells_of_is_safe),
        TEST(test_session_hears_of_changes_though_it_wants_no_answers),
        TEST(test_session_that_tracks_may_end),
        TEST(test_session_hears_at_once_that_its_key_is_forgotten),
        TEST(test_session_hears_of_prefixes_within_prefixes),
        TEST(test_session_that_gets_no_replies_gets_messages),
        TEST(test_session_that_kills_itself_in_exec_hears_what_was_before),
        TEST(test_session_that_closes_gets_no_messages),
        TEST(test_session_that_was_killed_gets_no_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
