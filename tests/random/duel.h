/*
 * duel: a keyvald with little memory and a redis-server, to which the same stream is said.
 * Redis is never stopped; when keyvald is, both get new clients.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_RANDOM_DUEL_H
#define TESTS_RANDOM_DUEL_H

#include "stream.h"

struct duel;

/* What the keyvalds of a duel have been through. */
struct troubles {
    int64_t let_go; /* entries that left memory */
    int64_t cold;   /* keys that were read again */
    int64_t starts;
};

/* args are more words for keyvald's command line, shared for both command lines, ending in
 * NULL; args is borrowed. */
struct duel *duel_new(char *const *args, char *const *shared);
void duel_free(struct duel *d);

/* Compares the grammar's commands with keyvald's. False: one of them is in no row, or a row
 * has none of them; which was written to standard error. */
bool duel_admit(struct duel *d, struct grammar *g);

/* Plays a stream on a new keyvald and an empty Redis. Gives the number of the first step
 * at which they differ, after which nothing was played, and appends what each answered to
 * report; or the number of steps. */
size_t duel_play(struct duel *d, const struct stream *s, struct buf *report);

struct troubles duel_troubles(const struct duel *d);

#endif
