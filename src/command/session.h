/*
 * session: a client's state without its socket. Bytes go in, replies come out; the
 * server room adds the socket, tests do without.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_SESSION_H
#define COMMAND_SESSION_H

#include "base/buf.h"
#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

struct host;
struct session;

/* Selects store "0", speaks RESP2. resumed(arg) is called, on the loop, when a session
 * that was parked can go on: feed it again then. Freed with session_free, also while
 * parked. */
typedef void session_resumed_fn(void *arg);
struct session *session_new(struct host *host, session_resumed_fn *resumed, void *arg);
void session_free(struct session *s);

/* Carries out the whole requests at the front of input and gives how many bytes they
 * took; what is left must be given again with what follows. Stops early when it is
 * parked or closing, or when its output is over SESSION_OUTPUT_SOFT (feed it again when
 * it has been sent). */
size_t session_feed(struct session *s, struct bytes input);

#define SESSION_OUTPUT_SOFT (1024 * 1024) /* bytes of unsent replies */

/* The replies that wait to be sent. The caller consumes what it has sent. */
struct buf *session_output(struct session *s);

/* Replies may leave when keyspace_promised has reached this. */
uint64_t session_depends(const struct session *s);

/* Waits for a key that is being read, or for the tables to catch up. */
bool session_is_parked(const struct session *s);

/* Is to be closed once its output has been sent (QUIT, a protocol error). */
bool session_is_closing(const struct session *s);

/* How many bytes more the request at the front of the input needs, 0 where that is not
 * known. */
size_t session_missing(const struct session *s, size_t have);

#endif
