/* dispatch: the one path that every request takes. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_DISPATCH_H
#define COMMAND_DISPATCH_H

#include "base/bytes.h"
#include "command/call.h"
#include <stdbool.h>

/* Answers a request. False: the session was parked and nothing has happened; dispatch
 * the same request again when it is resumed. */
bool dispatch(struct session *s, const struct bytes *argv, int argc);

/* The same for an empty one, which is nothing but a request. */
void dispatch_nothing(struct session *s);

/* Answers "-ERR " and text, and closes the session. */
void dispatch_protocol_error(struct session *s, const char *text);

/* Carries out a command that was admitted, whose keys are known: its reply, or its
 * error. */
void dispatch_run(struct call *c);

/* Replies with the error, and counts it. */
void dispatch_error(struct call *c, enum err err);

#endif
