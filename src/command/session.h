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

/* What an owner keeps for a session: bytes; and since when nothing came or was sent. */
struct session_held {
    size_t itself;
    size_t input, input_room;   /* that the session left; and room behind it */
    size_t output, output_room; /* that it took out and is not sent; and all it takes */
    int64_t idle_ms;
};

/* What a session tells and asks its owner, on the loop. */
struct session_owner {
    /* It was parked and can go on: feed it again. */
    void (*resumed)(void *arg);
    /* It has output that its own feeding did not make, or was killed. */
    void (*pushed)(void *arg);
    /* What it keeps for it; NULL: nothing. */
    void (*held)(void *arg, struct session_held *out);
};

#define SESSION_ADDRESS_MAX 64 /* bytes of "address:port", its NUL included */

/* Who is at the other end. */
struct session_peer {
    char address[SESSION_ADDRESS_MAX];
    char local[SESSION_ADDRESS_MAX]; /* the same of this end */
    int fd;                          /* -1: it has none */
};

/* Selects store "0", speaks RESP2. The owner's functions are called with arg. Freed with
 * session_free, also while parked. */
struct session *session_new(struct host *host, const struct session_owner *owner,
                            void *arg, const struct session_peer *peer);
void session_free(struct session *s);

/* Carries out the whole requests at the front of input and gives how many bytes they
 * took; what is left must be given again with what follows. Stops early when it is
 * parked or closing, or when its output is over SESSION_OUTPUT_SOFT (feed it again when
 * it has been sent). */
size_t session_feed(struct session *s, struct bytes input);

#define SESSION_OUTPUT_SOFT  (1024 * 1024) /* bytes of unsent replies */
#define SESSION_OUTPUT_FIRST (16 * 1024)   /* bytes every client may have for output */

/* The replies that wait to be sent. The caller consumes what it has sent. */
struct buf *session_output(struct session *s);

/* Replies may leave when keyspace_promised has reached this. */
uint64_t session_depends(const struct session *s);

/* Waits: for a key that is being read, for the tables to catch up, for time to pass, for
 * another server. */
bool session_is_parked(const struct session *s);

/* Of a parked one: what it waits for may take long, and its client may lose patience. */
bool session_is_patient(const struct session *s);

/* Nobody expects it to say anything: it waits, or hears what others say or do. */
bool session_may_be_silent(const struct session *s);

/* Is to be closed once its output has been sent (QUIT, a protocol error). */
bool session_is_closing(const struct session *s);

/* Is to be closed at once, whatever has not been sent. */
bool session_is_killed(const struct session *s);

/* How many bytes more the request at the front of the input needs, 0 where that is not
 * known. */
size_t session_missing(const struct session *s, size_t have);

#endif
