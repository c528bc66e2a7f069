/* syntax: the rows of syntax.def, and what they mean. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_SYNTAX_H
#define COMMAND_SYNTAX_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct command;

struct syntax {
    const char *name;
    const char *keys;
    const char *tips;
    const char *arguments;
};

/* The row of a command; one that says nothing where there is none. */
const struct syntax *syntax_of(const struct command *cmd);

/* Takes a word, ended by blanks, from the front of *words. False at their end. */
bool syntax_next_word(struct bytes *words, struct bytes *word);
size_t syntax_count_words(struct bytes words);

/* --- keys --- */

#define KEY_KINDS_MAX 4

/* A kind of keys: those that fare alike. */
struct key_kind {
    struct bytes flags;    /* words: "RO access" */
    bool is_placed;        /* else the next three mean nothing */
    int first, last, step; /* as in struct command */
    struct bytes word;     /* all behind it are such keys; empty: there is none */
    int word_from;         /* where it is looked for */
};

/* The kinds of a command, in their order. */
size_t syntax_key_kinds(const struct command *cmd, struct key_kind kinds[KEY_KINDS_MAX]);

/* Whether it has that word among its flags. */
bool key_kind_is(const struct key_kind *kind, const char *flag);

/* --- arguments --- */

struct argument {
    struct argument *next;     /* the one behind it */
    struct argument *children; /* of a block, or of one of several */
    struct bytes name, type;
    struct bytes token, since, deprecated; /* data is NULL where there is none */
    int key_kind;                          /* -1: none */
    bool optional, multiple, multiple_token;
};

/* The arguments of a command, NULL for none; in the arena. */
struct argument *syntax_arguments(const struct command *cmd, struct arena *arena);

size_t argument_count(const struct argument *first);

#endif
