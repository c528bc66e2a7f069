/* strings: what the commands on strings share. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_STRINGS_H
#define COMMAND_STRINGS_H

#include "command/call.h"
#include <stdbool.h>

struct entry;

/* Whether a string may be that long: else ERR_TOO_LONG. */
enum err check_length(const struct call *c, size_t len);

/* The first and last of len things that start and end name: negative numbers count from
 * behind, and what reaches over an end is cut there. False: there is none. */
bool range_clip(int64_t len, int64_t *start, int64_t *end);

/* The entry's string; an empty one where there is no entry. */
struct bytes string_of(const struct entry *e);

/* Answers the entry's string; null where there is no entry. */
void reply_string(struct call *c, const struct entry *e);

/* Writes bytes over the string of the key that is argument 1, as store_write does; e is
 * its entry, which is made where it is NULL. */
struct entry *string_write(struct call *c, struct entry *e, size_t at, struct bytes bytes);

#endif
