/*
 * daemon: a keyvald or a redis-server of one's own, as a process with a directory of its
 * own. It never outlives the test, however that ends.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_DAEMON_H
#define TESTS_DAEMON_H

#include "base/buf.h"
#include "client.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct redisContext;
struct daemon;

enum daemon_kind { DAEMON_KEYVALD, DAEMON_REDIS };

#define DAEMON_ARGS_MAX 64
#define DAEMON_PATIENCE_S                                                                \
    120 /* to start or to stop: sanitizers on a busy machine are slow */

/* $KEYVALD (or redis-server), not started yet. args are more words for its command line,
 * ending in NULL, copied; or NULL. */
struct daemon *daemon_new(enum daemon_kind kind, char *const *args);

/* Kills it if it runs, removes the directory. */
void daemon_free(struct daemon *s);

/* Gives it other words for its next start. */
void daemon_set_args(struct daemon *s, char *const *args);

/* What the process gets before it starts; 0: as ours. */
void daemon_set_open_files(struct daemon *s, unsigned long limit);
void daemon_set_uid(struct daemon *s, uid_t uid);

/* Another directory than its own, which stays the caller's. */
void daemon_set_dir(struct daemon *s, const char *dir);

/* Starts it and waits until it says that it is ready. False: it ended instead;
 * daemon_status and daemon_output tell. */
bool daemon_try_start(struct daemon *s);

/* The same, but the test fails where it does not start. */
void daemon_start(struct daemon *s);

/* Starts it and does not wait for anything. */
void daemon_launch(struct daemon *s);

/* SIGTERM, and waits. The exit status, as waitpid gives it. */
int daemon_stop(struct daemon *s);

/* SIGKILL, and waits. */
void daemon_kill(struct daemon *s);

/* Waits for it to end by itself. The exit status. */
int daemon_wait(struct daemon *s);

bool daemon_is_running(const struct daemon *s);
int daemon_port(const struct daemon *s);
pid_t daemon_pid(const struct daemon *s);
const char *daemon_dir(const struct daemon *s);
int daemon_status(const struct daemon *s); /* of its last end */

/* What it printed since its last start, NUL-terminated; the caller frees it with free. */
char *daemon_output(struct daemon *s);

/* A connection; the test fails where there is none. Freed with client_close or
 * redisFree. */
struct client *daemon_client(const struct daemon *s);
struct redisContext *daemon_connect(const struct daemon *s);

/* Makes an empty directory that is removed by directory_remove. The caller frees the
 * path. */
char *directory_make(void);

/* Removes a directory and all in it. */
void directory_remove(const char *path);

#endif
