/* monitor: sessions that see what all others do. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_MONITOR_H
#define COMMAND_MONITOR_H

struct call;
struct session;

/* Tells those that watch of a command that was carried out, or begins to wait, without its
 * secrets. What an operator does is not told. */
void monitor_show(const struct call *c);

/* It watches no more, where it did. */
void monitor_end(struct session *s);

#endif
