/*
 * peer: another server that a session talks to, for MIGRATE. Whoever has sockets does the
 * talking, and gives the host the calls; a host without them reaches nobody.
 *
 *   open -> connected -> send, said, send, said ... -> leave or close
 *
 * Instead of any event failed may come: then the peer is closed already. Before anything
 * was said connected may come once more: then nothing of what was sent has arrived. Events
 * come on the loop, never from inside a call; in the others the peer may be left or closed.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_PEER_H
#define COMMAND_PEER_H

#include "base/buf.h"
#include <stdint.h>

struct peer;

/* What could not be done, in the peer's timeout. */
enum peer_failure {
    PEER_UNREACHABLE, /* its address was not found, or it did not answer */
    PEER_UNWRITABLE,  /* it refused, or does not take what is sent */
    PEER_UNREADABLE   /* it said nothing, or too much, or hung up */
};

struct peer_events {
    void (*connected)(void *arg);
    void (*said)(void *arg, struct bytes line); /* an answer, without its CR and LF */
    void (*failed)(void *arg, enum peer_failure why);
};

struct peer_address {
    struct bytes host, port; /* a name or a number each */
    int64_t timeout_ms;      /* for connecting, and for each step of the talk; over 0 */
};

struct peer_calls {
    /* Never NULL. Ended with leave or close. */
    struct peer *(*open)(void *sockets, const struct peer_address *to,
                         const struct peer_events *events, void *arg);
    /* Sends what is in the buffer, which is empty then, when keyspace_promised has
     * reached `depends`. So many lines answer it. */
    void (*send)(struct peer *p, struct buf *takes, size_t nlines, uint64_t depends);
    /* All is said: the connection may serve the next that asks for the same address, who
     * finds it as it is. close is for one that is not to be found. */
    void (*leave)(struct peer *p);
    void (*close)(struct peer *p);
};

#endif
