/* waiting: sessions that are parked until a time has come, by WAIT or CLIENT PAUSE. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_WAITING_H
#define COMMAND_WAITING_H

#include "command/call.h"
#include <stdbool.h>

/* Whether the request, which was admitted, has to wait; then the session is parked. */
bool waiting_is_due(struct call *c);

/* Lets a session that waits by WAIT go on, with an error or as if its time had come.
 * False: it does not wait. */
bool waiting_unblock(struct session *s, bool with_error);

/* How many wait by WAIT, and not for ever. */
int64_t waiting_limited(const struct host *h);

/* It is going away. */
void waiting_leave(struct session *s);

#endif
