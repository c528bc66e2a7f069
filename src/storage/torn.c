/* See torn.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/torn.h"
#include "storage/tables.h"
#include <db.h>
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

void
torn_guard(void)
{
    db_env_set_func_write(torn_write);
}

static bool
is_lack_of_room(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* What cannot be made blank stays as it is: there is nothing else to be tried. */
static void
take_back(int fd, size_t written)
{
    static const char blank[TABLE_PAGE_SIZE];
    off_t end = lseek(fd, 0, SEEK_CUR);

    if (end >= 0)
        (void)!pwrite(fd, blank, written, end - (off_t)written);
}

ssize_t
torn_write(int fd, const void *data, size_t len)
{
    size_t written = 0;

    while (written < len) {
        ssize_t n = write(fd, (const char *)data + written, len - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int error = errno;
            if (is_lack_of_room(error) && written > 0 && len == TABLE_PAGE_SIZE)
                take_back(fd, written);
            errno = error;
            return -1;
        }
        written += (size_t)n;
    }
    return (ssize_t)len;
}
