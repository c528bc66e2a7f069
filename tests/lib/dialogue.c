/* dialogue: over hiredis. */
// SPDX-License-Identifier: BSD-3-Clause
#include "dialogue.h"

#include "base/mem.h"
#include <assert.h>
#include <stdarg.h>
#include <string.h>

struct redisContext *
dialogue_try_open(int port, struct bytes store)
{
    struct redisContext *redis = redisConnect("127.0.0.1", port);
    struct redisReply *reply = NULL;

    if (redis != NULL && redis->err == 0) {
        say(redis, "SELECT", store, END);
        reply = next_reply(redis);
    }
    if (reply == NULL) {
        redisFree(redis);
        return NULL;
    }
    if (reply->type != REDIS_REPLY_STATUS)
        panic("SELECT %.*s was answered %s", (int)store.len, store.data, reply->str);
    freeReplyObject(reply);
    return redis;
}

struct redisContext *
dialogue_open(int port, struct bytes store)
{
    struct redisContext *redis = dialogue_try_open(port, store);

    if (redis == NULL)
        panic("no connection to port %d", port);
    return redis;
}

void
say(struct redisContext *redis, const char *command, ...)
{
    const char *argv[SAY_WORDS_MAX] = {command};
    size_t lens[SAY_WORDS_MAX] = {strlen(command)};
    int argc = 1;
    va_list rest;
    struct bytes word;

    va_start(rest, command);
    while ((word = va_arg(rest, struct bytes)).data != NULL) {
        assert(argc < SAY_WORDS_MAX);
        argv[argc] = word.data;
        lens[argc++] = word.len;
    }
    va_end(rest);
    redisAppendCommandArgv(redis, argc, argv, lens);
}

struct redisReply *
next_reply(struct redisContext *redis)
{
    void *reply = NULL;

    return redisGetReply(redis, &reply) == REDIS_OK ? reply : NULL;
}

struct redisReply *
reply_behind(struct redisContext *redis, int count)
{
    struct redisReply *reply = next_reply(redis);

    for (; count > 0 && reply != NULL; count--) {
        freeReplyObject(reply);
        reply = next_reply(redis);
    }
    return reply;
}
