/*
 * See pubsub.h. A subscription stands in its session's map, and in two lists, of its
 * session and of its channel, in the order in which they came.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/pubsub.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/glob.h"
#include "base/mem.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "resp/reply.h"

struct channel {
    struct map_node node;
    struct bytes name; /* its own */
    struct subscription *first, *last;
    int64_t count;
};

struct subscription {
    struct map_node node; /* in the session's map */
    struct session *session;
    struct channel *channel;
    struct subscription *older, *newer;   /* of the session */
    struct subscription *next, *previous; /* of the channel */
};

static bool
channel_has_name(const struct map_node *node, struct bytes name)
{
    return bytes_eq(((const struct channel *)node)->name, name);
}

static bool
subscription_has_name(const struct map_node *node, struct bytes name)
{
    return bytes_eq(((const struct subscription *)node)->channel->name, name);
}

static struct channel *
find_channel(const struct host *h, enum channel_kind kind, struct bytes name)
{
    return (struct channel *)map_find(&h->pubsub.channels[kind], map_hash(name), name,
                                      channel_has_name);
}

static struct subscription *
find_subscription(const struct session *s, enum channel_kind kind, struct bytes name)
{
    return (struct subscription *)map_find(&s->subscriber.channels[kind], map_hash(name),
                                           name, subscription_has_name);
}

/* --- coming and going --- */

static void
enter_session(struct session *s, enum channel_kind kind, struct subscription *sub)
{
    struct subscriber *all = &s->subscriber;

    sub->session = s;
    sub->older = all->newest[kind];
    if (sub->older != NULL)
        sub->older->newer = sub;
    else
        all->oldest[kind] = sub;
    all->newest[kind] = sub;
    map_insert(&all->channels[kind], &sub->node, sub->channel->node.hash);
}

static void
leave_session(struct subscription *sub, enum channel_kind kind)
{
    struct subscriber *all = &sub->session->subscriber;

    if (sub->older != NULL)
        sub->older->newer = sub->newer;
    else
        all->oldest[kind] = sub->newer;
    if (sub->newer != NULL)
        sub->newer->older = sub->older;
    else
        all->newest[kind] = sub->older;
    map_remove(&all->channels[kind], &sub->node);
}

static void
subscribe(struct session *s, enum channel_kind kind, struct bytes name)
{
    struct channel *c = find_channel(s->host, kind, name);
    struct subscription *sub = xcalloc(1, sizeof *sub);

    if (c == NULL) {
        c = xcalloc(1, sizeof *c);
        c->name = bytes_of(bytes_dup(name), name.len);
        map_insert(&s->host->pubsub.channels[kind], &c->node, map_hash(name));
    }
    sub->channel = c;
    sub->previous = c->last;
    if (c->last != NULL)
        c->last->next = sub;
    else
        c->first = sub;
    c->last = sub;
    c->count++;
    enter_session(s, kind, sub);
}

static void
unsubscribe(struct subscription *sub, enum channel_kind kind)
{
    struct host *h = sub->session->host;
    struct channel *c = sub->channel;

    if (sub->previous != NULL)
        sub->previous->next = sub->next;
    else
        c->first = sub->next;
    if (sub->next != NULL)
        sub->next->previous = sub->previous;
    else
        c->last = sub->previous;
    leave_session(sub, kind);
    free(sub);
    if (--c->count > 0)
        return;
    map_remove(&h->pubsub.channels[kind], &c->node);
    free((char *)c->name.data);
    free(c);
}

bool
subscriber_is_active(const struct subscriber *s)
{
    return s->channels[CHANNEL_PLAIN].count + s->channels[CHANNEL_PATTERN].count
               + s->channels[CHANNEL_SHARD].count
           > 0;
}

void
pubsub_leave(struct session *s)
{
    for (enum channel_kind kind = 0; kind < CHANNEL_KINDS; kind++) {
        while (s->subscriber.oldest[kind] != NULL)
            unsubscribe(s->subscriber.oldest[kind], kind);
        map_deinit(&s->subscriber.channels[kind]);
    }
}

void
pubsub_deinit(struct pubsub *p)
{
    for (enum channel_kind kind = 0; kind < CHANNEL_KINDS; kind++)
        map_deinit(&p->channels[kind]);
}

/* --- publishing --- */

struct message {
    struct bytes channel, text;
    int64_t receivers;
};

static void
send_message(const struct channel *c, const struct message *m, const char *word,
             bool with_pattern)
{
    for (struct subscription *sub = c->first; sub != NULL; sub = sub->next) {
        struct reply *out = session_push(sub->session);
        reply_push(out, with_pattern ? 4 : 3);
        reply_bulk_str(out, word);
        if (with_pattern)
            reply_bulk(out, c->name);
        reply_bulk(out, m->channel);
        reply_bulk(out, m->text);
        session_pushed(sub->session);
    }
}

static void
send_to_pattern(struct map_node *node, void *arg)
{
    const struct channel *c = (const struct channel *)node;
    struct message *m = arg;

    if (!glob_match(c->name, m->channel, false))
        return;
    send_message(c, m, "pmessage", true);
    m->receivers += c->count;
}

int64_t
pubsub_publish(struct host *h, enum channel_kind kind, struct bytes channel,
               struct bytes message)
{
    struct message m = {.channel = channel, .text = message};
    const struct channel *c = find_channel(h, kind, channel);

    if (c != NULL) {
        send_message(c, &m, kind == CHANNEL_SHARD ? "smessage" : "message", false);
        m.receivers = c->count;
    }
    if (kind == CHANNEL_PLAIN)
        map_each(&h->pubsub.channels[CHANNEL_PATTERN], send_to_pattern, &m);
    return m.receivers;
}

/* PUBLISH channel message: how many received it. */
enum err
cmd_publish(struct call *c)
{
    reply_int(c->out, pubsub_publish(c->host, CHANNEL_PLAIN, c->argv[1], c->argv[2]));
    return OK;
}

/* SPUBLISH channel message: the same for shard channels. */
enum err
cmd_spublish(struct call *c)
{
    reply_int(c->out, pubsub_publish(c->host, CHANNEL_SHARD, c->argv[1], c->argv[2]));
    return OK;
}

/* --- subscribing --- */

/* How many are told back: those of shard channels are counted by themselves. */
static int64_t
count_of(const struct session *s, enum channel_kind kind)
{
    const struct map *m = s->subscriber.channels;

    if (kind == CHANNEL_SHARD)
        return (int64_t)m[CHANNEL_SHARD].count;
    return (int64_t)(m[CHANNEL_PLAIN].count + m[CHANNEL_PATTERN].count);
}

/* It is a message, so it is sent where replies are not. */
static void
confirm(struct session *s, const char *word, enum channel_kind kind,
        const struct bytes *name)
{
    struct reply *out = session_push(s);

    reply_push(out, 3);
    reply_bulk_str(out, word);
    if (name != NULL)
        reply_bulk(out, *name);
    else
        reply_null(out);
    reply_int(out, count_of(s, kind));
    session_pushed(s);
}

static enum err
subscribe_all(struct call *c, enum channel_kind kind)
{
    for (int i = 1; i < c->argc; i++) {
        if (find_subscription(c->session, kind, c->argv[i]) == NULL)
            subscribe(c->session, kind, c->argv[i]);
        confirm(c->session, c->command->name, kind, &c->argv[i]);
    }
    return OK;
}

static void
leave_and_tell(struct call *c, struct subscription *sub, enum channel_kind kind)
{
    size_t len = sub->channel->name.len;
    char *copy = arena_alloc(c->scratch, len + 1);

    memcpy(copy, sub->channel->name.data, len);
    struct bytes name = bytes_of(copy, len);
    unsubscribe(sub, kind);
    confirm(c->session, c->command->name, kind, &name);
}

/* Where none is named, all go, the oldest first. */
static enum err
unsubscribe_all(struct call *c, enum channel_kind kind)
{
    struct subscription **oldest = &c->session->subscriber.oldest[kind];

    for (int i = 1; i < c->argc; i++) {
        struct subscription *sub = find_subscription(c->session, kind, c->argv[i]);
        if (sub != NULL)
            unsubscribe(sub, kind);
        confirm(c->session, c->command->name, kind, &c->argv[i]);
    }
    if (c->argc > 1)
        return OK;
    if (*oldest == NULL)
        confirm(c->session, c->command->name, kind, NULL);
    while (*oldest != NULL)
        leave_and_tell(c, *oldest, kind);
    return OK;
}

/* SUBSCRIBE channel ...: each is confirmed. */
enum err
cmd_subscribe(struct call *c)
{
    return subscribe_all(c, CHANNEL_PLAIN);
}

/* PSUBSCRIBE pattern ... */
enum err
cmd_psubscribe(struct call *c)
{
    return subscribe_all(c, CHANNEL_PATTERN);
}

/* SSUBSCRIBE channel ...: not inside EXEC. */
enum err
cmd_ssubscribe(struct call *c)
{
    if (c->in_exec)
        return ERR_SSUBSCRIBE;
    return subscribe_all(c, CHANNEL_SHARD);
}

/* UNSUBSCRIBE [channel ...]: all where none is named. */
enum err
cmd_unsubscribe(struct call *c)
{
    return unsubscribe_all(c, CHANNEL_PLAIN);
}

/* PUNSUBSCRIBE [pattern ...] */
enum err
cmd_punsubscribe(struct call *c)
{
    return unsubscribe_all(c, CHANNEL_PATTERN);
}

/* SUNSUBSCRIBE [channel ...] */
enum err
cmd_sunsubscribe(struct call *c)
{
    return unsubscribe_all(c, CHANNEL_SHARD);
}

/* --- PUBSUB --- */

struct channels {
    struct call *call;
    const struct bytes *pattern; /* NULL: all */
    bool only_count;
    size_t count;
};

static void
tell_channel(struct map_node *node, void *arg)
{
    const struct channel *c = (const struct channel *)node;
    struct channels *all = arg;

    if (all->pattern != NULL && !glob_match(*all->pattern, c->name, false))
        return;
    all->count++;
    if (!all->only_count)
        reply_bulk(all->call->out, c->name);
}

static enum err
tell_channels(struct call *c, enum channel_kind kind)
{
    struct channels all = {.call = c, .only_count = true};
    struct map *m = &c->host->pubsub.channels[kind];

    if (c->argc > 3)
        return fail_subcommand(c);
    all.pattern = c->argc == 3 ? &c->argv[2] : NULL;
    map_each(m, tell_channel, &all);
    reply_array(c->out, all.count);
    all.only_count = false;
    map_each(m, tell_channel, &all);
    return OK;
}

static enum err
tell_counts(struct call *c, enum channel_kind kind)
{
    reply_array(c->out, 2 * (size_t)(c->argc - 2));
    for (int i = 2; i < c->argc; i++) {
        const struct channel *channel = find_channel(c->host, kind, c->argv[i]);
        reply_bulk(c->out, c->argv[i]);
        reply_int(c->out, channel != NULL ? channel->count : 0);
    }
    return OK;
}

/* PUBSUB CHANNELS [pattern]: those that somebody hears. */
enum err
cmd_pubsub_channels(struct call *c)
{
    return tell_channels(c, CHANNEL_PLAIN);
}

/* PUBSUB SHARDCHANNELS [pattern] */
enum err
cmd_pubsub_shardchannels(struct call *c)
{
    return tell_channels(c, CHANNEL_SHARD);
}

/* PUBSUB NUMSUB [channel ...]: each, and how many hear it. */
enum err
cmd_pubsub_numsub(struct call *c)
{
    return tell_counts(c, CHANNEL_PLAIN);
}

/* PUBSUB SHARDNUMSUB [channel ...] */
enum err
cmd_pubsub_shardnumsub(struct call *c)
{
    return tell_counts(c, CHANNEL_SHARD);
}

/* PUBSUB NUMPAT: how many patterns. */
enum err
cmd_pubsub_numpat(struct call *c)
{
    reply_int(c->out, (int64_t)c->host->pubsub.channels[CHANNEL_PATTERN].count);
    return OK;
}

/* PUBSUB HELP: its subcommands. */
enum err
cmd_pubsub_help(struct call *c)
{
    static const char *const lines[] = {
        "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CHANNELS [<pattern>]",
        "    List the channels that somebody hears, those that match the pattern.",
        "NUMPAT",
        "    Count the patterns that somebody subscribed to.",
        "NUMSUB [<channel> ...]",
        "    Count who hears each channel, without those who hear it by a pattern.",
        "SHARDCHANNELS [<pattern>]",
        "    List the shard channels that somebody hears.",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Count who hears each shard channel.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}
