/* filename: the name of a store's file, made from the store's name and id. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_FILENAME_H
#define STORAGE_FILENAME_H

#include "base/bytes.h"
#include <stdint.h>

#define FILENAME_DIR     "stores"
#define FILENAME_MAX_LEN 200 /* bytes, its directory and a NUL included */

/* "stores/NAME.GENERATION.db". NAME is the store's name, with %XX for what is not a
 * letter, a digit, '-' or '_', cut where it grows too long; the generation, never given
 * again, keeps it unique. For people: the catalog is what says whose file it is. */
void filename_make(struct bytes store, uint64_t generation, char out[FILENAME_MAX_LEN]);

/* Whether an entry of the directory can be one of ours: ends in ".DIGITS.db". */
bool filename_is_table(const char *entry);

#endif
