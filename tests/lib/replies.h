/* replies: of a server that may be killed at any moment. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_REPLIES_H
#define TESTS_REPLIES_H

#include <hiredis/hiredis.h>
#include <stddef.h>

/* The next one, freed with freeReplyObject; NULL: the server is gone. */
static inline struct redisReply *
next_reply(struct redisContext *redis)
{
    void *reply = NULL;

    return redisGetReply(redis, &reply) == REDIS_OK ? reply : NULL;
}

#endif
