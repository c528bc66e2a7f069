/*
 * stream: what the clients of a run say and what happens to the server in between, with
 * every byte of it, so that it can be played again, whole or in part.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_RANDOM_STREAM_H
#define TESTS_RANDOM_STREAM_H

#include "base/buf.h"
#include "grammar.h"

#define STREAM_CLIENTS     6
#define STREAM_SUBSCRIBERS 2 /* the last ones of them: they only listen */

#define STEP_FADES_AT 3

#define STREAM_BETWEEN "own-9-"

enum act {
    ACT_ASK, /* the requests */
    ACT_SCAN, /* the first request again and again, with the cursor it gave, to the end; the
                 others are said in between by another client, and change no keys but those
                 that begin with STREAM_BETWEEN */
    ACT_FADE,    /* the requests one by one; after STEP_FADES_AT a millisecond passes */
    ACT_OUTLIVE, /* the same; keyvald is killed and started in that time */
    ACT_LOOK,    /* everything in every store is compared */
    ACT_STOP,    /* keyvald is stopped and started, all clients are new */
    ACT_KILL
};

/* What is kept or left out as a whole. */
struct step {
    enum act act;
    int client;
    int other; /* ACT_SCAN: the other client */
    int turn; /* ACT_ASK: steps of one turn go out at once, each client's as a pipeline */
    const struct request *requests;
    int nrequests;
};

struct stream {
    struct step *steps; /* owned; their requests live in an arena */
    size_t nsteps;
};

/* Draws a stream of about so many steps. */
struct stream stream_draw(struct grammar *g, struct arena *arena, size_t nsteps);
void stream_deinit(struct stream *s);

struct stream stream_copy(const struct stream *s);

/* How many steps, from this one on, go out at once. */
size_t stream_turn(const struct stream *s, size_t at);

/* Whether these steps of one turn are said by several clients. Then each of them says
 * DISCARD before: what was queued may look at more than the client's own keys. */
bool stream_is_shared_turn(const struct step *steps, size_t count);

/* Whether the client of a step only listens. */
bool client_is_subscriber(int client);

/* Appends it as a dialogue with redis-cli, the way transcripts are written; a long
 * argument is cut. */
void stream_print(const struct stream *s, struct buf *out);
void request_print(const struct request *r, struct buf *out);

#endif
