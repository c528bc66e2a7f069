/* mem: a process without memory cannot keep its promises, so it stops and says so. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/mem.h"

#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define PANIC_TEXT_MAX 1024

/* malloc(0) may give NULL without being out of memory; one byte is always asked for. */
static size_t
at_least_one(size_t size)
{
    return size == 0 ? 1 : size;
}

void *
xmalloc(size_t size)
{
    void *memory = malloc(at_least_one(size));
    if (memory == NULL)
        panic("Out of memory allocating %zu bytes", size);
    return memory;
}

void *
xcalloc(size_t count, size_t size)
{
    void *memory = calloc(at_least_one(count), at_least_one(size));
    if (memory == NULL)
        panic("Out of memory allocating %zu times %zu bytes", count, size);
    return memory;
}

void *
xrealloc(void *old, size_t size)
{
    void *memory = realloc(old, at_least_one(size));
    if (memory == NULL)
        panic("Out of memory allocating %zu bytes", size);
    return memory;
}

void
panic(const char *format, ...)
{
    char text[PANIC_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log_line(LOG_WARNING, "PANIC: %s", text);
    abort();
}
