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

/* Brings what a subscriber got into an order that both servers must have: what several
 * clients did at once is put apart by client, and what one UNSUBSCRIBE without channels
 * has dropped is sorted. */
void heard_sort(struct answer *heard, size_t count);

#endif
