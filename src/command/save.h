/*
 * save: what SAVE and BGSAVE promise, that the log is on the disk up to where it was, and
 * what LASTSAVE and INFO tell of it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_SAVE_H
#define COMMAND_SAVE_H

#include <stdbool.h>
#include <stdint.h>

struct host;

/* Whether a BGSAVE is under way. Takes notice of one that is done. */
bool save_is_running(struct host *h);

/* When the log was brought to the disk last, by these or by itself, or the server began; ms
 * since 1970. */
int64_t save_last_ms(struct host *h);

#endif
