/*
 * See tracking.h. That a key changes is heard from the keyspace, as long as there is a key
 * or a prefix that somebody could want to hear of.
 *
 * A session that changes what it has read hears of it behind its answer, inside EXEC behind
 * that of EXEC: a message between the parts of an answer would be taken for one of them.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/tracking.h"

#include "base/arena.h"
#include "base/clock.h"
#include "command/host.h"
#include "command/keyargs.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

#define SHRINK_KEYS 100 /* forgotten at once; more where that was not enough before */

#define TIDY_US 1000 /* spent on freeing in one tick */

#define CHANNEL "__redis__:invalidate" /* of messages to a client in RESP2 */

/* What the caller will hear. */
struct held {
    struct held *next;
    bool is_flush;    /* else of a key */
    struct bytes key; /* in the host's scratch, as this is */
};

static keyspace_changed_fn hear_of;

/* Lets the keyspace tell of changes where somebody may want to know. */
static void
listen(struct host *h)
{
    const struct tracking *t = &h->tracking;
    bool wanted = t->tracked.keys.count > 0 || t->prefixes.count > 0;

    keyspace_tell_changes(h->keyspace, wanted ? hear_of : NULL, h);
}

/* --- messages --- */

/* That nobody hears what it should hear. */
static void
tell_broken(struct session *s, uint64_t seen)
{
    s->tracker.is_broken = true;
    if (s->reply.protocol == 2 || s->closing)
        return;
    struct reply *out = session_push_after(s, seen);
    reply_push(out, 2);
    reply_bulk_str(out, "tracking-redir-broken");
    reply_int(out, (int64_t)s->tracker.redirect);
    session_pushed(s);
}

/* A client in RESP2 knows a message by its channel, whatever it subscribed to. */
static bool
can_be_told(const struct session *s, const struct session *to)
{
    if (to->closing)
        return false;
    return to->reply.protocol > 2
           || (s->tracker.redirect != 0 && subscriber_is_active(&to->subscriber));
}

void
tracking_tell(struct session *s, struct bytes keys, uint64_t seen)
{
    struct session *to = s;

    if (s->tracker.redirect != 0)
        to = session_find(s->host, s->tracker.redirect);
    if (to == NULL) {
        tell_broken(s, seen);
        return;
    }
    if (!can_be_told(s, to))
        return;
    struct reply *out = session_push_after(to, seen);
    if (to->reply.protocol > 2) {
        reply_push(out, 2);
        reply_bulk_str(out, "invalidate");
    } else {
        reply_array(out, 3);
        reply_bulk_str(out, "message");
        reply_bulk_str(out, CHANNEL);
    }
    buf_append_bytes(out->out, keys);
    session_pushed(to);
}

static void
tell_of_key(struct session *s, struct bytes key)
{
    struct buf keys = {0};
    struct reply array = {.out = &keys, .protocol = 3};

    reply_array(&array, 1);
    reply_bulk(&array, key);
    tracking_tell(s, buf_bytes(&keys), keyspace_seen(s->host->keyspace));
    buf_deinit(&keys);
}

/* In the protocol of who tracks, even where another is told. */
static void
tell_of_flush(struct session *s)
{
    struct buf keys = {0};
    struct reply null = {.out = &keys, .protocol = s->reply.protocol};

    reply_null(&null);
    tracking_tell(s, buf_bytes(&keys), keyspace_seen(s->host->keyspace));
    buf_deinit(&keys);
}

static struct bytes
copy(struct arena *scratch, struct bytes key)
{
    char *to = arena_alloc(scratch, key.len + 1);

    memcpy(to, key.data, key.len);
    return bytes_of(to, key.len);
}

static void
hold(struct host *h, bool is_flush, struct bytes key)
{
    struct tracking *t = &h->tracking;
    struct held *held = arena_alloc(&h->scratch, sizeof *held);

    *held = (struct held){.is_flush = is_flush, .key = copy(&h->scratch, key)};
    if (t->first_held == NULL)
        t->first_held = held;
    else
        t->last_held->next = held;
    t->last_held = held;
}

static void
tell_held(struct session *s)
{
    struct tracking *t = &s->host->tracking;

    for (const struct held *held = t->first_held; held != NULL; held = held->next) {
        if (held->is_flush)
            tell_of_flush(s);
        else
            tell_of_key(s, held->key);
    }
    t->first_held = t->last_held = NULL;
}

/* --- what changes --- */

static void
tell_reader(void *arg, struct bytes key, uint64_t id)
{
    struct host *h = arg;
    struct session *s = session_find(h, id);

    if (s == NULL || !s->tracker.on || s->tracker.mode == TRACKING_BROADCAST)
        return;
    if (s != h->tracking.caller)
        tell_of_key(s, key);
    else if (!s->tracker.noloop)
        hold(h, false, key);
}

static void
hear_of(void *arg, struct bytes key, bool has_expired)
{
    struct host *h = arg;
    const struct session *caller = h->tracking.caller;

    prefixes_note(h, key, has_expired || caller == NULL ? 0 : caller->id);
    tracked_forget(&h->tracking.tracked, key, tell_reader, h);
    listen(h);
}

void
tracking_tell_flush(struct host *h)
{
    struct tracking *t = &h->tracking;

    for (struct session *s = h->sessions; t->nclients > 0 && s != NULL;
         s = s->next_session) {
        if (s->tracker.on && s == t->caller)
            hold(h, true, bytes_of("", 0));
        else if (s->tracker.on)
            tell_of_flush(s);
    }
    tracked_clear(&t->tracked);
    listen(h);
}

void
tracking_broadcast(struct host *h)
{
    if (h->tracking.prefixes.has_noted)
        prefixes_tell(h);
}

static void
shrink(struct host *h)
{
    struct tracking *t = &h->tracking;
    const struct map *keys = &t->tracked.keys;
    int64_t max = h->config->tracking_table_max_keys;

    if (max == 0 || (int64_t)keys->count <= max) {
        t->nlate = 0;
        return;
    }
    for (int n = SHRINK_KEYS * ++t->nlate; n > 0 && (int64_t)keys->count > max; n--)
        tracked_forget_any(&t->tracked, tell_reader, h);
    listen(h);
}

void
tracking_tick(struct host *h)
{
    shrink(h);
    if (h->tracking.tracked.dropped != NULL)
        tracked_tidy(&h->tracking.tracked, clock_mono_us() + TIDY_US);
}

/* --- what is read --- */

static bool
note_key(void *arg, int key, int store)
{
    const struct call *c = arg;

    (void)store;
    tracked_add(&c->host->tracking.tracked, c->argv[key], c->session->id);
    return true;
}

void
tracking_note_read(const struct call *c)
{
    const struct tracker *t = &c->session->tracker;

    if (t->mode == TRACKING_BROADCAST || (t->mode == TRACKING_OPTIN && !t->has_chosen)
        || (t->mode == TRACKING_OPTOUT && t->has_chosen))
        return;
    keyargs_walk(c->command, c->argv, c->argc, note_key, (void *)c);
    listen(c->host);
}

/* --- requests --- */

void
tracking_begin(struct session *s)
{
    shrink(s->host);
    s->host->tracking.caller = s;
}

static bool
is_about_client(const struct command *cmd)
{
    return cmd != NULL && strncmp(cmd->name, "client|", strlen("client|")) == 0;
}

void
tracking_end(const struct call *c, bool done)
{
    struct session *s = c->session;

    c->host->tracking.caller = NULL;
    tell_held(s);
    if (done && !s->queue.open && !is_about_client(c->command))
        s->tracker.has_chosen = false;
}

/* --- who tracks --- */

void
tracking_start(struct session *s, const struct tracker *how, const struct bytes *prefixes,
               size_t nprefixes)
{
    struct tracking *t = &s->host->tracking;
    struct listener *listeners = s->tracker.listeners;
    bool has_chosen = s->tracker.has_chosen;

    if (!s->tracker.on)
        t->nclients++;
    s->tracker = *how;
    s->tracker.on = true;
    s->tracker.has_chosen = has_chosen;
    s->tracker.listeners = listeners;
    if (how->mode == TRACKING_BROADCAST && nprefixes == 0)
        prefixes_listen(s, bytes_of("", 0));
    for (size_t i = 0; i < nprefixes; i++)
        prefixes_listen(s, prefixes[i]);
    listen(s->host);
    /* The request that began it may go on inside EXEC. */
    t->caller = s;
}

void
tracking_stop(struct session *s)
{
    if (!s->tracker.on)
        return;
    s->host->tracking.nclients--;
    prefixes_leave(s);
    s->tracker = (struct tracker){0};
    listen(s->host);
}

int64_t
tracking_redirect(const struct session *s)
{
    return s->tracker.on ? (int64_t)s->tracker.redirect : -1;
}

void
tracking_deinit(struct host *h)
{
    keyspace_tell_changes(h->keyspace, NULL, NULL);
    tracked_clear(&h->tracking.tracked);
    tracked_tidy(&h->tracking.tracked, INT64_MAX);
    prefixes_deinit(&h->tracking.prefixes);
    map_deinit(&h->sessions_by_id);
}
