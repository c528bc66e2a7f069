/*
 * torn: what becomes of a page that the disk has room for only a part of.
 *
 * The page stays in Berkeley DB's cache and is written again later. But after a death in
 * between, recovery would meet the part that was written, take it by its head for the whole
 * page, and redo nothing of it. So the part is made blank again, as a page is that was never
 * written: only such a page needs room.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_TORN_H
#define STORAGE_TORN_H

#include <sys/types.h>

/* Lets Berkeley DB write by torn_write, in this process. */
void torn_guard(void);

/* write, of all or nothing. -1 with errno set: it failed, and of a page nothing stands in
 * the file. */
ssize_t torn_write(int fd, const void *data, size_t len);

#endif
