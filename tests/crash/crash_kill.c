/*
 * crash_kill: kill -9 at random moments under load loses nothing that was acknowledged,
 * tears no transaction and brings nothing from the future; DBSIZE is right, and the
 * server is up at once. The directory is carried from round to round, so what was
 * recovered is recovered again.
 *
 * usage: crash_kill [rounds [seed]]
 *
 * Half of the rounds are in appendfsync always, half in everysec; some have little memory
 * and a short log; in some the server is killed once more while it recovers.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "lib/pause.h"
#include "lib/writer.h"
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS      50
#define LOAD_MS     400 /* at most, from the start of the load to the kill */
#define RECOVERY_MS 60  /* at most, from the start to the second kill */
/* Every so many rounds: */
#define TIGHT_EVERY  5  /* little memory, a short log */
#define TWICE_EVERY  3  /* killed while it recovers, too */
#define STEADY_EVERY 10 /* a longer life, in which the tables catch up */
#define STEADY_MS    1500

struct crash {
    struct daemon *server;
    struct writer *writers[WRITERS];
    uint64_t random;
    int64_t slowest_us; /* start */
    uint64_t on_way, kept;
};

static void
choose_arguments(struct crash *c, int round)
{
    char *args[] = {"--appendfsync",
                    round % 2 == 0 ? "everysec" : "always",
                    "--maxmemory",
                    "1mb",
                    "--log-distance",
                    "4mb",
                    NULL};

    if (round % TIGHT_EVERY != TIGHT_EVERY - 1)
        args[2] = NULL;
    daemon_set_args(c->server, args);
}

static bool
load_and_kill(struct crash *c, int round)
{
    bool right = true;

    for (int i = 0; i < WRITERS; i++)
        writer_start(c->writers[i], c->server);
    let_pass_at_most(&c->random,
                     round % STEADY_EVERY == STEADY_EVERY - 1 ? STEADY_MS : LOAD_MS);
    daemon_kill(c->server);
    for (int i = 0; i < WRITERS; i++) {
        right &= writer_join(c->writers[i]);
        c->on_way += writer_pending(c->writers[i]);
    }
    return right;
}

static void
start_again(struct crash *c, int round)
{
    if (round % TWICE_EVERY == 0) {
        daemon_launch(c->server);
        let_pass_at_most(&c->random, RECOVERY_MS);
        daemon_kill(c->server);
    }
    int64_t began = clock_mono_us();
    daemon_start(c->server);
    int64_t took = clock_mono_us() - began;
    if (took > c->slowest_us)
        c->slowest_us = took;
}

static bool
check(struct crash *c)
{
    bool right = true;

    for (int i = 0; i < WRITERS; i++) {
        int kept = writer_check(c->writers[i], c->server);
        right &= kept >= 0;
        c->kept += kept > 0 ? (uint64_t)kept : 0;
    }
    return right && writers_agree_on_sizes(c->writers, c->server);
}

/* The server that was checked is the one that the next round writes to. */
static bool
play_round(struct crash *c, int round)
{
    bool right = load_and_kill(c, round);

    choose_arguments(c, round + 1);
    start_again(c, round);
    right &= check(c);
    if (right)
        return true;
    char *output = daemon_output(c->server);
    fprintf(stderr, "round %d failed; the server said:\n%s\n", round, output);
    free(output);
    return false;
}

static void
tell(const struct crash *c, int rounds)
{
    uint64_t acknowledged = 0;

    for (int i = 0; i < WRITERS; i++)
        acknowledged += writer_acknowledged(c->writers[i]);
    printf(
        "%d rounds: %llu changes acknowledged and there; %llu on their way, %llu of them "
        "there; slowest start %lld ms\n",
        rounds, (unsigned long long)acknowledged, (unsigned long long)c->on_way,
        (unsigned long long)c->kept, (long long)c->slowest_us / 1000);
}

int
main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)clock_ms();
    struct crash crash = {.random = seed | 1};
    bool right = true;

    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    crash.server = daemon_new(DAEMON_KEYVALD, NULL);
    for (int i = 0; i < WRITERS; i++)
        crash.writers[i] = writer_new(i, seed);
    choose_arguments(&crash, 0);
    daemon_start(crash.server);
    int round = 0;
    while (round < rounds && right)
        right = play_round(&crash, round++);
    tell(&crash, round);
    for (int i = 0; i < WRITERS; i++)
        writer_free(crash.writers[i]);
    daemon_free(crash.server);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
