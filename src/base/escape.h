/* escape: what a backslash means between double quotes, in redis.conf and in requests. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/bytes.h"

/* The byte an escape stands for: \n \r \t \b \a \xHH, and any other byte for itself. text
 * is what follows the backslash, and not empty. Gives how many bytes of it the escape
 * takes. */
size_t escape_read(struct bytes text, char *byte);

#endif
