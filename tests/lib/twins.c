/* See twins.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "twins.h"

#include "base/mem.h"
#include "client.h"
#include "config/config.h"
#include "daemon.h"
#include "engine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct twins {
    struct engine *keyvald;
    struct daemon *redis;
    struct client *client;
};

struct twins *
twins_new(void)
{
    static char *args[] = {"--enable-debug-command", "yes", NULL};
    struct twins *t = xcalloc(1, sizeof *t);

    t->keyvald = engine_new(args);
    t->redis = daemon_new(DAEMON_REDIS, args);
    daemon_start(t->redis);
    t->client = daemon_client(t->redis);
    return t;
}

void
twins_free(struct twins *t)
{
    client_close(t->client);
    daemon_free(t->redis);
    engine_free(t->keyvald);
    free(t);
}

void
twins_ask_one(struct twins *t, enum twin which, const struct bytes *argv, int argc,
              struct answer *out)
{
    if (which == TWIN_KEYVALD)
        assert_true(engine_command(t->keyvald, 'a', argv, argc, out));
    else
        assert_true(client_command(t->client, argv, argc, out));
}

static void
fail_differing(const struct bytes *argv, int argc, const struct buf *keyvald,
               const struct buf *redis)
{
    struct buf text = {0};

    for (int i = 0; i < argc; i++) {
        buf_append(&text, " ", 1);
        answer_quote(&text, argv[i]);
    }
    fail_msg("%.*s\nkeyvald: %.*sredis: %.*s", (int)text.len, text.data,
             (int)keyvald->len, keyvald->data, (int)redis->len, redis->data);
}

void
twins_ask(struct twins *t, const struct bytes *argv, int argc, struct answer *out)
{
    struct answer keyvald, redis;
    struct buf keyvald_text = {0}, redis_text = {0};

    twins_ask_one(t, TWIN_KEYVALD, argv, argc, &keyvald);
    twins_ask_one(t, TWIN_REDIS, argv, argc, &redis);
    answer_print(&keyvald, &keyvald_text);
    answer_print(&redis, &redis_text);
    if (!bytes_eq(buf_bytes(&keyvald_text), buf_bytes(&redis_text)))
        fail_differing(argv, argc, &keyvald_text, &redis_text);
    buf_deinit(&keyvald_text);
    buf_deinit(&redis_text);
    answer_deinit(&redis);
    if (out != NULL)
        *out = keyvald;
    else
        answer_deinit(&keyvald);
}

void
twins_say(struct twins *t, const char *line)
{
    struct bytes words[CONFIG_LINE_ARGS];
    struct buf text = {0};
    int count = config_split(bytes_str(line), &text, words, CONFIG_LINE_ARGS);

    assert_true(count > 0);
    twins_ask(t, words, count, NULL);
    buf_deinit(&text);
}
