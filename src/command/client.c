/* client: see client.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/client.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/clock.h"
#include "command/host.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"

enum err
client_check_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < '!' || name.data[i] > '~')
            return ERR_CLIENT_NAME;
    }
    return OK;
}

void
client_set_name(struct session *s, struct bytes name)
{
    buf_clear(&s->name, 0);
    buf_append_bytes(&s->name, name);
}

enum err
client_read_type(struct call *c, int i, enum client_type *type)
{
    static const struct {
        const char *name;
        enum client_type type;
    } types[] = {
        {"normal", CLIENT_NORMAL},   {"pubsub", CLIENT_PUBSUB}, {"master", CLIENT_MASTER},
        {"replica", CLIENT_REPLICA}, {"slave", CLIENT_REPLICA},
    };

    for (size_t n = 0; n < sizeof types / sizeof *types; n++) {
        if (bytes_is(c->argv[i], types[n].name)) {
            *type = types[n].type;
            return OK;
        }
    }
    return fail(c, "ERR Unknown client type '%.*s'", (int)c->argv[i].len, c->argv[i].data);
}

enum client_type
client_type(const struct session *s)
{
    return subscriber_is_active(&s->subscriber) ? CLIENT_PUBSUB : CLIENT_NORMAL;
}

/* --- the line --- */

void
client_append_store(struct buf *out, struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] > ' ' && name.data[i] <= '~' && name.data[i] != '\\')
            buf_append(out, &name.data[i], 1);
        else
            buf_printf(out, "\\x%02x", (unsigned char)name.data[i]);
    }
}

/* As far as is known: whether a swap touched a key that is not in memory is found out at
 * EXEC. */
static bool
is_touched(const struct session *s)
{
    for (size_t i = 0; i < s->nwatches; i++) {
        struct store *store;
        struct bytes key;
        if (!watch_is_unsure(s->watches[i], &store, &key)
            && watch_is_touched(s->watches[i], s->fed_ms))
            return true;
    }
    return false;
}

static void
append_flags(const struct session *s, struct buf *out)
{
    size_t before = out->len;

    if (s->monitors)
        buf_append(out, "O", 1);
    if (subscriber_is_active(&s->subscriber))
        buf_append(out, "P", 1);
    if (s->queue.open)
        buf_append(out, "x", 1);
    if (s->waits && s->waits_until_us > 0)
        buf_append(out, "b", 1);
    if (s->tracker.on)
        buf_append(out, "t", 1);
    if (s->tracker.is_broken)
        buf_append(out, "R", 1);
    if (s->tracker.on && s->tracker.mode == TRACKING_BROADCAST)
        buf_append(out, "B", 1);
    if (is_touched(s))
        buf_append(out, "d", 1);
    if (s->closing && !s->killed)
        buf_append(out, "c", 1);
    if (s->waits && s->waits_until_us == 0) /* it goes on at the end of the turn */
        buf_append(out, "u", 1);
    if (s->killed)
        buf_append(out, "A", 1);
    if (s->no_evict)
        buf_append(out, "e", 1);
    if (out->len == before)
        buf_append(out, "N", 1);
}

void
client_describe(const struct session *s, struct buf *out)
{
    int64_t now = clock_ms();
    size_t room =
        s->output.cap < SESSION_OUTPUT_FIRST ? s->output.cap : SESSION_OUTPUT_FIRST;
    struct kept kept;

    unsent_kept(s, &kept);
    buf_printf(out, "id=%" PRIu64 " addr=%s laddr=%s fd=%d name=%.*s", s->id,
               s->peer.address, s->peer.local, s->peer.fd, (int)s->name.len,
               s->name.len > 0 ? s->name.data : "");
    buf_printf(out,
               " age=%" PRId64 " idle=%" PRId64 " flags=", (now - s->created_ms) / 1000,
               kept.idle_ms / 1000);
    append_flags(s, out);
    buf_printf(out, " db=");
    client_append_store(out, store_name(s->store));
    const struct map *channels = s->subscriber.channels;
    buf_printf(out, " sub=%zu psub=%zu ssub=%zu multi=%lld",
               channels[CHANNEL_PLAIN].count, channels[CHANNEL_PATTERN].count,
               channels[CHANNEL_SHARD].count,
               s->queue.open ? (long long)s->queue.count : -1LL);
    buf_printf(out, " qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu", kept.input,
               kept.input_room, s->request_size, s->queue.size);
    buf_printf(out, " rbs=%zu rbp=%zu obl=%zu oll=%zu omem=%zu tot-mem=%zu", room, room,
               kept.first, kept.pieces, kept.piece_bytes, kept.total);
    buf_printf(out, " events=%s cmd=%s user=default redir=%" PRId64 " resp=%d\n",
               kept.is_full ? "rw" : "r", s->asked != NULL ? s->asked->name : "NULL",
               tracking_redirect(s), s->reply.protocol);
}

struct session **
client_all(struct call *c, size_t *count)
{
    size_t n = 0;

    for (struct session *s = c->host->sessions; s != NULL; s = s->next_session)
        n += !s->killed;
    struct session **all = arena_alloc(c->scratch, n * sizeof(struct session *));
    *count = n;
    for (struct session *s = c->host->sessions; s != NULL; s = s->next_session) {
        if (!s->killed)
            all[--n] = s;
    }
    return all;
}
