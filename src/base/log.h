/* log: what the operator is told, one line an event, in Redis's form. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_VERBOSE, LOG_NOTICE, LOG_WARNING };

/* Lines below this level are dropped (default LOG_NOTICE). */
void log_set_level(enum log_level level);

/* Appends to this file from now on; NULL or "" is standard output. False: it cannot be
 * opened (errno says why) and the old one stays. */
bool log_set_file(const char *path);

/* One line: "pid:M 23 Nov 2026 05:21:55.123 * text". Safe from any thread. */
void log_line(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
