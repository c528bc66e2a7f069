/* See pages.h. Where advice is not taken it does not matter. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/pages.h"
#include "base/mem.h"
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MALLOC_HEAD  (2 * sizeof(size_t)) /* bytes glibc has before a run it has mapped */
#define TOP_PAD      (128 * 1024)         /* malloc's own */
#define TOP_PAD_LOAD (64 * 1024 * 1024)
#define PROBE        (32 * 1024) /* bytes; more than malloc keeps of small ones */

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

bool
pages_touch(const void *data, size_t len)
{
    uintptr_t from = page_of((uintptr_t)data), to = page_from((uintptr_t)data + len);

    return madvise((void *)from, to - from, MADV_POPULATE_WRITE) == 0;
}

void
pages_load_begin(void)
{
    mallopt(M_TOP_PAD, TOP_PAD_LOAD);
}

void
pages_load_end(void)
{
    mallopt(M_TOP_PAD, TOP_PAD);
}

uintptr_t
pages_fresh(void)
{
    void *probe = xmalloc(PROBE);
    uintptr_t at = (uintptr_t)probe;

    free(probe);
    return at;
}

bool
pages_touch_fresh(uintptr_t at)
{
    uintptr_t end = (uintptr_t)sbrk(0);

    return at < end && end - at >= PAGES_TOUCHED
           && pages_touch((void *)at, PAGES_TOUCHED);
}
