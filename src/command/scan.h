/* scan: what KEYS, SCAN and RANDOMKEY need before they run. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_SCAN_H
#define COMMAND_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct call;

/* Whether c, which may be any command, knows the keys it tells of. */
bool scan_is_known(struct call *c);

/* Begins to find them out; at: see listed_at. */
void scan_begin(struct call *c, size_t at);

#endif
