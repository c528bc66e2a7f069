/* load: directives from a text, wherever it comes from. For the config room. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef CONFIG_LOAD_PRIV_H
#define CONFIG_LOAD_PRIV_H

#include "config/config.h"

/* Carries out the lines of a text. path is for the error; NULL is the command line. 0, or
 * -1 with error, the lines before the bad one having been carried out. */
int load_text(struct config *c, struct bytes text, const char *path,
              char error[CONFIG_ERROR_MAX]);

#endif
