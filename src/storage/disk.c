/* See disk.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/disk.h"
#include "base/log.h"
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* errno of the first flush that failed, 0 for none. The process's, because Berkeley DB's
 * hook does not say whose file it is. */
static _Atomic int failure;

static void
note_failure(int reason)
{
    int none = 0;

    if (!atomic_compare_exchange_strong(&failure, &none, reason))
        return;
    log_line(LOG_WARNING, "The disk could not be flushed: %s", strerror(reason));
    log_line(
        LOG_WARNING,
        "What was written last may not be on it, and no later flush could tell. So "
        "nothing more is written. Stop keyvald, mend the disk, mount its file system "
        "anew, and start keyvald again");
}

static int
flush(int fd, int (*sync)(int fd))
{
    if (!disk_has_failed() && sync(fd) != 0)
        note_failure(errno);
    errno = atomic_load(&failure);
    return errno == 0 ? 0 : -1;
}

int
disk_flush(int fd)
{
    return flush(fd, fdatasync);
}

int
disk_flush_dir(int fd)
{
    return flush(fd, fsync);
}

bool
disk_has_failed(void)
{
    return atomic_load(&failure) != 0;
}

void
disk_begin(void)
{
    atomic_store(&failure, 0);
}
