/*
 * crash_swap: stores are swapped, written to and flushed, and the server is killed at
 * random moments. Afterwards each key is in the store of the name it had at one moment,
 * and that moment is not before the last answer.
 *
 * usage: crash_swap [rounds [seed]]
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"
#include "lib/daemon.h"
#include "lib/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define ROUNDS   25
#define STORES   4
#define KEYS     10
#define REQUESTS 20000 /* in a round, at most */
#define LOAD_MS  150   /* from the requests to the kill, at most */
#define TEXT     4096
#define NO_VALUE 0

static const char *const names[STORES] = {"0", "shop", "a/b", "garden"};

struct state {
    int values[STORES][KEYS];
    int selected;
};

enum what { SELECT, SET, DEL, SWAP, FLUSH };

struct request {
    enum what what;
    int a, b, value;
};

static struct request
any_request(uint64_t *random, int value)
{
    static const enum what kinds[] = {SELECT, SELECT, SET, SET,  SET,
                                      SET,    DEL,    DEL, SWAP, SWAP};
    struct request r = {.value = value};

    r.what = random_below(random, 300) == 0 ? FLUSH : kinds[random_below(random, 10)];
    r.a = (int)random_below(random, r.what == SET || r.what == DEL ? KEYS : STORES);
    r.b = (int)random_below(random, STORES);
    return r;
}

static void
write_request(struct buf *out, const struct request *r)
{
    switch (r->what) {
    case SELECT:
        buf_printf(out, "SELECT %s\r\n", names[r->a]);
        break;
    case SET:
        buf_printf(out, "SET k%d %d\r\n", r->a, r->value);
        break;
    case DEL:
        buf_printf(out, "DEL k%d\r\n", r->a);
        break;
    case SWAP:
        buf_printf(out, "SWAPDB %s %s\r\n", names[r->a], names[r->b]);
        break;
    case FLUSH:
        buf_printf(out, "FLUSHDB\r\n");
    }
}

static void
carry_out(struct state *s, const struct request *r)
{
    int had[KEYS];

    switch (r->what) {
    case SELECT:
        s->selected = r->a;
        break;
    case SET:
        s->values[s->selected][r->a] = r->value;
        break;
    case DEL:
        s->values[s->selected][r->a] = NO_VALUE;
        break;
    case SWAP:
        memcpy(had, s->values[r->a], sizeof had);
        memcpy(s->values[r->a], s->values[r->b], sizeof had);
        memcpy(s->values[r->b], had, sizeof had);
        break;
    case FLUSH:
        memset(s->values[s->selected], 0, sizeof s->values[0]);
    }
}

/* What a client is told, as numbers. */
static void
read_state(struct daemon *d, struct state *out)
{
    struct client *c = daemon_client(d);
    char line[TEXT];

    *out = (struct state){0};
    for (int store = 0; store < STORES; store++) {
        snprintf(line, sizeof line, "SELECT %s", names[store]);
        assert_string_equal(client_ask(c, line), "OK");
        for (int key = 0; key < KEYS; key++) {
            snprintf(line, sizeof line, "GET k%d", key);
            const char *said = client_ask(c, line);
            out->values[store][key] = said[0] == '"' ? atoi(said + 1) : NO_VALUE;
        }
    }
    client_close(c);
}

/* Each answer is a line. */
static int
count_answers(struct client *c)
{
    char in[TEXT];
    size_t got;
    int lines = 0;

    while ((got = client_receive(c, in, sizeof in)) > 0) {
        for (size_t i = 0; i < got; i++) {
            assert_true(in[i] != '-');
            lines += in[i] == '\n';
        }
    }
    return lines;
}

struct crash {
    struct daemon *daemon;
    struct state state;
    struct request *requests;
    uint64_t random;
    int value;
};

static int
load_and_kill(struct crash *c, int count)
{
    struct buf out = {0};
    struct client *client = daemon_client(c->daemon);
    uint64_t ns = random_below(&c->random, LOAD_MS * 1000000);
    struct timespec wait = {0, (long)ns};

    for (int i = 0; i < count; i++) {
        c->requests[i] = any_request(&c->random, ++c->value);
        write_request(&out, &c->requests[i]);
    }
    assert_int_equal(client_send(client, buf_bytes(&out)), 0);
    nanosleep(&wait, NULL); /* the moment of the kill is what is random here */
    daemon_kill(c->daemon);
    int answered = count_answers(client);
    client_close(client);
    buf_deinit(&out);
    return answered;
}

/* Whether the state is that behind one of the requests, the answered ones included. */
static bool
was_at_some_moment(struct crash *c, const struct state *found, int answered, int count)
{
    c->state.selected = 0;
    for (int i = 0; i <= count; i++) {
        if (i >= answered
            && memcmp(c->state.values, found->values, sizeof found->values) == 0)
            return true;
        if (i < count)
            carry_out(&c->state, &c->requests[i]);
    }
    return false;
}

static int rounds = ROUNDS;
static uint64_t seed = 1;

static void
test_swaps_survive_kill_9(void **state)
{
    struct crash c = {.random = seed};
    struct state found;

    (void)state;
    c.requests = xcalloc(REQUESTS, sizeof *c.requests);
    c.daemon = daemon_new(
        DAEMON_KEYVALD, (char *[]){"--log-distance", "4mb", "--apply-delay", "0", NULL});
    for (int round = 0; round < rounds; round++) {
        int count = (int)random_below(&c.random, REQUESTS);
        daemon_start(c.daemon);
        int answered = load_and_kill(&c, count);
        daemon_start(c.daemon);
        read_state(c.daemon, &found);
        if (!was_at_some_moment(&c, &found, answered, count))
            fail_msg("round %d: what is there never was, or is older than what was "
                     "answered (%d of %d)",
                     round, answered, count);
        c.state = found;
        if (round % 2 == 0)
            daemon_kill(c.daemon);
        else
            assert_int_equal(daemon_stop(c.daemon), 0);
    }
    daemon_free(c.daemon);
    free(c.requests);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swaps_survive_kill_9),
    };

    if (argc > 1)
        rounds = atoi(argv[1]);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
