/*
 * order: puts changes into the order of the tables: by table, then by key as memcmp has
 * it, a key's own changes as they came.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_ORDER_H
#define STORAGE_ORDER_H

#include "storage/sweep.h"

/* Sorts changes, which are given as they came, with rank and tail_len filled in. */
void order_changes(struct change *changes, size_t count);

/* Compares the keys of two changes of one table: below, equal to or above 0. */
int order_keys(const struct change *a, const struct change *b);

#endif
