/*
 * patcher: a client that makes large values and changes parts of them, in pipelines, as
 * fast as it can. It knows each value byte for byte, as after what was acknowledged, and
 * what was on its way.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_PATCHER_H
#define TESTS_PATCHER_H

#include "daemon.h"

struct patcher;

/* Each number has two stores of its own. */
struct patcher *patcher_new(int number, uint64_t seed);
void patcher_free(struct patcher *p);

/* Connects and writes, in a thread of its own, until the server goes away. */
void patcher_start(struct patcher *p, const struct daemon *s);

/* Waits until it has seen that the server is gone. False: it was answered wrongly before
 * that, and said so on standard error. */
bool patcher_join(struct patcher *p);

/* Whether a started server has all that was acknowledged, and a prefix of what was on its
 * way. From now on that is what it knows. */
bool patcher_check(struct patcher *p, const struct daemon *s);

uint64_t patcher_acknowledged(const struct patcher *p);

#endif
