/*
 * unsent: what waits to be sent to a session, what else is kept for it, and how much of
 * that there may be.
 *
 * A normal client that takes no replies is not fed while SESSION_OUTPUT_SOFT of them wait,
 * so its pipeline stays with it. client-output-buffer-limit bounds what one request is
 * answered, and what is told without having been asked for.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_UNSENT_H
#define COMMAND_UNSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;
struct session;

#define UNSENT_UNASKED_MAX                                                               \
    (32 * 1024 * 1024)                      /* bytes of messages where no limit is set */
#define UNSENT_MAX       (INT64_C(4) << 30) /* bytes, whatever limits are set; */
#define UNSENT_GUEST_MAX 1024               /* of who has not logged in, as in Redis */

/* Bytes that are kept for a session, as CLIENT LIST tells them. */
struct kept {
    size_t input, input_room; /* not carried out yet; and room behind that */
    size_t first;             /* output, as long as that is small */
    bool is_full;             /* the kernel takes no more at the moment */
    size_t pieces;            /* larger ones, */
    size_t piece_bytes;       /* and what they take */
    size_t total;             /* with all that belongs to it */
    int64_t idle_ms;          /* since something came or was sent */
};
void unsent_kept(const struct session *s, struct kept *out);

/* Closes the session where more waits for it than may. To be called when its output has
 * grown over SESSION_OUTPUT_FIRST, and now and then. */
void unsent_check(struct session *s);

/* The same for all sessions, a few at each call, each about once a second; and notes what
 * they keep. */
void unsent_tick(struct host *h);

/* What normal sessions keep. */
size_t unsent_total(const struct host *h);

/* The most of the last seconds. */
#define UNSENT_SECONDS 8
struct unsent_peak {
    size_t input, output;
};
struct unsent_peak unsent_peak(const struct host *h);

#endif
