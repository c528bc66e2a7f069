/*
 * pubsub: who subscribed to which channels. A channel is there as long as it has
 * subscribers.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_PUBSUB_H
#define COMMAND_PUBSUB_H

#include "base/bytes.h"
#include "base/map.h"
#include <stdint.h>

struct host;
struct session;
struct subscription;

enum channel_kind { CHANNEL_PLAIN, CHANNEL_PATTERN, CHANNEL_SHARD, CHANNEL_KINDS };

/* The host's channels, by kind. All zero: none. */
struct pubsub {
    struct map channels[CHANNEL_KINDS];
};

/* A session's part of it: its subscriptions, to be found by name, and as they came. All
 * zero: none. */
struct subscriber {
    struct map channels[CHANNEL_KINDS];
    struct subscription *oldest[CHANNEL_KINDS], *newest[CHANNEL_KINDS];
};

/* Whether it subscribed to anything. */
bool subscriber_is_active(const struct subscriber *s);

/* Ends all that the session subscribed to, without a word to it. */
void pubsub_leave(struct session *s);

/* Frees what is left of the channels: no session has any. */
void pubsub_deinit(struct pubsub *p);

/* Sends the message to the channel's subscribers, and for a plain channel to those of
 * patterns that match its name. Gives how many times. */
int64_t pubsub_publish(struct host *h, enum channel_kind kind, struct bytes channel,
                       struct bytes message);

#endif
