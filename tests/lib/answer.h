/*
 * answer: what a server answered, read independently of the code under test and printed
 * as redis-cli prints it on a terminal. RESP2 and RESP3.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_ANSWER_H
#define TESTS_ANSWER_H

#include "base/buf.h"
#include "base/bytes.h"
#include <stdbool.h>
#include <sys/types.h>

#define ANSWER_DEPTH_MAX 32 /* answers within answers */

struct answer {
    char kind; /* the byte it began with: + - : $ * % ~ > , # = _ ( */
    bool null;
    char *text; /* of what is no aggregate; owned, NUL-terminated */
    size_t len;
    struct answer *items; /* of an aggregate; a map has its keys and values in turn */
    size_t nitems;
};

/* Reads one answer from the front of data into *out, whose content is freed with
 * answer_deinit. Gives the bytes it took, 0 where more are needed, -1 where they are no
 * answer. */
ssize_t answer_read(struct bytes data, struct answer *out);

/* Frees what is in it. */
void answer_deinit(struct answer *a);

/* Appends its lines, each with its '\n'. */
void answer_print(const struct answer *a, struct buf *out);

/* Appends text in double quotes, as redis-cli does. */
void answer_quote(struct buf *out, struct bytes text);

/* Appends argv as a client sends it. */
void request_encode(struct buf *out, const struct bytes *argv, int argc);

#endif
