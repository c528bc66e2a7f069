/* See notify.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/notify.h"

#include "base/buf.h"
#include "command/host.h"
#include "command/pubsub.h"
#include "keyspace/keyspace.h"

static void
publish(struct host *h, const struct store *s, const char *by, struct bytes about,
        struct bytes message)
{
    struct buf channel = {0};

    buf_printf(&channel, "__%s@", by);
    buf_append_bytes(&channel, store_name(s));
    buf_append(&channel, "__:", 3);
    buf_append_bytes(&channel, about);
    pubsub_publish(h, CHANNEL_PLAIN, buf_bytes(&channel), message);
    buf_deinit(&channel);
}

void
notify_host(struct host *h, const struct store *s, enum notify_class class,
            const char *event, struct bytes key)
{
    int64_t wanted = h->config->notify_keyspace_events;

    if (!(wanted & class))
        return;
    if (wanted & NOTIFY_KEYSPACE)
        publish(h, s, "keyspace", key, bytes_str(event));
    if (wanted & NOTIFY_KEYEVENT)
        publish(h, s, "keyevent", bytes_str(event), key);
}

void
notify_in(struct call *c, struct store *s, enum notify_class class, const char *event,
          struct bytes key)
{
    notify_host(c->host, s, class, event, key);
}

void
notify(struct call *c, enum notify_class class, const char *event, struct bytes key)
{
    notify_in(c, c->store, class, event, key);
}
