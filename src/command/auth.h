/* auth: who may use the server. There is one user, "default", and one password,
 * requirepass; where that is empty, everybody may. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_AUTH_H
#define COMMAND_AUTH_H

#include "base/bytes.h"
#include "command/call.h"
#include <stdbool.h>

/* Whether nobody has to log in. */
bool auth_is_open(const struct host *h);

/* Whether the session may go on: it has logged in, or need not. */
bool auth_is_done(const struct session *s);

/* OK, or ERR_PASSWORD. */
enum err auth_check(const struct host *h, struct bytes user, struct bytes password);

#endif
