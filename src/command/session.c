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

#define LOOK_AHEAD_MIN 256         /* bytes of input from which on it may be a pipeline */
#define LOOK_AHEAD_MAX (16 * 1024) /* bytes read over at once */

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
    s->reply = (struct reply){.out = &s->output, .protocol = 2};
    parser_init(&s->parser, STRING_MAX);
    parser_init(&s->scout, STRING_MAX);
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
    parser_deinit(&s->scout);
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

/* Reads over the next requests of a pipeline, so that the memory of their first keys is
 * on its way when they are carried out. Gives how many bytes it has seen. */
static size_t
look_ahead(struct session *s, struct bytes input)
{
    struct bytes keys[STORE_PREFETCH_MAX];
    size_t seen = 0, nkeys = 0;

    if (input.len > LOOK_AHEAD_MAX)
        input.len = LOOK_AHEAD_MAX;
    parser_restart(&s->scout);
    s->scout.bulk_max = s->parser.bulk_max;
    /* An inline request has its arguments in the parser, which the next one
     * overwrites. */
    while (nkeys < STORE_PREFETCH_MAX && seen < input.len && input.data[seen] == '*'
           && parser_next(&s->scout, input.data + seen, input.len - seen)
                  == PARSED_REQUEST) {
        seen += s->scout.consumed;
        if (s->scout.argc > 1)
            keys[nkeys++] = s->scout.argv[1];
    }
    store_prefetch(s->store, keys, nkeys);
    return seen;
}

static size_t
feed(struct session *s, struct bytes input)
{
    size_t taken = 0, looked = 0;

    while (taken < input.len && can_go_on(s)) {
        if (taken >= looked && input.len - taken >= LOOK_AHEAD_MIN)
            looked =
                taken + look_ahead(s, bytes_of(input.data + taken, input.len - taken));
        s->parser.guest = !auth_is_done(s);
        switch (parser_next(&s->parser, input.data + taken, input.len - taken)) {
        case PARSED_MORE:
            return taken;
        case PARSED_ERROR:
            dispatch_protocol_error(s, s->parser.error);
            return input.len;
        case PARSED_REQUEST:
            break;
        }
        if (s->parser.argc == 0) {
            dispatch_nothing(s);
        } else if (!dispatch(s, s->parser.argv, s->parser.argc)) {
            parser_restart(&s->parser);
            return taken;
        }
        taken += s->parser.consumed;
        s->pending -= s->parser.consumed;
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
