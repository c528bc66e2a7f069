/*
 * call: one command being carried out, and what it may answer.
 *
 * A command checks everything, then changes, then replies. If it returns an error it has
 * changed nothing and written nothing; dispatch writes the reply.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_CALL_H
#define COMMAND_CALL_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

struct arena;
struct command;
struct host;
struct listed;
struct reply;
struct session;
struct store;

enum err {
    OK,
#define ERROR(code, text) code,
#include "command/errors.def"
#undef ERROR
    ERR_COUNT
};

/* The reply for an error: its code, a space and its text. */
const char *err_text(enum err err);

/* Lives on dispatch's stack. */
struct call {
    struct session *session; /* who asks */
    struct store *store;     /* the store it has selected */
    struct host *host;       /* config, figures, other sessions, shutdown */
    struct arena *scratch;   /* freed when the request is done */
    struct reply *out;
    const struct command *command; /* its row; NULL before it was found */
    const struct bytes *argv;      /* borrowed until the command returns */
    int argc;
    bool in_exec;          /* was queued by MULTI */
    struct listed *listed; /* keys that were listed for it (listed.h), or NULL */
    int64_t now;           /* ms; the same for the whole request: what has expired */
    int64_t began;        /* ms; when this command did: what a time to live counts from */
    struct bytes failure; /* fail's text, in scratch */
    uint64_t hidden;      /* arg_hide's, a bit for each argument */
};

/* Argument i is a secret: nothing that is kept of the request tells it. Of arguments from
 * the 64th on nothing is kept. */
static inline void
arg_hide(struct call *c, int i)
{
    if (i < 64)
        c->hidden |= UINT64_C(1) << i;
}

static inline bool
arg_is_hidden(const struct call *c, int i)
{
    return i < 64 && (c->hidden >> i & 1);
}

typedef enum err command_fn(struct call *c);

/* Makes the error's text, which begins with its code, and gives ERR_FAILED to return. Ends
 * of lines behind it are left out. */
enum err fail(struct call *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What the client is told for err: fail's text, or the row of errors.def. */
struct bytes call_error(const struct call *c, enum err err);

/* Leaves a command that owns nothing with the error, if there is one. */
#define TRY(expression)                                                                  \
    do {                                                                                 \
        enum err try_result = (expression);                                              \
        if (try_result != OK)                                                            \
            return try_result;                                                           \
    } while (0)

#endif
