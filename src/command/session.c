/*
 * session: feeds requests to dispatch one after the other, and waits when one has to.
 *
 * A request that has to wait is not consumed. It is parsed and dispatched once more when
 * the session is fed after the waiting; nothing of it had happened before.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/auth.h"
#include "command/dispatch.h"
#include "command/host.h"
#include "command/listed.h"
#include "command/migration.h"
#include "command/monitor.h"
#include "command/session_priv.h"
#include "command/unsent.h"
#include "command/waiting.h"
#include "keyspace/fetch.h"
#include "keyspace/keyspace.h"
#include "value/string.h"

#define GROUP_REQUESTS STORE_PREFETCH_MAX
#define GROUP_WORDS    (4 * GROUP_REQUESTS)

static struct bytes
id_bytes(const uint64_t *id)
{
    return bytes_of((const char *)id, sizeof *id);
}

static bool
has_id(const struct map_node *node, struct bytes id)
{
    return bytes_eq(id_bytes(&((const struct session *)node)->id), id);
}

struct session *
session_find(const struct host *h, uint64_t id)
{
    struct bytes bytes = id_bytes(&id);
    struct session *s =
        (struct session *)map_find(&h->sessions_by_id, map_hash(bytes), bytes, has_id);

    return s != NULL && s->killed ? NULL : s;
}

struct session *
session_new(struct host *host, const struct session_owner *owner, void *arg,
            const struct session_peer *peer)
{
    struct session *s = xcalloc(1, sizeof *s);

    s->host = host;
    s->logged_in = auth_is_open(host);
    s->store = keyspace_store(host->keyspace, bytes_str("0"));
    s->id = host->next_client_id++;
    s->created_ms = s->fed_ms = clock_ms();
    s->owner = owner;
    s->owner_arg = arg;
    s->peer = *peer;
    s->reply = (struct reply){.out = &s->output, .protocol = 2, .spare = &host->spare};
    parser_init(&s->parser, STRING_MAX);
    s->next_session = host->sessions;
    if (host->sessions != NULL)
        host->sessions->previous_session = s;
    host->sessions = s;
    map_insert(&host->sessions_by_id, &s->node, map_hash(id_bytes(&s->id)));
    return s;
}

static void
leave_host(struct session *s)
{
    if (s->previous_session != NULL)
        s->previous_session->next_session = s->next_session;
    else
        s->host->sessions = s->next_session;
    if (s->next_session != NULL)
        s->next_session->previous_session = s->previous_session;
    if (s->host->tended == s)
        s->host->tended = s->next_session;
    map_remove(&s->host->sessions_by_id, &s->node);
}

static void
leave_ring(struct session *s)
{
    struct host *h = s->host;

    if (s->following == s) {
        h->throttled = NULL;
    } else {
        s->previous->following = s->following;
        s->following->previous = s->previous;
        if (h->throttled == s)
            h->throttled = s->following;
    }
    h->nthrottled--;
    s->throttled = false;
}

void
session_free(struct session *s)
{
    if (s->fetch != NULL)
        fetch_cancel(s->fetch);
    listed_drop(s);
    migration_drop(s);
    if (s->throttled)
        leave_ring(s);
    waiting_leave(s);
    monitor_end(s);
    leave_host(s);
    pubsub_leave(s);
    tracking_stop(s);
    session_unwatch(s);
    queue_clear(&s->queue);
    store_release(s->store);
    parser_deinit(&s->parser);
    buf_deinit(&s->output);
    buf_deinit(&s->name);
    free(s);
}

static void
begin_feeding(struct session *s)
{
    int64_t bulk_max = s->host->config->proto_max_bulk_len;

    s->parser.bulk_max = bulk_max < STRING_MAX ? (size_t)bulk_max : STRING_MAX;
    s->fed_ms = clock_ms();
    s->fed_us = s->last_us = clock_mono_us();
}

static bool
can_go_on(const struct session *s)
{
    return !s->closing && !session_is_parked(s) && s->output.len < SESSION_OUTPUT_SOFT;
}

struct request {
    const struct bytes *argv;
    int argc;
    size_t size; /* bytes it took */
};

/* Requests of a pipeline that are read together, so that the memory of their first keys is
 * on its way when they are carried out. */
struct group {
    struct request requests[GROUP_REQUESTS];
    size_t count;
    struct bytes words[GROUP_WORDS]; /* the arguments of all but the last; its are the
                                        parser's */
};

/* Reads requests from the front of the input, and gives what the parser said last. An inline
 * request ends the group: its arguments are in the parser, which the next one overwrites. */
static enum parsed
read_group(struct session *s, struct bytes input, struct group *g)
{
    struct parser *p = &s->parser;
    size_t nwords = 0;
    enum parsed got;

    g->count = 0;
    p->guest = !auth_is_done(s);
    while ((got = parser_next(p, input.data, input.len)) == PARSED_REQUEST) {
        struct request *r = &g->requests[g->count++];
        bool is_inline = input.data[0] != '*';

        *r = (struct request){p->argv, p->argc, p->consumed};
        input = bytes_of(input.data + r->size, input.len - r->size);
        if (input.len == 0 || is_inline || p->guest || g->count == GROUP_REQUESTS
            || (size_t)r->argc > GROUP_WORDS - nwords)
            break;
        r->argv = g->words + nwords;
        for (int i = 0; i < p->argc; i++)
            g->words[nwords++] = p->argv[i];
    }
    return got;
}

static void
prefetch(const struct session *s, const struct group *g)
{
    struct bytes keys[GROUP_REQUESTS];
    size_t nkeys = 0;

    for (size_t i = 0; i < g->count; i++) {
        if (g->requests[i].argc > 1)
            keys[nkeys++] = g->requests[i].argv[1];
    }
    if (nkeys > 1)
        store_prefetch(s->store, keys, nkeys);
}

/* Carries a group out, and moves *taken behind what was. False: it had to stop. */
static bool
carry_out(struct session *s, const struct group *g, size_t *taken)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct request *r = &g->requests[i];
        if (!can_go_on(s))
            return false;
        if (r->argc == 0) {
            dispatch_nothing(s);
        } else if (!dispatch(s, r->argv, r->argc)) {
            s->front_size = r->size;
            return false;
        }
        *taken += r->size;
        s->pending -= r->size;
    }
    return true;
}

static size_t
feed(struct session *s, struct bytes input)
{
    enum parsed last = PARSED_REQUEST;
    struct group group;
    size_t taken = 0;

    while (last == PARSED_REQUEST && taken < input.len && can_go_on(s)) {
        last = read_group(s, bytes_of(input.data + taken, input.len - taken), &group);
        prefetch(s, &group);
        if (!carry_out(s, &group, &taken) || (last == PARSED_ERROR && !can_go_on(s))) {
            /* What is behind is read once more. */
            parser_restart(&s->parser);
            return taken;
        }
        if (last == PARSED_ERROR) {
            dispatch_protocol_error(s, s->parser.error);
            return input.len;
        }
    }
    return taken;
}

size_t
session_feed(struct session *s, struct bytes input)
{
    begin_feeding(s);
    s->pending = input.len;
    size_t taken = feed(s, input);
    s->pending = input.len - taken;
    return taken;
}

struct buf *
session_output(struct session *s)
{
    return &s->output;
}

uint64_t
session_depends(const struct session *s)
{
    return s->depends;
}

bool
session_is_parked(const struct session *s)
{
    return s->fetch != NULL || listed_is_awaited(s) || migration_is_awaited(s)
           || s->throttled || s->waits;
}

bool
session_is_patient(const struct session *s)
{
    return s->waits || migration_is_awaited(s);
}

bool
session_may_be_silent(const struct session *s)
{
    return session_is_parked(s) || s->monitors || subscriber_is_active(&s->subscriber);
}

bool
session_is_closing(const struct session *s)
{
    return s->closing;
}

bool
session_is_killed(const struct session *s)
{
    return s->killed;
}

void
session_kill(struct session *s)
{
    s->closing = s->killed = true;
    s->owner->pushed(s->owner_arg);
}

static bool
is_silent(const struct session *s)
{
    return (s->silence & (SILENT_ALWAYS | SILENT_NOW)) != 0;
}

bool
session_is_muted(const struct session *s)
{
    return is_silent(s) || s->closing;
}

struct reply *
session_push_after(struct session *s, uint64_t stamp)
{
    if (stamp > s->depends)
        s->depends = stamp;
    if (s->is_answering && is_silent(s))
        s->output.len = s->silent_from;
    s->push_from = s->output.len;
    if (s->push_from == 0)
        s->unasked = 0;
    s->messages++;
    return &s->reply;
}

struct reply *
session_push(struct session *s)
{
    return session_push_after(s, keyspace_seen(s->host->keyspace));
}

void
session_pushed(struct session *s)
{
    if (s->closing) {
        s->output.len = s->push_from;
        return;
    }
    s->unasked += s->output.len - s->push_from;
    if (is_silent(s))
        s->silent_from = s->output.len;
    s->owner->pushed(s->owner_arg);
    if (s->output.len > SESSION_OUTPUT_FIRST)
        unsent_check(s);
}

size_t
session_missing(const struct session *s, size_t have)
{
    return parser_missing(&s->parser, have);
}

int64_t
session_now(const struct session *s)
{
    return s->fed_ms + (s->last_us - s->fed_us) / 1000;
}

void
session_select(struct session *s, struct store *store)
{
    store_release(s->store);
    s->store = store;
}

void
session_unwatch(struct session *s)
{
    for (size_t i = 0; i < s->nwatches; i++)
        watch_free(s->watches[i]);
    free(s->watches);
    s->watches = NULL;
    s->nwatches = s->cap_watches = 0;
}

static void
fetched(void *arg, int error)
{
    struct session *s = arg;

    s->fetch = NULL;
    s->fetched = error == 0 ? FETCHED_KEYS : FETCHED_ERROR;
    s->owner->resumed(s->owner_arg);
}

void
session_fetch(struct session *s, const struct fetch_key *keys, size_t nkeys)
{
    assert(!session_is_parked(s));
    s->fetch = fetch_start(s->host->keyspace, keys, nkeys, fetched, s);
}

void
session_throttle(struct session *s)
{
    struct host *h = s->host;

    assert(!session_is_parked(s));
    s->throttled = true;
    h->nthrottled++;
    if (h->throttled == NULL) {
        h->throttled = s->previous = s->following = s;
        return;
    }
    s->following = h->throttled;
    s->previous = h->throttled->previous;
    s->previous->following = s;
    s->following->previous = s;
}

void
session_resume(struct session *s)
{
    leave_ring(s);
    s->owner->resumed(s->owner_arg);
}
