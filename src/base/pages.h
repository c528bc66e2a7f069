/*
 * pages: how the kernel gives and takes back the memory of a long run of bytes. malloc maps
 * such a run by itself and asks for pages of 2 MB: good for what is used again and again,
 * but each one may take the kernel milliseconds, and giving all back takes them at the end.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

#define PAGES_FROM                                                                       \
    (1024 * 1024) /* bytes: where malloc maps a run by itself (keyvald.c) */

/* The memory of a run that is filled bit by bit comes page by page, where malloc has mapped
 * it by itself. To be said again when it has grown. */
void pages_keep_small(void *data, size_t len);

/* A part of a run is not needed any more: the pages that lie within are lost. */
void pages_give_back(void *data, size_t len);

#endif
