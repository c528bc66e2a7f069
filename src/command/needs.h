/* needs: the keys a request looks at, which must be known before it is carried out. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_NEEDS_H
#define COMMAND_NEEDS_H

#include <stdbool.h>

struct call;

/* Whether all of them are. EXEC needs what the queued commands need. */
bool needs_are_known(struct call *c);

/* Parks the session until they are. */
void needs_fetch(struct call *c);

#endif
