/*
 * server: the loop. It accepts clients, feeds their sessions, and at the end of each
 * iteration appends the changes to the log and lets the replies go that the log now
 * vouches for.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stdint.h>

struct config;
struct host;
struct keyspace;
struct server;

/* The loop and what wakes it. Never NULL; freed with server_free. */
struct server *server_new(void);

/* Wakes the loop, from any thread: something was read, or a mark moved. */
void server_wake(void *server);

/* Listens where config says. 0; -1 with the reason logged. */
int server_listen(struct server *s, const struct config *config);

/* The port it listens on, also where config says 0 for any. */
int64_t server_port(const struct server *s);

/* Serves until SHUTDOWN, SIGTERM or SIGINT, then closes all clients. What was answered is
 * in the log. -1: what was not answered yet could not be written, with the reason logged. */
int server_run(struct server *s, struct host *host);

/* Also hangs up on who said SHUTDOWN, so it comes last. */
void server_free(struct server *s);

#endif
