/*
 * limits: how much may wait to be sent to a client, by its class: the value of
 * client-output-buffer-limit. Redis's (https://redis.io/docs/reference/clients/).
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef CONFIG_LIMITS_H
#define CONFIG_LIMITS_H

#include "base/buf.h"
#include "base/bytes.h"
#include <stdint.h>

enum client_class {
    CLASS_NORMAL,
    CLASS_REPLICA, /* there is none; kept and told */
    CLASS_PUBSUB,
    CLIENT_CLASSES
};

/* A client is closed that has `hard` bytes waiting, or has had `soft` for longer than
 * soft_s; 0 bytes: no such limit. */
struct client_limit {
    int64_t hard, soft, soft_s;
};

/* Sets the limits of the classes that the words tell of, "class hard soft seconds" each.
 * NULL; or what is wrong, and nothing was changed. */
const char *limits_set(struct client_limit limits[CLIENT_CLASSES],
                       const struct bytes *words, int count);

/* Appends them as CONFIG GET tells them. */
void limits_print(const struct client_limit limits[CLIENT_CLASSES], struct buf *out);

/* Appends the lines of a file that set them, without the end of the last. */
void limits_write(const struct client_limit limits[CLIENT_CLASSES], const char *name,
                  struct buf *out);

#endif
