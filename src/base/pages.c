/* See pages.h. What the kernel says to either does not matter. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/pages.h"
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define MALLOC_HEAD (2 * sizeof(size_t)) /* bytes glibc has before a run it has mapped */

static uintptr_t
page_of(uintptr_t at)
{
    return at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

static uintptr_t
page_from(uintptr_t at)
{
    return page_of(at + (uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

/* All of the mapping, with malloc's own bytes before the run: else the kernel would make
 * two mappings of it, and mremap could not lengthen them. */
void
pages_keep_small(void *data, size_t len)
{
    uintptr_t from = page_of((uintptr_t)data), to = page_from((uintptr_t)data + len);

    if ((uintptr_t)data - from == MALLOC_HEAD)
        madvise((void *)from, to - from, MADV_NOHUGEPAGE);
}

void
pages_give_back(void *data, size_t len)
{
    uintptr_t from = page_from((uintptr_t)data), to = page_of((uintptr_t)data + len);

    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}
