/* timing: what is kept of how long things take: the figures of each command, the slow
 * log, the spikes. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_TIMING_H
#define COMMAND_TIMING_H

#include "command/latency.h"
#include <stdint.h>

struct call;
struct host;

/* A command has run, and took so long. */
void timing_ran(const struct call *c, int64_t usec);

/* What is between the two calls held the loop up. timing_begin gives what timing_end is
 * to be given. */
int64_t timing_begin(const struct host *h);
void timing_end(struct host *h, enum latency_event event, int64_t begun);

#endif
