/*
 * transcript: tests written as a dialogue with redis-cli.
 *
 *   == title of a section               [directive value] [keyvald] [resp3]
 *   > COMMAND word "quoted word"
 *   the reply, as redis-cli prints it on a terminal
 *   b> COMMAND of another client
 *   b<
 *   what another client is told without having asked
 *   >~ COMMAND whose array's elements may come in any order
 *   ! start | stop | kill | clock +40s | clock +500ms
 *
 * A reply ends at an empty line or at the next of these. `(integer) 95..100` stands for
 * any number in the range, a reply that is the one line `...` for anything, no reply at
 * all for a server that hangs up. [directive value] is what the server is started with,
 * [keyvald] marks what Redis does not have, [resp3] lets every client say HELLO 3 first.
 * {b} in a command or a reply stands for the number that client b has (CLIENT ID). Lines
 * before the first section are for the reader.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include "answer.h"

#define TRANSCRIPT_WORDS      1024 /* in a command */
#define TRANSCRIPT_DIRECTIVES 8    /* in a title */
#define TRANSCRIPT_CLIENT     'a'  /* who speaks at a prompt without a letter */

struct step {
    int line;
    bool is_event; /* text stands behind '!', else behind the prompt */
    char client;
    bool any_order;
    char *text;      /* "": nothing is asked */
    char **expected; /* lines */
    size_t nexpected;
};

struct section {
    const char *file; /* borrowed from the transcript */
    int line;
    char *title;
    char *directives[TRANSCRIPT_DIRECTIVES * 2 + 1]; /* "--name", "value", ...; NULL */
    int ndirectives;                                 /* words of them */
    bool only_keyvald;
    bool resp3;
    bool has_events;
    bool has_clock; /* moves the clock */
    bool has_kill;
    bool soils; /* says CONFIG or SHUTDOWN: the server is not as it was */
    struct step *steps;
    size_t nsteps;
};

struct transcript {
    char *file;
    struct section *sections;
    size_t nsections;
};

/* Reads a file. NULL: what is wrong was written to standard error. */
struct transcript *transcript_load(const char *path);
void transcript_free(struct transcript *t);

/* Who answers: a session in this process, a server, a Redis. */
struct way {
    void *arg;
    /* Carries one command out. False: it hung up. The answer is freed by the caller. */
    bool (*command)(void *arg, char client, const struct bytes *argv, int argc,
                    struct answer *out);
    void (*event)(void *arg, const char *event);
};

/* Plays a section as a cmocka test; what differs fails it, with file, line, expected,
 * received. */
void section_play(const struct section *s, const struct way *way);

#endif
