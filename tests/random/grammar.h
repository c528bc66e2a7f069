/*
 * grammar: the rows of grammar.def, and requests drawn from them. The same seed draws the
 * same requests from the same rows.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_RANDOM_GRAMMAR_H
#define TESTS_RANDOM_GRAMMAR_H

#include "base/arena.h"
#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

#define REQUEST_WORDS_MAX 64

/* Words for which each server has one of its own: a store that has a name in keyvald and a
 * number in Redis; the id of a client, whose number (0 ...) is the byte behind it. */
#define WORD_OTHER_STORE   "@store"
#define WORD_CLIENT_ID     "@client-"
#define OTHER_STORE_NAME   "a shop/1"
#define OTHER_STORE_NUMBER "5"

/* What of two answers has to agree. Errors always have to be the same. */
enum check {
    CHECK_SAME,
    CHECK_KIND,     /* their types, whether they are null, how many items they have */
    CHECK_SORTED,   /* the items, in any order */
    CHECK_DEADLINE, /* numbers, give or take what passed between the two servers */
    CHECK_IDS,      /* all but numbers above 0, which are clients' ids */
    CHECK_CLIENT,   /* a line of CLIENT LIST: what the client itself has done */
    CHECK_EXEC      /* each item as the command that was queued for it */
};

/* A bit each; see grammar.def. */
enum scope {
    SCOPE_KEYS = 1,
    SCOPE_WHOLE = 2,
    SCOPE_TRANSACTION = 4,
    SCOPE_SUBSCRIBER = 8,
    SCOPE_SCAN = 16,
    SCOPE_FLEETING = 32
};

struct request {
    const struct bytes *argv;
    int argc;
    enum check check;
    bool is_line; /* it is said as a line of words, without lengths */
};

struct grammar;

/* What is drawn lives in the arena. */
struct grammar *grammar_new(uint64_t seed, struct arena *arena);
void grammar_free(struct grammar *g);

/* One of 0 ... count - 1, from the grammar's own numbers. */
uint64_t grammar_below(struct grammar *g, uint64_t count);

/* The server has this command ("get", "config|get"): its rows may be drawn. False: it has
 * neither a row nor a reason to have none. */
bool grammar_admit(struct grammar *g, struct bytes command);

/* The first row that was never admitted, or NULL. */
const char *grammar_unknown(const struct grammar *g);

/* From now on all keys that are drawn are this owner's alone (0 ...); -1: the keys that
 * all share. */
void grammar_set_owner(struct grammar *g, int owner);

/* From now on most keys that are drawn are this one; data is NULL: any. */
void grammar_set_key(struct grammar *g, struct bytes key);

/* Draws a request of these scopes; one without words where no such row is admitted. */
struct request grammar_draw(struct grammar *g, unsigned scopes);

/* Draws a request of this shape. */
struct request grammar_say(struct grammar *g, const char *shape);

#endif
