/* host: see host.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/call.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"

static void
draw_run_id(char *text, size_t size)
{
    unsigned char random[20];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        panic("no random bytes from the system");
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(text + 2 * i, size - 2 * i, "%02x", random[i]);
}

void
host_init(struct host *h, struct config *config, struct keyspace *ks)
{
    *h = (struct host){
        .config = config,
        .keyspace = ks,
        .started_ms = clock_ms(),
        .by_command = xcalloc(COMMAND_COUNT, sizeof *h->by_command),
        .by_error = xcalloc(ERR_COUNT, sizeof *h->by_error),
        .next_client_id = 1,
        .table = table_new(),
    };
    draw_run_id(h->run_id, sizeof h->run_id);
}

void
host_deinit(struct host *h)
{
    free(h->by_command);
    free(h->by_error);
    table_free(h->table);
    arena_deinit(&h->scratch);
}

void
host_retry_writes(struct host *h)
{
    /* A session that is throttled again goes behind those that were there before. */
    for (int64_t n = h->nthrottled; n > 0 && h->throttled != NULL; n--) {
        if (!keyspace_may_write(h->keyspace))
            return;
        session_resume(h->throttled);
    }
}
