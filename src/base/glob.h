/* glob: the patterns of KEYS, CONFIG GET and STORE LIST, as Redis matches them. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include "base/bytes.h"

/* Whether text matches pattern: * ? [abc] [^a] [a-z] and backslash. Time is bounded by
 * the product of the lengths, whatever the pattern. nocase folds ASCII letters. */
bool glob_match(struct bytes pattern, struct bytes text, bool nocase);

#endif
