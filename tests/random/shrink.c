/*
 * shrink: plays parts of the stream. Long runs of steps are left out first, then shorter
 * ones, down to single steps; then pipelines are taken apart and long arguments cut. What
 * is tried is kept if the two still differ, at whatever.
 *
 * What depends on when a key leaves memory does not show each time, so a try may be played
 * more than once.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "shrink.h"

#include "base/clock.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>

#define REPEATS_FIRST 4 /* plays of the whole, to see whether it shows at all */
#define REPEATS       2
#define TRIES_MAX     600
#define PATIENCE_US   (INT64_C(120) * 1000 * 1000)
#define LONG_ARGUMENT 16
#define SHORTER       4

struct shrinking {
    struct duel *duel;
    struct stream *best;
    struct buf *report; /* of the best */
    int tries;
    int64_t until_us;
};

static bool
is_over(const struct shrinking *k)
{
    return k->tries >= TRIES_MAX || clock_mono_us() > k->until_us;
}

/* Plays a stream; one at which they differ becomes the best and is taken, without what
 * comes behind the difference. */
static bool
try(struct shrinking *k, struct stream *s, int repeats)
{
    for (int i = 0; i < repeats && !is_over(k); i++) {
        struct buf report = {0};
        size_t difference = duel_play(k->duel, s, &report);
        k->tries++;
        if (difference < s->nsteps) {
            stream_deinit(k->best);
            buf_deinit(k->report);
            *k->best = *s;
            k->best->nsteps = difference + 1;
            *k->report = report;
            return true;
        }
        buf_deinit(&report);
    }
    stream_deinit(s);
    return false;
}

static struct stream
without(const struct stream *s, size_t from, size_t count)
{
    struct stream less = stream_copy(s);
    size_t rest = s->nsteps - from - count;

    memmove(less.steps + from, less.steps + from + count, rest * sizeof *less.steps);
    less.nsteps -= count;
    return less;
}

/* Gives whether anything was left out. */
static bool
leave_out_runs(struct shrinking *k, size_t length)
{
    bool shorter = false;
    size_t from = 0;

    while (from < k->best->nsteps && !is_over(k)) {
        size_t rest = k->best->nsteps - from;
        struct stream less = without(k->best, from, length < rest ? length : rest);
        if (try(k, &less, REPEATS))
            shorter = true;
        else
            from += length;
    }
    return shorter;
}

static void
leave_out(struct shrinking *k)
{
    for (size_t length = k->best->nsteps / 2; length > 1; length /= 2) {
        leave_out_runs(k, length);
        fprintf(stderr, "%zu steps after %d tries\n", k->best->nsteps, k->tries);
    }
    while (leave_out_runs(k, 1))
        continue;
}

static void
take_apart(struct shrinking *k)
{
    struct stream apart = stream_copy(k->best);

    for (size_t i = 0; i < apart.nsteps; i++)
        apart.steps[i].turn = (int)i;
    try(k, &apart, REPEATS);
}

/* Plays it with an argument cut. The words it is made of are copied; they are few. */
static void
cut_argument(struct shrinking *k, struct arena *arena, size_t at, int request, int word)
{
    struct stream s = stream_copy(k->best);
    struct step *step = &s.steps[at];
    size_t size = (size_t)step->nrequests * sizeof *step->requests;
    struct request *requests = arena_alloc(arena, size);

    memcpy(requests, step->requests, size);
    size = (size_t)requests[request].argc * sizeof(struct bytes);
    struct bytes *argv = arena_alloc(arena, size);
    memcpy(argv, requests[request].argv, size);
    argv[word].len = SHORTER;
    requests[request].argv = argv;
    step->requests = requests;
    try(k, &s, REPEATS);
}

static void
cut_arguments(struct shrinking *k, struct arena *arena)
{
    for (size_t i = k->best->nsteps; i-- > 0;) {
        for (int j = 0; i < k->best->nsteps && j < k->best->steps[i].nrequests; j++) {
            for (int word = 1;
                 i < k->best->nsteps && word < k->best->steps[i].requests[j].argc;
                 word++) {
                if (k->best->steps[i].requests[j].argv[word].len > LONG_ARGUMENT)
                    cut_argument(k, arena, i, j, word);
            }
        }
    }
}

bool
shrink(struct duel *d, struct stream *s, struct arena *arena, size_t difference,
       struct buf *report)
{
    struct shrinking k = {d, s, report, 0, clock_mono_us() + PATIENCE_US};
    struct stream again;

    s->nsteps = difference + 1;
    again = stream_copy(s);
    if (!try(&k, &again, REPEATS_FIRST))
        return false;
    leave_out(&k);
    take_apart(&k);
    cut_arguments(&k, arena);
    leave_out_runs(&k, 1);
    return true;
}
