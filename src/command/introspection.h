/* introspection: what the files of COMMAND share. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_INTROSPECTION_H
#define COMMAND_INTROSPECTION_H

#include "base/bytes.h"
#include <stddef.h>

struct command;
struct reply;

/* How many commands there are, without subcommands; how many subcommands one has. */
size_t introspection_commands(void);
size_t introspection_subs(const struct command *container);

/* The words of a text as a set of simple strings. */
void reply_flags(struct reply *out, struct bytes words);

#endif
