/* dialogue: with a server that may be killed at any moment: words out, replies in. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_DIALOGUE_H
#define TESTS_DIALOGUE_H

#include "base/bytes.h"

#include <hiredis/hiredis.h>

/* A connection to a port on 127.0.0.1 on which this store is selected. NULL: the server is
 * gone. Closed with redisFree. */
struct redisContext *dialogue_try_open(int port, struct bytes store);

/* The same, but the program ends where there is none. */
struct redisContext *dialogue_open(int port, struct bytes store);

#define SAY_WORDS_MAX 8

/* Queues a command; the words behind it are struct bytes, and END is the last. */
void say(struct redisContext *redis, const char *command, ...);

#define WORD(text) bytes_str(text)
#define END        bytes_of(NULL, 0)

/* Freed with freeReplyObject; NULL: the server is gone. */
struct redisReply *next_reply(struct redisContext *redis);

/* The one behind so many that do not matter. */
struct redisReply *reply_behind(struct redisContext *redis, int count);

#endif
