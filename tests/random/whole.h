/* whole: what takes more than one request: cursors to their end, and the look at every key. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_RANDOM_WHOLE_H
#define TESTS_RANDOM_WHOLE_H

#include "grammar.h"
#include "lib/client.h"

/* Repeats a SCAN with the cursors it gives. Gives what came, sorted, each once; an answer
 * without a cursor as it is. The second word is the first cursor. c may be NULL. False: it hung
 * up. Behind each page between is called. */
bool scan_all(struct client *c, const struct request *first, void (*between)(void *arg),
              void *arg, struct answer *out);

/* Compares every key of every store: its type, value and deadline. Both may be NULL.
 * What differs is appended to report. */
bool look_at_everything(struct client *keyvald, struct client *redis, struct buf *report);

#endif
