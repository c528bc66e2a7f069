/* object: how Redis would keep a key, as OBJECT and DEBUG OBJECT tell it. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_OBJECT_H
#define COMMAND_OBJECT_H

#include <stdint.h>

struct entry;

/* "int", "embstr" or "raw". */
const char *object_encoding(const struct entry *e);

/* How many refer to the value: 1, or INT32_MAX for a number that is the same for all. */
int64_t object_references(const struct entry *e);

#endif
