/*
 * pages: when the kernel gives and takes back memory. What is fresh from it has to be
 * cleared, and perhaps fetched from the host, as it is touched. malloc maps a long run of
 * bytes by itself and asks for pages of 2 MB: good for what is used again and again, but
 * each one may take the kernel milliseconds, and giving all back takes them at the end.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_FROM                                                                       \
    (1024 * 1024) /* bytes: where malloc maps a run by itself (keyvald.c) */

/* The memory of a run that is filled bit by bit comes page by page, where malloc has mapped
 * it by itself. To be said again when it has grown. */
void pages_keep_small(void *data, size_t len);

/* A part of a run is not needed any more: the pages that lie within are lost. */
void pages_give_back(void *data, size_t len);

/* Makes the pages of a run ready, ahead of another thread that fills it. That changes
 * nothing, also where the run is somebody else's by now, or is gone: false. */
bool pages_touch(const void *data, size_t len);

/* Between begin and end malloc gets large areas from the system, for the thread that
 * started the process. pages_fresh, called by that thread, gives about where in the latest
 * one it is. pages_touch_fresh is pages_touch for PAGES_TOUCHED bytes of it, or for none:
 * false. */
#define PAGES_TOUCHED ((size_t)2 * 1024 * 1024)
void pages_load_begin(void);
void pages_load_end(void);
uintptr_t pages_fresh(void);
bool pages_touch_fresh(uintptr_t at);

#endif
