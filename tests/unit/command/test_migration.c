/*
 * migration: what MIGRATE tells another server, and when. Here the other server is this
 * test, and so is the disk; tests/unit/server/test_migrate.c has real ones. The keys are
 * copied: nothing here can be removed.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "command/host.h"
#include "command/peer.h"
#include "command/session.h"
#include "fake_keyspace.h"

/* One connection. */
struct peer {
    bool is_open, is_left;
    char to[64]; /* "host port ms" */
    const struct peer_events *events;
    void *arg;
    struct buf heard;
    size_t nlines; /* answers that are expected to it */
    uint64_t depends;
};

struct fixture {
    struct config *config;
    struct keyspace keyspace;
    struct host host;
    struct session *session;
    struct buf input;
    struct peer peer;
};

static struct peer *
open_peer(void *sockets, const struct peer_address *to, const struct peer_events *events,
          void *arg)
{
    struct peer *p = sockets;

    assert_false(p->is_open);
    *p = (struct peer){.is_open = true, .events = events, .arg = arg};
    snprintf(p->to, sizeof p->to, "%.*s %.*s %d", (int)to->host.len, to->host.data,
             (int)to->port.len, to->port.data, (int)to->timeout_ms);
    return p;
}

static void
send_to_peer(struct peer *p, struct buf *takes, size_t nlines, uint64_t depends)
{
    assert_true(p->is_open);
    buf_append_bytes(&p->heard, buf_bytes(takes));
    buf_deinit(takes);
    p->nlines += nlines;
    p->depends = depends;
}

static void
close_peer(struct peer *p)
{
    assert_true(p->is_open);
    p->is_open = false;
}

static void
leave_peer(struct peer *p)
{
    close_peer(p);
    p->is_left = true;
}

static const struct peer_calls calls = {open_peer, send_to_peer, leave_peer, close_peer};

static void
feed(void *arg)
{
    struct fixture *f = arg;

    buf_consume(&f->input, session_feed(f->session, buf_bytes(&f->input)));
}

static int
setup(void **state)
{
    static const struct session_owner owner = {.resumed = feed, .pushed = feed};
    static const struct session_peer peer = {"127.0.0.1:1", "127.0.0.1:2", -1};
    struct fixture *f = xcalloc(1, sizeof *f);

    f->config = config_new();
    host_init(&f->host, f->config, &f->keyspace);
    f->host.peer_calls = &calls;
    f->host.sockets = &f->peer;
    f->session = session_new(&f->host, &owner, f, &peer);
    *state = f;
    return 0;
}

static void
hang_up(struct fixture *f)
{
    session_free(f->session);
    f->session = NULL;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    if (f->session != NULL)
        hang_up(f);
    assert_false(f->peer.is_open);
    assert_int_equal(f->keyspace.stores[0].holds, 0);
    buf_deinit(&f->peer.heard);
    buf_deinit(&f->input);
    host_deinit(&f->host);
    config_free(f->config);
    free(f);
    return 0;
}

static void
says(struct fixture *f, const char *text)
{
    buf_append(&f->input, text, strlen(text));
    feed(f);
}

/* Takes what the client is told, and expects it to be just this. */
static void
hears(struct fixture *f, const char *text)
{
    struct buf *out = session_output(f->session);

    buf_append(out, "", 1);
    assert_string_equal(out->data, text);
    buf_clear(out, 0);
}

static void
peer_says(struct fixture *f, const char *line)
{
    assert_true(f->peer.is_open);
    f->peer.events->said(f->peer.arg, bytes_str(line));
}

/* Takes what the peer was told, and expects it to have these words in this order, and so
 * many answers. */
static void
peer_hears(struct fixture *f, size_t nlines, const char *const *words)
{
    struct peer *p = &f->peer;
    const char *at = p->heard.data;

    assert_int_equal(p->nlines, nlines);
    for (; *words != NULL; words++) {
        at = memmem(at, (size_t)(p->heard.data + p->heard.len - at), *words,
                    strlen(*words));
        assert_non_null(at);
    }
    buf_clear(&p->heard, 0);
    p->nlines = 0;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
connect_peer(struct fixture *f)
{
    f->peer.events->connected(f->peer.arg);
    peer_hears(f, 1, WORDS("SELECT", "0"));
    peer_says(f, "+OK");
}

/* --- */

static void
test_migration_asks_for_the_peer_that_is_named(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 123 COPY\r\n");
    hears(f, "+OK\r\n");
    assert_true(session_is_parked(f->session));
    assert_true(f->peer.is_open);
    assert_string_equal(f->peer.to, "host 77 123");
    connect_peer(f);
    peer_hears(f, 1, WORDS("RESTORE", "$1\r\nk\r\n", "$1\r\n0\r\n"));
    peer_says(f, "+OK");
    assert_true(f->peer.is_left);
    hears(f, "+OK\r\n");
}

static void
test_migration_leaves_no_connection_that_is_logged_in(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 123 COPY AUTH secret\r\n");
    hears(f, "+OK\r\n");
    f->peer.events->connected(f->peer.arg);
    peer_hears(f, 2, WORDS("AUTH", "secret", "SELECT"));
    peer_says(f, "+OK");
    peer_says(f, "+OK");
    peer_says(f, "+OK");
    assert_false(f->peer.is_open);
    assert_false(f->peer.is_left);
    hears(f, "+OK\r\n");
}

static void
test_migration_greets_again_where_nothing_had_arrived(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 123 COPY\r\n");
    f->peer.events->connected(f->peer.arg);
    peer_hears(f, 1, WORDS("SELECT", "0"));
    connect_peer(f);
    peer_hears(f, 1, WORDS("RESTORE"));
}

static void
test_migration_has_a_second_where_no_time_is_given(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 0 COPY\r\n");
    assert_string_equal(f->peer.to, "host 77 1000");
}

static void
test_migration_tells_nothing_before_the_log_has_it(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 0 COPY\r\n");
    f->keyspace.stamp = 42;
    f->peer.events->connected(f->peer.arg);
    assert_int_equal(f->peer.depends, 0);
    peer_says(f, "+OK");
    assert_int_equal(f->peer.depends, 42);
}

static void
test_migration_sends_what_comes_next_when_there_is_room(void **state)
{
    struct fixture *f = *state;

    says(f, "MSET a 1 b 2 c 3\r\nMIGRATE host 77 \"\" 0 0 COPY REPLACE KEYS a b c\r\n");
    hears(f, "+OK\r\n");
    connect_peer(f);
    peer_hears(f, 3, WORDS("\r\na\r\n", "REPLACE", "\r\nb\r\n", "REPLACE", "\r\nc\r\n"));
    peer_says(f, "+OK");
    peer_says(f, "-ERR one");
    assert_true(session_is_parked(f->session));
    peer_says(f, "-ERR two");
    hears(f, "-ERR Target instance replied with error: ERR one\r\n");
}

static void
test_migration_reads_keys_that_have_left_memory(void **state)
{
    struct fixture *f = *state;

    says(f, "MSET a 1 b 2\r\nMIGRATE host 77 \"\" 0 0 COPY KEYS a b\r\n");
    hears(f, "+OK\r\n");
    f->keyspace.is_cold = true;
    connect_peer(f);
    assert_string_equal(f->keyspace.asked, "0/a ");
    /* The fake disk gives all keys with the one, as long as its answer is being told. */
    disk_answers(&f->keyspace, 0);
    peer_hears(f, 2, WORDS("\r\na\r\n", "\r\nb\r\n"));
    peer_says(f, "+OK");
    peer_says(f, "+OK");
    /* Once more, as any command's keys. */
    assert_string_equal(f->keyspace.asked, "0/a 0/b ");
    disk_answers(&f->keyspace, 0);
    hears(f, "+OK\r\n");
}

static void
test_migration_ends_where_the_disk_fails(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 0 COPY\r\n");
    hears(f, "+OK\r\n");
    f->keyspace.is_cold = true;
    connect_peer(f);
    disk_answers(&f->keyspace, -1);
    assert_false(f->peer.is_open);
    disk_answers(&f->keyspace, -1);
    hears(f, "-IOERR could not read from the disk, the server's log says why\r\n");
}

static void
test_migration_says_what_failed(void **state)
{
    static const char *const texts[] = {
        [PEER_UNREACHABLE] = "-IOERR error or timeout connecting to the client\r\n",
        [PEER_UNWRITABLE] = "-IOERR error or timeout writing to target instance\r\n",
        [PEER_UNREADABLE] = "-IOERR error or timeout reading to target instance\r\n",
    };
    struct fixture *f = *state;

    says(f, "SET k v\r\n");
    hears(f, "+OK\r\n");
    for (size_t why = 0; why < sizeof texts / sizeof *texts; why++) {
        says(f, "MIGRATE host 77 k 0 0 COPY\r\n");
        f->peer.is_open = false;
        f->peer.events->failed(f->peer.arg, (enum peer_failure)why);
        hears(f, texts[why]);
    }
}

static void
test_migration_is_broken_off_with_its_session(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 0 COPY\r\n");
    f->keyspace.is_cold = true;
    connect_peer(f);
    assert_non_null(f->keyspace.fetch);
    hang_up(f);
    assert_false(f->peer.is_open);
    assert_int_equal(f->keyspace.ncancelled, 1);
}

static void
test_migration_needs_no_peer_for_keys_that_are_not_there(void **state)
{
    struct fixture *f = *state;

    says(f, "MIGRATE host 77 \"\" 0 0 COPY KEYS a b c\r\n");
    assert_false(f->peer.is_open);
    hears(f, "+NOKEY\r\n");
}

static void
test_migration_is_one_request_of_a_pipeline(void **state)
{
    struct fixture *f = *state;

    says(f, "SET k v\r\nMIGRATE host 77 k 0 0 COPY\r\nGET k\r\n");
    hears(f, "+OK\r\n");
    connect_peer(f);
    peer_says(f, "+OK");
    hears(f, "+OK\r\n$1\r\nv\r\n");
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_migration_asks_for_the_peer_that_is_named),
        TEST(test_migration_leaves_no_connection_that_is_logged_in),
        TEST(test_migration_greets_again_where_nothing_had_arrived),
        TEST(test_migration_has_a_second_where_no_time_is_given),
        TEST(test_migration_tells_nothing_before_the_log_has_it),
        TEST(test_migration_sends_what_comes_next_when_there_is_room),
        TEST(test_migration_reads_keys_that_have_left_memory),
        TEST(test_migration_ends_where_the_disk_fails),
        TEST(test_migration_says_what_failed),
        TEST(test_migration_is_broken_off_with_its_session),
        TEST(test_migration_needs_no_peer_for_keys_that_are_not_there),
        TEST(test_migration_is_one_request_of_a_pipeline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
