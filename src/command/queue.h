/* queue: the requests between MULTI and EXEC. A zeroed struct is one that is not open. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_QUEUE_H
#define COMMAND_QUEUE_H

#include "base/bytes.h"
#include <stdbool.h>

struct command;

struct queued {
    const struct command *command;
    int argc;
    struct bytes argv[]; /* the bytes stand behind it in the same allocation */
};

struct queue {
    bool open;      /* MULTI was called */
    bool broken;    /* a request was refused: EXEC will answer EXECABORT */
    unsigned flags; /* of all its commands together */
    struct queued **items;
    size_t count;
    size_t cap;
    size_t size; /* bytes its items take */
};

/* Copies a request behind the others; false, and nothing, if it would then take over max
 * bytes. */
bool queue_add(struct queue *q, const struct command *command, const struct bytes *argv,
               int argc, size_t max);

/* Frees what is in it and closes it. */
void queue_clear(struct queue *q);

#endif
