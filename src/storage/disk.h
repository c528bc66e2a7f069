/*
 * disk: brings what was written to the disk. When that fails, Linux may drop what it could
 * not write, and the next flush succeeds all the same. So no flush is believed any more
 * once one has failed, of the log or of the tables: they fail from then on.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_DISK_H
#define STORAGE_DISK_H

#include <stdbool.h>

/* Flushes a file, or the names in a directory, which fdatasync need not bring to the disk.
 * -1 with errno: it failed, or one before it; the first is logged. From any thread;
 * Berkeley DB calls it too. */
int disk_flush(int fd);
int disk_flush_dir(int fd);

bool disk_has_failed(void);

/* A start's first step: what an earlier one saw is forgotten. */
void disk_begin(void);

#endif
