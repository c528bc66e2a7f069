/*
 * writer: a client that writes as fast as it can, in pipelines, and remembers in a ledger
 * what was acknowledged. Several of them, in threads, are the load under which a server
 * is killed.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_WRITER_H
#define TESTS_WRITER_H

#include "daemon.h"

#define WRITERS 6 /* kinds of them: each has its number, its stores and its habits */

struct writer;

/* number is below WRITERS. */
struct writer *writer_new(int number, uint64_t seed);
void writer_free(struct writer *w);

/* Connects and writes, in a thread of its own, until the server goes away. */
void writer_start(struct writer *w, const struct daemon *s);

/* Waits until it has seen that the server is gone. False: it was refused something or
 * answered wrongly before that, and said so on standard error. */
bool writer_join(struct writer *w);

/* Compares a started server with the ledger and settles it. Gives how many changes that
 * were on their way are there; -1: it is no prefix. */
int writer_check(struct writer *w, const struct daemon *s);

/* Changes acknowledged since writer_new, and on their way when the server went away. */
uint64_t writer_acknowledged(const struct writer *w);
size_t writer_pending(const struct writer *w);

/* Whether DBSIZE of every store the writers share is what they see; they have been
 * checked. */
bool writers_agree_on_sizes(struct writer **writers, const struct daemon *s);

#endif
