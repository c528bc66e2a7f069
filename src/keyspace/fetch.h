/* fetch: keys that are not in memory, asked for before a command runs. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef KEYSPACE_FETCH_H
#define KEYSPACE_FETCH_H

#include "base/bytes.h"
#include <stddef.h>

struct fetch;
struct keyspace;
struct store;

struct fetch_key {
    struct store *store;
    struct bytes key;
};

/* Called on the loop with error 0 when the keys are known, all at once and until it
 * returns; or with -1 when the disk failed. The fetch is gone afterwards. */
typedef void fetch_done_fn(void *arg, int error);

/* Asks for the keys (copied, the stores held); those that are known are read too, because
 * they may leave memory meanwhile. Never calls done before it returns. */
struct fetch *fetch_start(struct keyspace *ks, const struct fetch_key *keys, size_t nkeys,
                          fetch_done_fn *done, void *arg);

/* done will not be called; for a session that goes away. */
void fetch_cancel(struct fetch *f);

#endif
