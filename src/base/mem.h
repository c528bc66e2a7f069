/* mem: memory that is there or the process is not, and the last words of a process. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* As malloc, calloc and realloc, but they panic instead of giving NULL. Freed with free.
 */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);

/* Says what went wrong and aborts. For our own mistakes and for memory that is gone. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
