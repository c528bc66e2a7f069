/*
 * memory: what the process takes of memory, for INFO and MEMORY. All of it is kept
 * count of or asked of the kernel. The heap is asked once, before there is data, because it
 * walks over all that is free in it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_MEMORY_H
#define COMMAND_MEMORY_H

#include <stdint.h>

struct host;

/* Bytes. */
struct memory_figures {
    int64_t used;     /* data and overhead together */
    int64_t peak;     /* the most that was used */
    int64_t startup;  /* what there was before any client came, but for the data */
    int64_t data;     /* keys and values in memory: what maxmemory limits */
    int64_t clients;  /* what is kept for clients */
    int64_t overhead; /* startup, clients, and what finds keys and those that expire */
    int64_t resident; /* of the process, as the kernel counts */
    int64_t machine;  /* all the machine has */
    int64_t keys;     /* not bytes: how many keys there are */
    int64_t resident_keys; /* and how many entries are in memory, absent ones included */
};

void memory_figures(struct host *h, struct memory_figures *out);

/* To be called now and then, for the peak. */
void memory_sample(struct host *h);

/* Bytes that are taken of the heap, for host's startup_memory. It walks the heap, so it is to
 * be asked before there is data. */
int64_t memory_heap(void);

#endif
