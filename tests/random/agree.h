/* agree: whether two servers' answers to the same request agree. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_RANDOM_AGREE_H
#define TESTS_RANDOM_AGREE_H

#include "grammar.h"
#include "lib/answer.h"

/* CHECK_EXEC is for its items; without them it is CHECK_SAME. */
bool answer_agrees(const struct answer *a, const struct answer *b, enum check check);

/* Sorts the items of an array that are texts. */
void answer_sort(struct answer *a);

/* The same, and leaves each only once. */
void answer_sort_once(struct answer *a);

/* Leaves out the items of an array that begin with this. */
void answer_leave_out(struct answer *a, const char *front);

/* Puts what stands in the answer of EXEC behind it, if messages may stand between: so that
 * these can be put in order, too. */
void heard_unfold(struct answer **heard, size_t *count);

/* Puts what a subscriber was told of changed keys into one item behind the others, because
 * how much one message tells depends on how much was done in one turn of the loop; and what
 * MONITOR told of requests into another, sorted, because it does not tell whose they are. Gives
 * how many items there are. */
size_t heard_gather(struct answer *heard, size_t count);

/* Brings what a subscriber got into an order that both servers must have. What several
 * clients did at once is put apart by client; that a key has expired may be told
 * before what is told of others; what Redis takes from a hash table is sorted: the
 * patterns that match one message, the channels one UNSUBSCRIBE drops. */
void heard_sort(struct answer *heard, size_t count);

#endif
