/*
 * info: the sections of INFO. Each is a function that appends "name:value" lines; the
 * names are Redis's where the figure is, and what Redis has and keyvald has not stands
 * there as Redis tells it while it is switched off.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_INFO_H
#define COMMAND_INFO_H

#include "base/buf.h"

struct call;

#define INFO_LINE(out, name, format, ...)                                                \
    buf_printf((out), name ":" format "\r\n", __VA_ARGS__)

typedef void info_fn(struct call *c, struct buf *out);

/* info_process.c: the process and what it does. */
info_fn info_server;
info_fn info_clients;
info_fn info_memory;
info_fn info_persistence;
info_fn info_stats;
info_fn info_replication;
info_fn info_cpu;
info_fn info_modules;
info_fn info_cluster;

/* info_counts.c: what is counted for each command, error and store. */
info_fn info_commandstats;
info_fn info_errorstats;
info_fn info_latencystats;
info_fn info_keyspace;
info_fn info_stores;

#endif
