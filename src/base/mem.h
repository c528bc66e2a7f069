/* mem: memory that is there or the process is not, and the last words of a process. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As malloc, calloc and realloc, but they panic instead of giving NULL. Freed with free.
 */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);

/* Memory that is fresh from the system has to be cleared, and perhaps fetched from the
 * host, as it is touched. Where much is taken, another thread can have that done ahead.
 *
 * Between begin and end malloc gets large areas from the system, for the thread that
 * started the process. mem_fresh, called by that thread, gives about where in the latest
 * one it is. mem_touch has MEM_PIECE bytes from an address on made ready; it changes
 * nothing. False: there is no such piece. */
#define MEM_PIECE ((size_t)2 * 1024 * 1024)
void mem_load_begin(void);
void mem_load_end(void);
uintptr_t mem_fresh(void);
bool mem_touch(uintptr_t at);

/* Says what went wrong and aborts. For our own mistakes and for memory that is gone. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
