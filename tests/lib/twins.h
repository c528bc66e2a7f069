/*
 * twins: a keyvald in this process and a redis-server, asked the same: for what no
 * transcript can list.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_TWINS_H
#define TESTS_TWINS_H

#include "answer.h"

enum twin { TWIN_KEYVALD, TWIN_REDIS };

struct twins;

struct twins *twins_new(void);
void twins_free(struct twins *t);

/* Asks one of them. The answer is freed with answer_deinit. */
void twins_ask_one(struct twins *t, enum twin which, const struct bytes *argv, int argc,
                   struct answer *out);

/* Asks both; the test fails where their answers differ. The answer goes to *out, unless
 * that is NULL. */
void twins_ask(struct twins *t, const struct bytes *argv, int argc, struct answer *out);

/* The same for words without quotes, and an answer nobody wants. */
void twins_say(struct twins *t, const char *line);

#endif
