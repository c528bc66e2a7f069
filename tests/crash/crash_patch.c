/*
 * crash_patch: large values are changed in parts, and the server is killed at random
 * moments, while the tables are brought up to date all the time or never. Afterwards each
 * value is there byte for byte, as after a prefix of what was asked for: everything
 * acknowledged, then some of what was on its way.
 *
 * usage: crash_patch [rounds [seed]]
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/clock.h"
#include "lib/patcher.h"
#include "lib/pause.h"
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS      20
#define PATCHERS    3
#define LOAD_MS     300 /* at most, from the start of the load to the kill */
#define RECOVERY_MS 40  /* at most, from the start to the second kill */
#define TWICE_EVERY 4   /* rounds: killed while it recovers, too */

struct crash {
    struct daemon *server;
    struct patcher *patchers[PATCHERS];
    uint64_t random;
};

/* Much or hardly any memory; sweeps all the time, now and then, or none. */
static void
choose_arguments(struct crash *c, int round)
{
    static char *const delays[] = {"0", "50", "3600000"};
    static char *const memory[] = {"0", "1", "1mb", "0"};
    static char *const distances[] = {"1mb", "8mb"};
    char *args[] = {"--apply-delay",
                    delays[round % 3],
                    "--maxmemory",
                    memory[round % 4],
                    "--log-distance",
                    distances[round % 2],
                    "--table-cache",
                    "1mb",
                    NULL};

    daemon_set_args(c->server, args);
}

static bool
load_and_kill(struct crash *c)
{
    bool right = true;

    for (int i = 0; i < PATCHERS; i++)
        patcher_start(c->patchers[i], c->server);
    let_pass_at_most(&c->random, LOAD_MS);
    daemon_kill(c->server);
    for (int i = 0; i < PATCHERS; i++)
        right &= patcher_join(c->patchers[i]);
    return right;
}

static bool
play_round(struct crash *c, int round)
{
    bool right = load_and_kill(c);

    choose_arguments(c, round + 1);
    if (round % TWICE_EVERY == 0) {
        daemon_launch(c->server);
        let_pass_at_most(&c->random, RECOVERY_MS);
        daemon_kill(c->server);
    }
    daemon_start(c->server);
    for (int i = 0; i < PATCHERS; i++)
        right &= patcher_check(c->patchers[i], c->server);
    if (right)
        return true;
    char *output = daemon_output(c->server);
    fprintf(stderr, "round %d failed; the server said:\n%s\n", round, output);
    free(output);
    return false;
}

int
main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS, round = 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)clock_ms();
    struct crash crash = {.random = seed | 1};
    uint64_t acknowledged = 0;
    bool right = true;

    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    crash.server = daemon_new(DAEMON_KEYVALD, NULL);
    for (int i = 0; i < PATCHERS; i++)
        crash.patchers[i] = patcher_new(i, seed);
    choose_arguments(&crash, 0);
    daemon_start(crash.server);
    while (round < rounds && right)
        right = play_round(&crash, round++);
    for (int i = 0; i < PATCHERS; i++) {
        acknowledged += patcher_acknowledged(crash.patchers[i]);
        patcher_free(crash.patchers[i]);
    }
    printf("%d rounds: %llu changes acknowledged and there\n", round,
           (unsigned long long)acknowledged);
    daemon_free(crash.server);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
