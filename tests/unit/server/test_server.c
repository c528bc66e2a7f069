/*
 * server: the loop's turns. The linker puts the functions below in front of others: the
 * keyspace's background work is made up, and what libuv is given to send is looked at.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/host.h"
#include "lib/client.h"
#include "server/server.h"
#include "unit/keyspace/world.h"
#include <unistd.h>
#include <uv.h>

#define SLICES 100 /* that the work takes */

/* --- a server, and this thread its loop --- */

struct fixture {
    struct config *config;
    struct host host;
    struct server *server;
};

static void
set_up(struct fixture *f, struct world *w)
{
    world_start(w);
    f->config = config_new();
    host_init(&f->host, f->config, w->keyspace);
    f->server = server_new();
}

static void
tear_down(struct fixture *f)
{
    server_free(f->server);
    host_deinit(&f->host);
    config_free(f->config);
}

/* --- background work --- */

static struct {
    struct host *host;
    int slices;    /* that were done */
    int in_a_turn; /* since the last batch; a turn has two */
    int most;
} work;

int __real_keyspace_commit(struct keyspace *ks);
int __wrap_keyspace_commit(struct keyspace *ks);
int64_t __wrap_keyspace_tend(struct keyspace *ks, int64_t now);

int
__wrap_keyspace_commit(struct keyspace *ks)
{
    work.in_a_turn = 0;
    return __real_keyspace_commit(ks);
}

int64_t
__wrap_keyspace_tend(struct keyspace *ks, int64_t now)
{
    (void)ks;
    (void)now;
    work.slices++;
    work.in_a_turn++;
    if (work.in_a_turn > work.most)
        work.most = work.in_a_turn;
    if (work.slices == SLICES)
        work.host->shutdown_asked = true;
    return work.slices < 2 * SLICES ? 0 : 1000;
}

static void
test_server_does_one_slice_of_background_work_at_a_time(void **state)
{
    struct fixture f;

    set_up(&f, *state);
    work.host = &f.host;
    assert_int_equal(server_run(f.server, &f.host), 0);
    assert_in_range(work.slices, SLICES, SLICES + 2);
    assert_int_equal(work.most, 1);
    tear_down(&f);
}

/* --- sending --- */

#define WHOLE      (4 * 1024 * 1024) /* bytes of a value that is sent at once */
#define LONG       (2 * WHOLE)       /* of one that is not, */
#define PIECE_SIZE (32 * 1024)       /* but so, where its client had to wait for it */

static bool waits;
static size_t value_len, sent_most;

/* Whole pages the reply has given back so far, and where the last of them ends. */
static size_t given_back;
static uintptr_t given_to;

int __real_uv_write(uv_write_t *write, uv_stream_t *stream, const uv_buf_t *pieces,
                    unsigned count, uv_write_cb done);
int __wrap_uv_write(uv_write_t *write, uv_stream_t *stream, const uv_buf_t *pieces,
                    unsigned count, uv_write_cb done);
int __real_uv_try_write(uv_stream_t *stream, const uv_buf_t *pieces, unsigned count);
int __wrap_uv_try_write(uv_stream_t *stream, const uv_buf_t *pieces, unsigned count);
void __wrap_pages_give_back(void *data, size_t len);

static void
note_pieces(const uv_buf_t *pieces, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (pieces[i].len > sent_most)
            sent_most = pieces[i].len;
    }
}

int
__wrap_uv_write(uv_write_t *write, uv_stream_t *stream, const uv_buf_t *pieces,
                unsigned count, uv_write_cb done)
{
    note_pieces(pieces, count);
    return __real_uv_write(write, stream, pieces, count, done);
}

int
__wrap_uv_try_write(uv_stream_t *stream, const uv_buf_t *pieces, unsigned count)
{
    note_pieces(pieces, count);
    return __real_uv_try_write(stream, pieces, count);
}

void
__wrap_pages_give_back(void *data, size_t len)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)data + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)data + len) / page * page;

    if (from < given_to)
        from = given_to;
    if (from < to) {
        given_back += to - from;
        given_to = to;
    }
}

/* It would be hung up on only when the server is freed. */
static void
shut_down(struct client *c)
{
    assert_int_equal(client_send(c, bytes_str("SHUTDOWN\r\n")), 0);
}

/* A client, on a thread of its own: gets a value back, and shuts the server down. */
static void *
get_back(void *arg)
{
    const struct fixture *f = arg;
    struct client *c = client_open((int)server_port(f->server));
    char *bytes = xcalloc(1, value_len);
    struct bytes set[] = {bytes_str("SET"), bytes_str("k"), bytes_of(bytes, value_len)};
    struct answer answer;

    assert_true(client_command(c, set, 3, &answer));
    answer_deinit(&answer);
    client_send(c, bytes_str(waits ? "WAIT 1 1\r\nGET k\r\n" : "PING\r\nGET k\r\n"));
    assert_true(client_answer(c, &answer));
    answer_deinit(&answer);
    assert_true(client_answer(c, &answer));
    assert_int_equal(answer.len, value_len);
    answer_deinit(&answer);
    shut_down(c);
    client_close(c);
    free(bytes);
    return NULL;
}

/* Serves it until it has shut the server down. */
static void
serve(struct fixture *f, void *client(void *arg))
{
    pthread_t thread;

    f->config->port = 0;
    assert_int_equal(server_listen(f->server, f->config), 0);
    work.slices = 2 * SLICES; /* there is none */
    assert_int_equal(pthread_create(&thread, NULL, client, f), 0);
    assert_int_equal(server_run(f->server, &f->host), 0);
    pthread_join(thread, NULL);
}

static void
get_value(struct world *world, size_t len, bool after_waiting)
{
    struct fixture f;

    waits = after_waiting;
    value_len = len;
    sent_most = given_back = given_to = 0;
    set_up(&f, world);
    serve(&f, get_back);
    tear_down(&f);
}

static void
test_server_sends_a_reply_at_once(void **state)
{
    get_value(*state, WHOLE, false);
    assert_in_range(sent_most, WHOLE, WHOLE + 100);
}

static void
test_server_keeps_the_memory_of_a_reply_for_a_second(void **state)
{
    struct fixture f;

    waits = false;
    value_len = WHOLE;
    set_up(&f, *state);
    serve(&f, get_back);
    assert_in_range(f.host.spare.cap, WHOLE, BUF_SPARE_MAX);
    f.host.spared_us -= 1000000;
    host_tick(&f.host);
    assert_int_equal(f.host.spare.cap, 0);
    tear_down(&f);
}

static void
test_server_sends_a_long_reply_that_was_waited_for_in_pieces(void **state)
{
    get_value(*state, LONG, true);
    assert_int_equal(sent_most, PIECE_SIZE);
}

/* Of the first piece and the last that may be less. */
static void
test_server_gives_the_memory_of_a_long_reply_back_as_it_is_sent(void **state)
{
    get_value(*state, LONG, true);
    assert_in_range(given_back, LONG - 2 * PIECE_SIZE, LONG);
}

/* --- time --- */

/* Says nothing until it is hung up on. */
static void *
be_silent(void *arg)
{
    const struct fixture *f = arg;
    struct client *c = client_open((int)server_port(f->server));
    char byte;

    assert_string_equal(client_ask(c, "PING"), "PONG");
    clock_advance(-3600000);
    assert_int_equal(client_receive(c, &byte, 1), 0);
    clock_advance(3600000);
    client_close(c);
    c = client_open((int)server_port(f->server));
    shut_down(c);
    client_close(c);
    return NULL;
}

static void
test_server_hangs_up_on_the_silent_though_the_clock_was_set_back(void **state)
{
    struct fixture f;

    set_up(&f, *state);
    f.config->timeout = 1;
    serve(&f, be_silent);
    tear_down(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_server_does_one_slice_of_background_work_at_a_time),
        WORLD_TEST(test_server_sends_a_reply_at_once),
        WORLD_TEST(test_server_keeps_the_memory_of_a_reply_for_a_second),
        WORLD_TEST(test_server_sends_a_long_reply_that_was_waited_for_in_pieces),
        WORLD_TEST(test_server_gives_the_memory_of_a_long_reply_back_as_it_is_sent),
        WORLD_TEST(test_server_hangs_up_on_the_silent_though_the_clock_was_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
