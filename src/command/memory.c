/* memory: see memory.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "command/host.h"
#include "keyspace/keyspace.h"

/* 0 where the kernel does not say. */
static int64_t
resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL)
        return 0;
    if (fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(f);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t
data_bytes(const struct host *h)
{
    struct keyspace_stats stats;

    keyspace_stats(h->keyspace, &stats);
    return stats.memory;
}

int64_t
memory_heap(void)
{
    struct mallinfo2 heap = mallinfo2();

    return (int64_t)(heap.uordblks + heap.hblkhd);
}

void
memory_sample(struct host *h)
{
    int64_t used = h->startup_memory + data_bytes(h);

    if (used > h->peak_memory)
        h->peak_memory = used;
}

static void
add_store(void *arg, struct store *s)
{
    struct memory_figures *m = arg;
    struct store_overhead o;

    store_overhead(s, &o);
    m->overhead += o.slots + o.deadlines;
    m->keys += store_count(s);
}

void
memory_figures(struct host *h, struct memory_figures *out)
{
    struct keyspace_stats stats;
    int64_t clients = (int64_t)unsent_total(h);

    keyspace_stats(h->keyspace, &stats);
    *out = (struct memory_figures){
        .startup = h->startup_memory,
        .data = stats.memory,
        .clients = clients,
        .overhead = h->startup_memory + clients + (int64_t)h->spare.cap,
        .resident = resident_bytes(),
        .machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE),
        .resident_keys = stats.entries,
    };
    keyspace_each_store(h->keyspace, add_store, out);
    out->used = out->data + out->overhead;
    if (out->used > h->peak_memory)
        h->peak_memory = out->used;
    out->peak = h->peak_memory;
}
