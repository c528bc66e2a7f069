/* debug: what the path of every request has to know of DEBUG. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_DEBUG_H
#define COMMAND_DEBUG_H

#include "base/bytes.h"
#include "command/call.h"

/* Whether who asks may use it at all. */
bool debug_is_allowed(const struct call *c);

/* Which argument of a DEBUG request is a key, 0 for none: its row cannot say, because
 * only some subcommands have one. */
int debug_key(const struct bytes *argv, int argc);

#endif
