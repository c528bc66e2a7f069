/*
 * tracked: which sessions have read which keys, and are to be told when these change. A
 * session is known by its id; one that is gone stays in it until its keys change.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_TRACKED_H
#define COMMAND_TRACKED_H

#include "base/bytes.h"
#include "base/map.h"
#include <stdint.h>

struct dropped;

/* All zero: no keys. */
struct tracked {
    struct map keys;
    struct map readings;     /* by key and session */
    struct dropped *dropped; /* what was cleared and is not freed yet */
};

/* Notes that the session with this id has read the key. */
void tracked_add(struct tracked *t, struct bytes key, uint64_t id);

/* Forgets the key, if it is there, and calls visit for each session that has read it. */
typedef void tracked_fn(void *arg, struct bytes key, uint64_t id);
void tracked_forget(struct tracked *t, struct bytes key, tracked_fn *visit, void *arg);

/* The same for a key by chance, of which there is one. */
void tracked_forget_any(struct tracked *t, tracked_fn *visit, void *arg);

/* Forgets all keys without a word. Their memory goes by and by: as long as tracked_tidy is
 * called, which takes until this time of the measuring clock at the most. */
void tracked_clear(struct tracked *t);
void tracked_tidy(struct tracked *t, int64_t until_us);

#endif
