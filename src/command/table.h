/* table: the rows of commands.def, and how a request finds its row. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#include "base/bytes.h"
#include "command/call.h"
#include <stdbool.h>

#define COMMAND_NAME_MAX 32 /* bytes in a row's name */

/* Those that COMMAND INFO tells come first, in the order it tells them. Some mean
 * nothing here and are told because clients know them from Redis. */
enum {
    CMD_WRITE = 1 << 0, /* changes keys; refused when nothing can be written */
    CMD_READ = 1 << 1,  /* looks at keys and changes none */
    CMD_GROWS = 1 << 2, /* may take memory */
    CMD_ADMIN = 1 << 3,
    CMD_NOSCRIPT = 1 << 4,
    CMD_LOADING = 1 << 5,
    CMD_STALE = 1 << 6,
    CMD_SKIP_SLOWLOG = 1 << 7,
    CMD_FAST = 1 << 8, /* O(1), or in the number of its keys */
    CMD_NO_AUTH = 1 << 9,
    CMD_NO_ASYNC_LOADING = 1 << 10,
    CMD_NO_MULTI = 1 << 11, /* refused inside MULTI */
    CMD_ALLOW_BUSY = 1 << 12,
    CMD_MOVABLE = 1 << 13, /* where its keys are depends on its options */
    CMD_PUBSUB = 1 << 14,
    /* Not told: */
    CMD_CONTROL = 1 << 15,    /* carried out inside MULTI instead of being queued */
    CMD_CONTAINER = 1 << 16,  /* has subcommands */
    CMD_KEYARGS = 1 << 17,    /* keyargs.c says where its keys are */
    CMD_SUBSCRIBED = 1 << 18, /* may be said in RESP2 while subscribed */
    CMD_TALKS = 1 << 19,      /* waits for another server; refused inside MULTI */
    CMD_REPLICATED = 1 << 20, /* no write, but Redis may send it to replicas */

    CMD_ALWAYS = CMD_LOADING | CMD_STALE,
    CMD_SESSION = CMD_NOSCRIPT | CMD_ALWAYS | CMD_FAST | CMD_ALLOW_BUSY,
    CMD_ABOUT_SESSION = CMD_NOSCRIPT | CMD_ALWAYS,
    CMD_GREETING = CMD_SESSION | CMD_NO_AUTH,
    CMD_LISTENS = CMD_PUBSUB | CMD_NOSCRIPT | CMD_ALWAYS | CMD_SUBSCRIBED,
    CMD_OPERATOR = CMD_ADMIN | CMD_NOSCRIPT | CMD_ALWAYS
};

/* The categories that do not follow from the flags. */
enum {
    ACL_KEYSPACE = 1 << 0,
    ACL_STRING = 1 << 1,
    ACL_DANGEROUS = 1 << 2,
    ACL_CONNECTION = 1 << 3,
    ACL_TRANSACTION = 1 << 4,
    ACL_HYPERLOGLOG = 1 << 5,
    ACL_PUBSUB = 1 << 6,
    ACL_BITMAP = 1 << 7,
    ACL_LIST = 1 << 8,
    ACL_SET = 1 << 9,
    ACL_SORTEDSET = 1 << 10
};

#define ACL_ADMIN (1 << 18) /* follows from CMD_ADMIN, but some have it without */

struct command {
    const char *name; /* lower case; a subcommand's is "container|name" */
    size_t name_len;
    command_fn *fn;
    int arity; /* arguments with the name; at least -arity where it is negative */
    unsigned flags;
    int first, last,
        step; /* argument of the first key, of the last (from behind: negative) */
    unsigned categories;
    const char *group;
    const char *since;
    const char *summary;
};

enum {
    COMMAND_COUNT = 0
#define COMMAND(...) +1
#include "command/commands.def"
#undef COMMAND
};

extern const struct command commands[COMMAND_COUNT];

#define COMMAND(name, fn, ...) command_fn fn;
#include "command/commands.def"
#undef COMMAND

/* An index over the rows. */
struct command_table;

struct command_table *table_new(void);
void table_free(struct command_table *t);

/* The row of that name in any case, a container's for a container, none for a
 * subcommand. */
const struct command *table_find(const struct command_table *t, struct bytes name);

/* The row of a container's subcommand. */
const struct command *table_find_sub(const struct command_table *t,
                                     const struct command *container, struct bytes name);

/* The same for a whole name, "get" or "config|get". */
const struct command *table_find_full(const struct command_table *t, struct bytes name);

bool command_is_sub(const struct command *cmd);
bool command_is_sub_of(const struct command *cmd, const struct command *container);

/* Whether a request may have argc arguments. */
bool command_takes(const struct command *cmd, int argc);

/* How many of a request's arguments are keys; the n-th stands at first + n * step. */
int command_nkeys(const struct command *cmd, int argc);

#endif
