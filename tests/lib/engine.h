/*
 * engine: a keyvald without sockets, in this process: configuration, storage, keyspace
 * and sessions over a directory of its own. It is the loop: it pumps until a command's
 * answer is whole and as safe as was promised.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_ENGINE_H
#define TESTS_ENGINE_H

#include "answer.h"
#include <stdint.h>

#define ENGINE_CLIENTS    26 /* 'a' to 'z' */
#define ENGINE_PATIENCE_S 60 /* for one command */

struct engine;

/* Opened on a new directory. args are a server's command line ("--maxmemory", "1mb", ...,
 * NULL), borrowed until engine_free; or NULL. */
struct engine *engine_new(char *const *args);

/* Closes it and removes its directory. */
void engine_free(struct engine *e);

/* Closes it as SHUTDOWN does, and opens the same directory again. Clients are gone. */
void engine_stop(struct engine *e);
void engine_start(struct engine *e);
bool engine_is_running(const struct engine *e);

/* Carries a command of one client out; clients come into being as they speak. False: the
 * client was hung up on without an answer. The answer is freed with answer_deinit. */
bool engine_command(struct engine *e, char client, const struct bytes *argv, int argc,
                    struct answer *out);

/* Ends all clients. */
void engine_disconnect(struct engine *e);

/* Lets everything that may leave memory leave it. */
void engine_evict(struct engine *e);

/* Lets the clock stand still at this time (clock_ms) whenever the engine works: what
 * happens no longer depends on how long it takes. */
void engine_hold_clock(struct engine *e, int64_t at_ms);

/* How many entries are in memory. */
int64_t engine_entries(const struct engine *e);

#endif
