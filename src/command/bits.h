/* bits: what the commands on bits share. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_BITS_H
#define COMMAND_BITS_H

#include "command/call.h"

/* The text of an offset, in units of so many bits; it lies in a string as long as one may
 * be: else ERR_BIT_OFFSET. */
enum err bit_offset(const struct call *c, struct bytes text, unsigned unit, uint64_t *at);

#endif
