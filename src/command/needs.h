/*
 * needs: the keys a request looks at, which must be known before it is carried out: those
 * it names, and those KEYS, SCAN and RANDOMKEY tell of (scan.h).
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_NEEDS_H
#define COMMAND_NEEDS_H

#include <stdbool.h>

struct call;

/* Whether all of them are. EXEC needs what the queued commands need. */
bool needs_are_known(struct call *c);

/* Finds out what is not known. True: the session is parked until it is. */
bool needs_wait(struct call *c);

#endif
