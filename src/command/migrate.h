/* migrate: MIGRATE, which has to wait for another server. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_MIGRATE_H
#define COMMAND_MIGRATE_H

#include "command/call.h"
#include <stdbool.h>

/* Whether MIGRATE has keys to send first; then this is begun, and the session is parked
 * until it has ended. */
bool migrate_begins(struct call *c);

#endif
