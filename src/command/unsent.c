/* unsent: see unsent.h. As in Redis, the first SESSION_OUTPUT_FIRST bytes of output are not
 * counted. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/unsent.h"

#include "base/clock.h"
#include "base/log.h"
#include "command/auth.h"
#include "command/host.h"
#include "command/session_priv.h"

#define TICKS      10 /* for a walk over all sessions */
#define TICK_LEAST 5  /* sessions at least */

/* --- what is kept --- */

static struct session_held
held_by_owner(const struct session *s)
{
    struct session_held held = {0};

    if (s->owner->held != NULL)
        s->owner->held(s->owner_arg, &held);
    return held;
}

void
unsent_kept(const struct session *s, struct kept *out)
{
    struct session_held held = held_by_owner(s);
    bool is_small = s->output.cap <= SESSION_OUTPUT_FIRST;

    *out = (struct kept){.input = s->pending, .input_room = held.input_room};
    if (s->waits) /* as in Redis, where its request is taken */
        out->input -= s->front_size;
    out->idle_ms = held.idle_ms;
    out->is_full = held.output > 0;
    out->first = is_small ? s->output.len : 0;
    out->pieces = !is_small + (held.output_room > 0);
    out->piece_bytes = (is_small ? 0 : s->output.cap) + held.output_room;
    out->total = sizeof *s + held.itself + held.input + held.input_room + held.output_room
                 + s->output.cap + s->name.cap + s->queue.size
                 + s->cap_watches * sizeof *s->watches;
}

size_t
unsent_total(const struct host *h)
{
    size_t total = 0;
    struct kept kept;

    for (const struct session *s = h->sessions; s != NULL; s = s->next_session) {
        unsent_kept(s, &kept);
        total += kept.total;
    }
    return total;
}

/* --- how much may wait --- */

/* What counts of what waits. */
static int64_t
waiting(const struct session *s)
{
    size_t bytes = s->output.len + held_by_owner(s).output;

    return bytes > SESSION_OUTPUT_FIRST ? (int64_t)(bytes - SESSION_OUTPUT_FIRST) : 0;
}

static enum client_class
class_of(const struct session *s)
{
    return subscriber_is_active(&s->subscriber) ? CLASS_PUBSUB : CLASS_NORMAL;
}

/* Whether it has been over the soft limit for too long. */
static bool
is_over_soft(struct session *s, const struct client_limit *limit, int64_t bytes)
{
    if (limit->soft == 0 || bytes < limit->soft) {
        s->over_soft_ms = 0;
        return false;
    }
    int64_t now = clock_ms();
    if (s->over_soft_ms == 0)
        s->over_soft_ms = now;
    return (now - s->over_soft_ms) / 1000 > limit->soft_s;
}

static bool
is_over(struct session *s)
{
    enum client_class class = class_of(s);
    const struct client_limit *limit =
        &s->host->config->client_output_buffer_limit[class];
    bool is_guest = !auth_is_done(s);
    bool is_limited = limit->hard > 0 || limit->soft > 0 || is_guest;

    if (!is_limited && s->output.len <= UNSENT_UNASKED_MAX) { /* most of them */
        s->over_soft_ms = 0;
        return false;
    }
    int64_t bytes = waiting(s);

    if (is_over_soft(s, limit, bytes) || bytes > UNSENT_MAX
        || (is_guest && bytes > UNSENT_GUEST_MAX))
        return true;
    if (limit->hard > 0)
        return bytes >= limit->hard;
    return class == CLASS_NORMAL && s->unasked > UNSENT_UNASKED_MAX;
}

void
unsent_check(struct session *s)
{
    if (s->killed || !is_over(s))
        return;
    log_line(
        LOG_WARNING,
        "Closing client %llu (%s): it does not take what it is sent, %lld bytes wait",
        (unsigned long long)s->id, s->peer.address, (long long)waiting(s));
    session_kill(s);
}

/* --- once a second --- */

static void
note_peak(struct host *h, const struct session *s)
{
    struct unsent_peak *peak = &h->peaks[h->peak_at_s % UNSENT_SECONDS];
    struct kept kept;

    unsent_kept(s, &kept);
    if (kept.input + kept.input_room > peak->input)
        peak->input = kept.input + kept.input_room;
    if (kept.piece_bytes > peak->output)
        peak->output = kept.piece_bytes;
}

static void
begin_second(struct host *h)
{
    int64_t now_s = clock_mono_us() / 1000000;

    if (now_s - h->peak_at_s > UNSENT_SECONDS)
        h->peak_at_s = now_s - UNSENT_SECONDS;
    while (h->peak_at_s < now_s)
        h->peaks[++h->peak_at_s % UNSENT_SECONDS] = (struct unsent_peak){0};
}

void
unsent_tick(struct host *h)
{
    int64_t count = h->clients / TICKS;

    begin_second(h);
    if (count < TICK_LEAST)
        count = TICK_LEAST;
    for (; count > 0 && h->sessions != NULL; count--) {
        struct session *s = h->tended != NULL ? h->tended : h->sessions;
        h->tended = s->next_session;
        note_peak(h, s);
        unsent_check(s);
        if (h->tended == NULL)
            return;
    }
}

struct unsent_peak
unsent_peak(const struct host *h)
{
    struct unsent_peak most = {0};

    for (int i = 0; i < UNSENT_SECONDS; i++) {
        if (h->peaks[i].input > most.input)
            most.input = h->peaks[i].input;
        if (h->peaks[i].output > most.output)
            most.output = h->peaks[i].output;
    }
    return most;
}
