/* migrate: MIGRATE, which has to wait for another server. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_MIGRATE_H
#define COMMAND_MIGRATE_H

#include "command/call.h"
#include <stdbool.h>

/* Whether the request, whose keys are known, is one whose keys have to be sent first; then
 * this is begun, and the session is parked until it has ended. */
bool migrate_begins(struct call *c);

#endif
