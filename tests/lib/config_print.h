/* config_print: a configuration as the text of a file, for tests that read it back. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_LIB_CONFIG_PRINT_H
#define TESTS_LIB_CONFIG_PRINT_H

#include "config/config.h"

/* Appends a line for each directive; loading them gives the same configuration. */
void config_print(const struct config *c, struct buf *out);

#endif
