/*
 * dispatch: a request is admitted by guards in the order in which clients can observe
 * them; then it is queued (inside MULTI) or waits for what it needs; then it is carried
 * out. Everything that is common to all commands stands here.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/dispatch.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "command/auth.h"
#include "command/debug.h"
#include "command/host.h"
#include "command/listed.h"
#include "command/migrate.h"
#include "command/migration.h"
#include "command/monitor.h"
#include "command/needs.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "command/timing.h"
#include "command/unsent.h"
#include "command/waiting.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

#define ECHOED_MAX 128 /* bytes of a wrong name, and of its arguments, told back */

static enum err
fail_unknown(struct call *c)
{
    char args[2 * ECHOED_MAX] = "";
    int len = 0;

    for (int i = 1; i < c->argc && len < ECHOED_MAX; i++) {
        int room = ECHOED_MAX - len;
        int shown = c->argv[i].len < (size_t)room ? (int)c->argv[i].len : room;
        len += snprintf(args + len, sizeof args - (size_t)len, "'%.*s' ", shown,
                        c->argv[i].data);
    }
    int shown = c->argv[0].len < ECHOED_MAX ? (int)c->argv[0].len : ECHOED_MAX;
    return fail(c, "ERR unknown command '%.*s', with args beginning with: %s", shown,
                c->argv[0].data, args);
}

static enum err
fail_unknown_sub(struct call *c, const struct command *container)
{
    char name[COMMAND_NAME_MAX];
    int shown = c->argv[1].len < ECHOED_MAX ? (int)c->argv[1].len : ECHOED_MAX;

    for (size_t i = 0; i <= container->name_len; i++)
        name[i] = (char)toupper((unsigned char)container->name[i]);
    return fail(c, "ERR unknown subcommand '%.*s'. Try %s HELP.", shown, c->argv[1].data,
                name);
}

static enum err
find_command(struct call *c)
{
    const struct command *cmd = table_find(c->host->table, c->argv[0]);

    c->session->asked = NULL;
    if (cmd == NULL)
        return fail_unknown(c);
    if ((cmd->flags & CMD_CONTAINER) && c->argc > 1) {
        const struct command *container = cmd;
        cmd = table_find_sub(c->host->table, container, c->argv[1]);
        if (cmd == NULL)
            return fail_unknown_sub(c, container);
    }
    c->command = c->session->asked = cmd;
    return OK;
}

static enum err
check_arity(struct call *c)
{
    if (command_takes(c->command, c->argc))
        return OK;
    return fail(c, "ERR wrong number of arguments for '%s' command", c->command->name);
}

/* Who may not use DEBUG at all need not log in to hear it. */
static enum err
check_debug(const struct call *c)
{
    if (c->command->fn == cmd_debug && !debug_is_allowed(c))
        return ERR_NO_DEBUG;
    return OK;
}

static enum err
check_login(const struct call *c)
{
    return auth_is_done(c->session) || c->command->flags & CMD_NO_AUTH ? OK : ERR_NOAUTH;
}

static enum err
check_multi(struct call *c)
{
    if (c->session->queue.open && (c->command->flags & (CMD_NO_MULTI | CMD_TALKS)))
        return ERR_NOT_IN_MULTI;
    return OK;
}

/* A client that subscribed in RESP2 could not tell replies from messages. */
static enum err
check_subscribed(struct call *c)
{
    if (c->out->protocol != 2 || !subscriber_is_active(&c->session->subscriber)
        || (c->command->flags & CMD_SUBSCRIBED))
        return OK;
    return fail(c,
                "ERR Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                "QUIT / RESET are allowed in this context",
                c->command->name);
}

/* Whether carrying it out now would change keys. */
static bool
is_write(const struct call *c)
{
    if (c->command->flags & CMD_WRITE)
        return true;
    return c->command->fn == cmd_exec && (c->session->queue.flags & CMD_WRITE);
}

/* To clients, one that watches others is a replica. */
static enum err
check_monitor(const struct call *c)
{
    if (c->session->monitors
        && c->command->flags & (CMD_WRITE | CMD_READ | CMD_REPLICATED))
        return ERR_MONITOR;
    return OK;
}

static enum err
check_writable(struct call *c)
{
    if (is_write(c) && keyspace_is_failing(c->host->keyspace))
        return ERR_WRITES_REFUSED;
    return OK;
}

static enum err
admit(struct call *c)
{
    TRY(find_command(c));
    TRY(check_arity(c));
    TRY(check_debug(c));
    TRY(check_login(c));
    TRY(check_multi(c));
    TRY(check_subscribed(c));
    TRY(check_writable(c));
    TRY(check_monitor(c));
    return OK;
}

void
dispatch_error(struct call *c, enum err err)
{
    reply_error(c->out, call_error(c, err));
    c->host->errors++;
    c->host->by_error[err]++;
}

/* EXEC cannot be left half way: refused, it ends the transaction and says why, and who
 * watches sees that it ended. */
static void
refuse_exec(struct call *c, enum err err)
{
    struct bytes why = call_error(c, err);

    if (why.len > 4 && memcmp(why.data, "ERR ", 4) == 0)
        why = bytes_of(why.data + 4, why.len - 4);
    queue_clear(&c->session->queue);
    session_unwatch(c->session);
    fail(c, "EXECABORT Transaction discarded because of: %.*s", (int)why.len, why.data);
    dispatch_error(c, ERR_ABORTED);
    if (c->host->monitors != NULL)
        monitor_show(c);
}

/* A browser that was sent here by a stranger's page begins its request with one of
 * these; what follows might be commands. */
static bool
is_http(struct bytes name)
{
    return bytes_is(name, "POST") || bytes_is(name, "Host:");
}

static void
refuse_unknown(struct call *c, enum err err)
{
    if (!is_http(c->argv[0])) {
        dispatch_error(c, err);
        return;
    }
    log_line(LOG_WARNING,
             "Possible SECURITY ATTACK detected: a client sent POST or Host:, as a "
             "browser does. Connection closed.");
    session_kill(c->session);
}

static void
refuse(struct call *c, enum err err)
{
    if (c->session->queue.open)
        c->session->queue.broken = true;
    if (c->command == NULL) {
        refuse_unknown(c, err);
        return;
    }
    c->host->by_command[c->command - commands].rejected++;
    if (c->command->fn == cmd_exec)
        refuse_exec(c, err);
    else
        dispatch_error(c, err);
}

static void
enqueue(struct call *c)
{
    struct queue *q = &c->session->queue;
    size_t max = (size_t)c->host->config->client_query_buffer_limit;

    /* What is spoiled is not carried out, so it need not be kept. */
    if (!q->broken && !queue_add(q, c->command, c->argv, c->argc, max))
        refuse(c, ERR_QUEUE);
    else
        reply_simple(c->out, "QUEUED");
}

/* Whether the request has to wait; then the session is parked. A request whose keys have
 * come does not wait for anything else, because they may leave again. */
static bool
must_wait(struct call *c)
{
    struct session *s = c->session;

    if (s->fetched == FETCHED_ERROR)
        return false;
    if (s->fetched == FETCHED_NOTHING && is_write(c)
        && !keyspace_may_write(c->host->keyspace)) {
        session_throttle(s);
        return true;
    }
    return !needs_are_known(c) && needs_wait(c);
}

void
dispatch_run(struct call *c)
{
    struct session *s = c->session;
    struct command_stats *stats = &c->host->by_command[c->command - commands];
    size_t before = c->out->out->len;
    uint64_t messages = s->messages;
    bool muted = session_is_muted(s);

    enum err err = c->command->fn(c);
    if (err != OK) {
        /* Its look at a key that has expired may have been told to it. */
        assert(c->out->out->len == before || s->messages > messages);
        dispatch_error(c, err);
        stats->failed++;
    }

    if (muted && session_is_muted(s))
        c->out->out->len = s->silent_from;
    else
        s->silent_from = c->out->out->len; /* in EXEC replies may cease in between */
    if (s->output.len > SESSION_OUTPUT_FIRST)
        unsent_check(s);

    if (s->tracker.on && (c->command->flags & CMD_READ))
        tracking_note_read(c);
    if (c->host->monitors != NULL && !s->has_waited)
        monitor_show(c);

    /* The clock is read once a command, at its end: what lies between two ends is the
     * later's. */
    int64_t now_us = clock_mono_us();
    timing_ran(c, now_us - s->last_us);
    s->last_us = now_us;
    c->host->commands++;
}

static void
run(struct call *c)
{
    struct session *s = c->session;

    if (s->fetched == FETCHED_ERROR && !needs_are_known(c)) {
        refuse(c, ERR_READ);
        return;
    }
    keyspace_forget_seen(c->host->keyspace);
    dispatch_run(c);
    uint64_t seen = keyspace_seen(c->host->keyspace);
    if (seen > s->depends)
        s->depends = seen;
}

static bool
carry_on(struct call *c)
{
    enum err err = admit(c);

    if (err != OK) {
        refuse(c, err);
    } else if (waiting_is_due(c)) {
        return false;
    } else if (c->session->queue.open && !(c->command->flags & CMD_CONTROL)) {
        enqueue(c);
    } else {
        if (must_wait(c) || ((c->command->flags & CMD_TALKS) && migrate_begins(c)))
            return false;
        run(c);
    }
    return true;
}

/* After a request: what was next is now. */
static void
turn_silence(struct session *s)
{
    s->silence =
        (s->silence & SILENT_ALWAYS) | (s->silence & SILENT_NEXT ? SILENT_NOW : 0);
}

static size_t
size_of(const struct bytes *argv, int argc)
{
    size_t size = 0;

    for (int i = 0; i < argc; i++)
        size += argv[i].len;
    return size;
}

bool
dispatch(struct session *s, const struct bytes *argv, int argc)
{
    struct host *h = s->host;
    bool muted = session_is_muted(s);
    int64_t now = session_now(s);
    struct call c = {
        .session = s,
        .store = s->store,
        .host = h,
        .scratch = &h->scratch,
        .out = &s->reply,
        .argv = argv,
        .argc = argc,
        .listed = listed_at(s, 0),
        .now = now,
        .began = now,
    };

    s->request_size = size_of(argv, argc);
    if (h->tracking.nclients > 0)
        tracking_begin(s);
    s->silent_from = s->output.len;
    s->is_answering = true;
    bool done = carry_on(&c);
    s->is_answering = false;
    if (done) {
        if (muted && session_is_muted(s))
            s->output.len = s->silent_from;
        turn_silence(s);
        s->request_size = 0;
        s->fetched = FETCHED_NOTHING;
        s->has_waited = false;
        listed_drop(s);
        migration_drop(s);
    }
    if (h->tracking.caller != NULL)
        tracking_end(&c, done);
    if (h->scratch.blocks != NULL)
        arena_reset(&h->scratch);
    return done;
}

void
dispatch_nothing(struct session *s)
{
    turn_silence(s);
    if (!s->queue.open)
        s->tracker.has_chosen = false;
}

void
dispatch_protocol_error(struct session *s, const char *text)
{
    char line[256];

    snprintf(line, sizeof line, "ERR %s", text);
    if (!session_is_muted(s))
        reply_error(&s->reply, bytes_str(line));
    s->host->errors++;
    s->host->by_error[ERR_FAILED]++;
    s->closing = true;
}
