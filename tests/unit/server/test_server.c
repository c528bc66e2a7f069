/*
 * server: the loop's turns, with a keyspace whose background work is made up: the linker
 * puts the functions below in front of the keyspace's.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "command/host.h"
#include "server/server.h"
#include "unit/keyspace/world.h"

#define SLICES 100 /* that the work takes */

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
    work.host->shutdown_asked = work.slices >= SLICES;
    return work.slices < 2 * SLICES ? 0 : 1000;
}

static void
test_server_does_one_slice_of_background_work_at_a_time(void **state)
{
    struct world *w = *state;
    struct host host;

    world_start(w);
    struct config *config = config_new();
    host_init(&host, config, w->keyspace);
    work.host = &host;
    struct server *server = server_new();
    assert_int_equal(server_run(server, &host), 0);
    assert_in_range(work.slices, SLICES, SLICES + 2);
    assert_int_equal(work.most, 1);

    server_free(server);
    host_deinit(&host);
    config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_server_does_one_slice_of_background_work_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
