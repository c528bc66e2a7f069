/* arguments: what commands read their arguments with. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_ARGUMENTS_H
#define COMMAND_ARGUMENTS_H

#include "command/call.h"
#include "value/record.h"
#include <stdbool.h>

struct entry;

/* Whether argument i is this word, in any case. */
bool arg_is(const struct call *c, int i, const char *word);

/* Argument i as an integer, or ERR_NOT_INTEGER. */
enum err arg_int(const struct call *c, int i, int64_t *number);

/* The entry of the key that argument i is, NULL where there is none; read counts it as a
 * hit or a miss, and notifies of a miss; peek too, but leaves it as idle as it is; inspect
 * too, but keeps a miss to itself. The key was in the row's columns, so it is known. */
struct entry *arg_entry(struct call *c, int i);
struct entry *arg_read(struct call *c, int i);
struct entry *arg_peek(struct call *c, int i);
struct entry *arg_inspect(struct call *c, int i);

/* Whether the entry, if there is one, is of that type: else ERR_TYPE. */
enum err check_type(const struct entry *e, enum type type);

/* When `amount` units of unit_ms are over that begin at base (ms; 0: they count from
 * 1970). Fails with "invalid expire time" where that does not fit. */
enum err deadline_after(struct call *c, int64_t amount, int64_t unit_ms, int64_t base,
                        int64_t *deadline);

/* The same text, for a time that makes no sense. */
enum err fail_expire_time(struct call *c);

/* For a subcommand that is unknown or has arguments it does not take. */
enum err fail_subcommand(struct call *c);

/* Answers the lines of a HELP subcommand; the last is NULL. */
void reply_help(struct call *c, const char *const *lines);

#endif
