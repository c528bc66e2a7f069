/*
 * view: which stores the requests of a transaction will see when it is their turn. Those
 * before them may select another, or give stores each other's keys.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_VIEW_H
#define COMMAND_VIEW_H

#include "base/map.h"

struct arena;
struct call;
struct exchanged;
struct host;
struct queued;
struct store;

struct view {
    struct host *host;
    struct arena *scratch;
    struct store *selected;  /* held */
    struct exchanged *first; /* the stores that get other keys */
    struct map exchanged;    /* the same, by their addresses */
};

/* As the call sees it. Ended with view_end. */
void view_begin(struct view *v, struct call *c);
void view_end(struct view *v);

/* The view behind a queued request, should it succeed. */
void view_follow(struct view *v, const struct queued *q);

/* The store that has now what s will have. */
struct store *view_store(const struct view *v, struct store *s);

#endif
