/* load: directives from a text, wherever it comes from. For the config room. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef CONFIG_LOAD_PRIV_H
#define CONFIG_LOAD_PRIV_H

#include "config/config.h"
#include "config/option_priv.h"

/* Carries out the lines of a text. path is for the error; NULL is the command line. 0, or
 * -1 with error, the lines before the bad one having been carried out. */
int load_text(struct config *c, struct bytes text, const char *path,
              char error[CONFIG_ERROR_MAX]);

/* Reads a file whole. 0, or an errno; EFBIG over CONFIG_FILE_MAX. */
int load_file(const char *path, struct buf *text);

/* Takes the next line, without its end, from the front of *text. False at its end. */
bool load_next_line(struct bytes *text, struct bytes *line);

/* Whether a line is empty or a comment. */
bool load_is_comment(struct bytes line);

/* The directive a line names, NULL where it is a comment, or names none. */
const struct option *load_option(struct bytes line);

#endif
