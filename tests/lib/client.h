/* client: a blocking connection to a server, for tests: requests out, answers in. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_CLIENT_H
#define TESTS_CLIENT_H

#include "answer.h"

struct client;

/* Connects to a port on 127.0.0.1. NULL: nobody listens. */
struct client *client_open(int port);
void client_close(struct client *c);

/* -1: the other side has hung up. */
int client_send(struct client *c, struct bytes data);

/* The same, taking in what comes meanwhile: for so many requests at once that their
 * answers fill the way back. */
int client_exchange(struct client *c, struct bytes data);

/* Waits for the next answer. False: the other side has hung up, or said nothing for
 * CLIENT_PATIENCE_S; an answer that is none fails the test. */
bool client_answer(struct client *c, struct answer *out);

#define CLIENT_PATIENCE_S 60

/* Sends one request and waits for its answer. */
bool client_command(struct client *c, const struct bytes *argv, int argc,
                    struct answer *out);

/* One request from a line of words, without quotes. The answer as redis-cli prints it, to
 * *out, without the last '\n' and NUL-terminated; "(hung up)" where there was none.
 * Borrowed until the next call. */
const char *client_ask(struct client *c, const char *line);

/* Bytes as they come, at most len; 0 at the end, and for silence the test ends. For tests
 * that look at the wire. */
size_t client_receive(struct client *c, char *to, size_t len);

int client_fd(const struct client *c);

#endif
