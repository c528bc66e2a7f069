/*
 * slowlog: the requests that took longer than slowlog-log-slower-than, the latest first.
 * Of long requests the beginning is kept.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_SLOWLOG_H
#define COMMAND_SLOWLOG_H

#include "base/bytes.h"
#include <stdint.h>

#define SLOWLOG_ARGS_MAX 32  /* arguments kept of a request */
#define SLOWLOG_ARG_MAX  128 /* bytes kept of an argument, and of the client's name */

struct call;
struct slowlog;

struct slow_request {
    struct slow_request *next; /* the one before it in time */
    struct slow_request *later;
    int64_t id;   /* counts from 0; never given again */
    int64_t at_s; /* when it had ended; since 1970 */
    int64_t usec;
    struct bytes address, name; /* of its client; these bytes, */
    int argc;
    struct bytes argv[SLOWLOG_ARGS_MAX]; /* and these stand behind the struct */
};

struct slowlog *slowlog_new(void);
void slowlog_free(struct slowlog *l);

/* Notes the request, which took so long, and forgets the oldest until there are at most
 * max. */
void slowlog_add(struct slowlog *l, const struct call *c, int64_t usec, int64_t max);

int64_t slowlog_count(const struct slowlog *l);

/* The latest, NULL for none; borrowed until the next change. */
const struct slow_request *slowlog_first(const struct slowlog *l);

/* Forgets all; ids go on. */
void slowlog_reset(struct slowlog *l);

#endif
