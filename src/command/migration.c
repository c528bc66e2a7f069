/* migration: see migration.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/migration.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/arguments.h"
#include "command/dispatch.h"
#include "command/host.h"
#include "command/notify.h"
#include "command/session_priv.h"
#include "keyspace/fetch.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "value/dump.h"

/* A key; those that were sent have the rest. */
struct moving {
    struct bytes key; /* in the migration's text */
    size_t size;      /* of its request */
    int64_t deadline;
    struct watch *watch; /* since then; NULL for COPY */
    bool acknowledged;
    bool stays; /* it was changed since then */
};

struct migration {
    struct session *session;
    struct store *store; /* held */
    const struct peer_calls *calls;
    struct peer *peer; /* NULL: not any more */
    bool copy, replace, logs_in, ended;
    struct buf greeting; /* AUTH and SELECT */
    size_t ngreeted;     /* answers to them that are still to come */
    char *text;
    struct moving *keys; /* first those that were sent, from `next` on those that were not;
                            between them is what had gone by then */
    size_t nkeys, nsent, next, nanswered;
    size_t ahead;        /* bytes sent and not answered */
    struct fetch *fetch; /* of the next one */
    struct buf refusal;  /* the first error the other server answered */
    enum err failure;
};

static struct keyspace *
keyspace_of(const struct migration *m)
{
    return m->session->host->keyspace;
}

/* --- the end --- */

static void
hang_up(struct migration *m)
{
    if (m->peer != NULL)
        m->calls->close(m->peer);
    m->peer = NULL;
    if (m->fetch != NULL)
        fetch_cancel(m->fetch);
    m->fetch = NULL;
}

/* Another migration may use the connection, but not another's password. */
static void
leave(struct migration *m)
{
    m->calls->leave(m->peer);
    m->peer = NULL;
}

/* The session goes on, so the migration may be gone afterwards. */
static void
end(struct migration *m, enum err failure)
{
    struct session *s = m->session;

    m->failure = failure;
    m->ended = true;
    if (failure == OK && m->ngreeted == 0 && !m->logs_in)
        leave(m);
    hang_up(m);
    s->owner->resumed(s->owner_arg);
}

bool
migration_is_awaited(const struct session *s)
{
    return s->migration != NULL && !s->migration->ended;
}

void
migration_drop(struct session *s)
{
    struct migration *m = s->migration;

    if (m == NULL)
        return;
    s->migration = NULL;
    hang_up(m);
    for (size_t i = 0; i < m->nsent; i++) {
        if (m->keys[i].watch != NULL)
            watch_free(m->keys[i].watch);
    }
    store_release(m->store);
    buf_deinit(&m->greeting);
    buf_deinit(&m->refusal);
    free(m->keys);
    free(m->text);
    free(m);
}

/* --- sending --- */

static void
write_request(const struct migration *m, struct bytes key, const struct entry *e,
              int64_t now, struct buf *out)
{
    struct reply r = {.out = out, .protocol = 2};
    struct buf payload = {0};
    int64_t deadline = entry_deadline(e);
    int64_t left = deadline > now ? deadline - now : 1;

    dump_encode(&payload, entry_string(e));
    reply_array(&r, m->replace ? 5 : 4);
    reply_bulk_str(&r, "RESTORE");
    reply_bulk(&r, key);
    reply_bulk_int(&r, deadline == 0 ? 0 : left);
    reply_bulk(&r, buf_bytes(&payload));
    if (m->replace)
        reply_bulk_str(&r, "REPLACE");
    buf_deinit(&payload);
}

/* Appends the request for the next key, unless that has gone meanwhile. */
static void
take_next(struct migration *m, struct buf *out)
{
    struct bytes key = m->keys[m->next++].key;
    int64_t now = clock_ms();
    size_t before = out->len;
    struct entry *e = store_find(m->store, key, now);

    if (e == NULL)
        return;
    write_request(m, key, e, now, out);
    m->keys[m->nsent++] = (struct moving){
        .key = key,
        .size = out->len - before,
        .deadline = entry_deadline(e),
        .watch = m->copy ? NULL : watch_new(m->store, key, now),
    };
    m->ahead += out->len - before;
}

static void go_on(struct migration *m);

static void
on_fetched(void *arg, int error)
{
    struct migration *m = arg;

    m->fetch = NULL;
    if (error != 0)
        end(m, ERR_READ);
    else
        go_on(m);
}

static void
fetch_next(struct migration *m)
{
    struct fetch_key key = {m->store, m->keys[m->next].key};

    m->fetch = fetch_start(keyspace_of(m), &key, 1, on_fetched, m);
}

static bool
may_take_next(const struct migration *m)
{
    return m->next < m->nkeys && m->ahead < MIGRATION_AHEAD && m->fetch == NULL;
}

/* Sends what may be sent. May end it. */
static void
go_on(struct migration *m)
{
    struct keyspace *ks = keyspace_of(m);
    struct buf out = {0};

    keyspace_forget_seen(ks);
    size_t before = m->nsent;
    while (may_take_next(m) && store_knows(m->store, m->keys[m->next].key))
        take_next(m, &out);
    if (out.len > 0)
        m->calls->send(m->peer, &out, m->nsent - before, keyspace_seen(ks));
    if (may_take_next(m))
        fetch_next(m);
    else if (m->next == m->nkeys && m->nanswered == m->nsent)
        end(m, OK);
}

/* --- what the other server says --- */

static void
on_connected(void *arg)
{
    struct migration *m = arg;
    struct buf out = {0};

    buf_append_bytes(&out, buf_bytes(&m->greeting));
    m->calls->send(m->peer, &out, m->ngreeted, 0);
}

static bool
is_ok(struct bytes line)
{
    return bytes_eq(line, bytes_str("+OK"));
}

static bool
is_refusal(struct bytes line)
{
    return line.len > 0 && line.data[0] == '-';
}

static void
note_refusal(struct migration *m, struct bytes line)
{
    if (m->refusal.len == 0)
        buf_append_bytes(&m->refusal, line);
}

/* Before it is known that the right store is selected, nothing is sent to it. */
static void
take_greeting(struct migration *m, struct bytes line)
{
    if (is_refusal(line)) {
        note_refusal(m, line);
        end(m, OK);
        return;
    }
    m->ngreeted--;
    if (m->ngreeted == 0)
        go_on(m);
}

static void
take_answer(struct migration *m, struct bytes line)
{
    assert(m->nanswered < m->nsent);
    struct moving *k = &m->keys[m->nanswered++];

    k->acknowledged = is_ok(line);
    if (!k->acknowledged)
        note_refusal(m, line);
    m->ahead -= k->size;
    go_on(m);
}

static void
on_said(void *arg, struct bytes line)
{
    struct migration *m = arg;

    if (!is_ok(line) && !is_refusal(line))
        end(m, ERR_PEER_READ);
    else if (m->ngreeted > 0)
        take_greeting(m, line);
    else
        take_answer(m, line);
}

static void
on_failed(void *arg, enum peer_failure why)
{
    static const enum err errors[] = {
        [PEER_UNREACHABLE] = ERR_PEER_CONNECT,
        [PEER_UNWRITABLE] = ERR_PEER_WRITE,
        [PEER_UNREADABLE] = ERR_PEER_READ,
    };
    struct migration *m = arg;

    m->peer = NULL;
    end(m, errors[why]);
}

/* --- the beginning --- */

static void
greet(struct migration *m, const struct migration_request *r)
{
    struct reply out = {.out = &m->greeting, .protocol = 2};

    if (r->password != NULL) {
        reply_array(&out, r->user != NULL ? 3 : 2);
        reply_bulk_str(&out, "AUTH");
        if (r->user != NULL)
            reply_bulk(&out, *r->user);
        reply_bulk(&out, *r->password);
        m->ngreeted++;
    }
    reply_array(&out, 2);
    reply_bulk_str(&out, "SELECT");
    reply_bulk(&out, r->store);
    m->ngreeted++;
}

/* Keeps those of the keys that are there. */
static void
find_keys(struct migration *m, struct call *c, const struct migration_request *r)
{
    size_t size = 0;

    for (int i = r->first; i < r->first + r->nkeys; i++)
        size += c->argv[i].len;
    m->keys = xcalloc((size_t)r->nkeys + 1, sizeof *m->keys);
    m->text = xmalloc(size + 1);
    char *to = m->text;
    for (int i = r->first; i < r->first + r->nkeys; i++) {
        struct bytes key = c->argv[i];
        if (arg_read(c, i) == NULL)
            continue;
        memcpy(to, key.data, key.len);
        m->keys[m->nkeys++].key = bytes_of(to, key.len);
        to += key.len;
    }
}

struct migration *
migration_new(struct call *c, const struct migration_request *r)
{
    static const struct peer_events events = {on_connected, on_said, on_failed};
    struct migration *m = xcalloc(1, sizeof *m);

    m->session = c->session;
    m->store = c->store;
    m->calls = c->host->peer_calls;
    m->copy = r->copy;
    m->replace = r->replace;
    m->logs_in = r->password != NULL;
    store_hold(m->store);
    find_keys(m, c, r);
    m->ended = m->nkeys == 0 || m->calls == NULL;
    m->failure = m->ended && m->nkeys > 0 ? ERR_PEER_WRITE : OK;
    if (!m->ended) {
        greet(m, r);
        m->peer = m->calls->open(c->host->sockets, &r->to, &events, m);
    }
    return m;
}

/* --- settling --- */

/* What has gone because its time was over is not changed: so it has there. */
static bool
is_changed(struct call *c, const struct moving *k)
{
    struct store *store;
    struct bytes key;

    if (watch_is_unsure(k->watch, &store, &key))
        return true;
    if (!watch_is_touched(k->watch, c->now))
        return false;
    bool is_over = k->deadline != 0 && c->now > k->deadline;
    return !is_over || store_find(c->store, k->key, c->now) != NULL;
}

/* Removes what is there now and is what was acknowledged. Gives how many keys. */
static size_t
remove_acknowledged(struct call *c, struct migration *m)
{
    size_t nremoved = 0;

    /* All are looked at first: a key may be there twice, and its removal is a change. */
    for (size_t i = 0; i < m->nsent; i++)
        m->keys[i].stays = is_changed(c, &m->keys[i]);
    for (size_t i = 0; i < m->nsent; i++) {
        const struct moving *k = &m->keys[i];
        if (!k->acknowledged || k->stays)
            continue;
        struct entry *e = store_find(c->store, k->key, c->now);
        if (e == NULL)
            continue;
        store_delete(c->store, e);
        notify(c, NOTIFY_GENERIC, "del", k->key);
        nremoved++;
    }
    return nremoved;
}

static enum err
what_went_wrong(struct call *c, const struct migration *m)
{
    if (m->refusal.len > 0)
        return fail(c, "ERR Target instance replied with error: %.*s",
                    (int)m->refusal.len - 1, m->refusal.data + 1);
    if (m->failure != OK)
        return m->failure;
    for (size_t i = 0; i < m->nsent; i++) {
        if (m->keys[i].stays)
            return ERR_MIGRATE_CHANGED;
    }
    return OK;
}

enum err
migration_settle(struct call *c)
{
    struct migration *m = c->session->migration;

    assert(m != NULL && m->ended);
    if (m->nkeys == 0) {
        reply_simple(c->out, "NOKEY");
        return OK;
    }
    size_t nremoved = m->copy ? 0 : remove_acknowledged(c, m);
    enum err err = what_went_wrong(c, m);
    if (err != OK && nremoved == 0)
        return err;
    /* Part of it may have worked: then the error is the reply. */
    if (err != OK)
        dispatch_error(c, err);
    else
        reply_ok(c->out);
    return OK;
}
