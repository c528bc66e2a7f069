/* selection: which store a client means. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_SELECTION_H
#define COMMAND_SELECTION_H

#include "base/bytes.h"
#include "command/call.h"

/* The store SELECT would choose for this word, held: an integer names a numbered store,
 * whose name is its decimal text; anything else is a name. The caller releases it. */
enum err selection_store(struct host *h, struct bytes word, struct store **store);

/* The numbered stores that have keys, by their numbers, or all, by their names; in c's
 * scratch. */
struct store **selection_numbered(struct call *c, size_t *count);
struct store **selection_all(struct call *c, size_t *count);

#endif
