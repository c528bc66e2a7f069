/*
 * debug: DEBUG, for those who test clients and for those who look into the server. A
 * subcommand is a row here and a function, because Redis knows them as one command.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "command/arguments.h"
#include "command/debug.h"
#include "command/host.h"
#include "command/object.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "value/dump.h"

#define SLEEP_MAX_S   86400    /* no test waits longer */
#define LRU_CLOCK_MAX 0xffffff /* seconds that Redis's clock of looks can count */

/* --- PROTOCOL --- */

static enum err
protocol_string(struct call *c)
{
    reply_bulk_str(c->out, "Hello World");
    return OK;
}

static enum err
protocol_integer(struct call *c)
{
    reply_int(c->out, 12345);
    return OK;
}

static enum err
protocol_double(struct call *c)
{
    reply_double(c->out, 3.141);
    return OK;
}

static enum err
protocol_bignum(struct call *c)
{
    reply_big_number(c->out, "1234567999999999999999999999999999999");
    return OK;
}

static enum err
protocol_null(struct call *c)
{
    reply_null(c->out);
    return OK;
}

static enum err
protocol_array(struct call *c)
{
    reply_array(c->out, 3);
    for (int i = 0; i < 3; i++)
        reply_int(c->out, i);
    return OK;
}

static enum err
protocol_set(struct call *c)
{
    reply_set(c->out, 3);
    for (int i = 0; i < 3; i++)
        reply_int(c->out, i);
    return OK;
}

static enum err
protocol_map(struct call *c)
{
    reply_map(c->out, 3);
    for (int i = 0; i < 3; i++) {
        reply_int(c->out, i);
        reply_bool(c->out, i == 1);
    }
    return OK;
}

static enum err
protocol_attrib(struct call *c)
{
    if (c->out->protocol == 3) {
        reply_attribute(c->out, 1);
        reply_bulk_str(c->out, "key-popularity");
        reply_array(c->out, 2);
        reply_bulk_str(c->out, "key:123");
        reply_int(c->out, 90);
    }
    reply_bulk_str(c->out, "Some real reply following the attribute");
    return OK;
}

static enum err
protocol_push(struct call *c)
{
    if (c->out->protocol != 3)
        return ERR_NEEDS_RESP3;

    reply_push(c->out, 2);
    reply_bulk_str(c->out, "server-cpu-usage");
    reply_int(c->out, 42);
    reply_bulk_str(c->out, "Some real reply following the push reply");
    return OK;
}

static enum err
protocol_verbatim(struct call *c)
{
    reply_verbatim(c->out, "txt", bytes_str("This is a verbatim\nstring"));
    return OK;
}

static enum err
protocol_true(struct call *c)
{
    reply_bool(c->out, true);
    return OK;
}

static enum err
protocol_false(struct call *c)
{
    reply_bool(c->out, false);
    return OK;
}

struct word {
    const char *name;
    command_fn *fn;
};

static const struct word types[] = {
    {"string", protocol_string},     {"integer", protocol_integer},
    {"double", protocol_double},     {"bignum", protocol_bignum},
    {"null", protocol_null},         {"array", protocol_array},
    {"set", protocol_set},           {"map", protocol_map},
    {"attrib", protocol_attrib},     {"push", protocol_push},
    {"verbatim", protocol_verbatim}, {"true", protocol_true},
    {"false", protocol_false},
};

/* DEBUG PROTOCOL type: a reply of that type. */
static enum err
debug_protocol(struct call *c)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (arg_is(c, 2, types[i].name))
            return types[i].fn(c);
    }
    return ERR_PROTOCOL_TYPE;
}

/* --- the others --- */

/* DEBUG ERROR text: an error reply, which is not counted as one. */
static enum err
debug_error(struct call *c)
{
    reply_error(c->out, c->argv[2]);
    return OK;
}

/* DEBUG LOG text: a line in the server's log. */
static enum err
debug_log(struct call *c)
{
    log_line(LOG_WARNING, "DEBUG LOG: %.*s", (int)c->argv[2].len, c->argv[2].data);

    reply_ok(c->out);
    return OK;
}

/* DEBUG OBJECT key: what is behind a key. */
static enum err
debug_object(struct call *c)
{
    const struct entry *e = store_peek(c->store, c->argv[2], c->now);
    if (e == NULL)
        return ERR_NO_KEY;

    int64_t idle = entry_idle(e, c->now);
    char text[160];
    snprintf(text, sizeof text,
             "Value at:%p refcount:%" PRId64 " encoding:%s serializedlength:%zu "
             "lru:%" PRId64 " lru_seconds_idle:%" PRId64,
             (const void *)e, object_references(e), object_encoding(e),
             dump_string_size(entry_string(e)), (c->now / 1000 - idle) & LRU_CLOCK_MAX,
             idle);
    reply_simple(c->out, text);
    return OK;
}

/* DEBUG RELOAD and LOADAOF: the data stays as it is; it is on its way to the disk. */
static enum err
debug_reload(struct call *c)
{
    for (int i = 2; i < c->argc; i++) {
        if (!arg_is(c, i, "MERGE") && !arg_is(c, i, "NOFLUSH") && !arg_is(c, i, "NOSAVE"))
            return ERR_RELOAD;
    }

    keyspace_save_soon(c->host->keyspace);

    reply_ok(c->out);
    return OK;
}

/* DEBUG SET-ACTIVE-EXPIRE 0|1: whether expired keys go before somebody looks at them. */
static enum err
debug_set_active_expire(struct call *c)
{
    char text[8] = "";
    size_t len = c->argv[2].len < sizeof text ? c->argv[2].len : sizeof text - 1;

    memcpy(text, c->argv[2].data, len);
    keyspace_set_expiring(c->host->keyspace, atoi(text) != 0);

    reply_ok(c->out);
    return OK;
}

/* DEBUG SLEEP seconds: nobody is served meanwhile. */
static enum err
debug_sleep(struct call *c)
{
    char text[32] = "";
    size_t len = c->argv[2].len < sizeof text ? c->argv[2].len : sizeof text - 1;

    memcpy(text, c->argv[2].data, len);
    double seconds = strtod(text, NULL);
    if (seconds > 0 && seconds < SLEEP_MAX_S) {
        struct timespec rest = {(time_t)seconds,
                                (long)((seconds - (double)(time_t)seconds) * 1e9)};
        while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
            continue;
    }

    reply_ok(c->out);
    return OK;
}

static enum err
debug_help(struct call *c)
{
    static const char *const lines[] = {
        "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ERROR <text>",
        "    Answer this error.",
        "LOADAOF",
        "    Bring the log to the disk. Nothing is loaded: memory has what it says.",
        "LOG <text>",
        "    Write to the server's log.",
        "OBJECT <key>",
        "    Tell what is behind a key.",
        "PROTOCOL <type>",
        "    Answer something of that type: string, integer, double, bignum, null, "
        "array,",
        "    set, map, attrib, push, verbatim, true, false.",
        "RELOAD [MERGE] [NOFLUSH] [NOSAVE]",
        "    The same as LOADAOF.",
        "SET-ACTIVE-EXPIRE <0|1>",
        "    Whether keys that expired are removed before somebody looks at them.",
        "SLEEP <seconds>",
        "    Serve nobody for so long.",
        "HELP",
        "    Print this.",
        NULL,
    };

    reply_help(c, lines);
    return OK;
}

struct subcommand {
    const char *name;
    int arity; /* as in commands.def */
    command_fn *fn;
};

static const struct subcommand subcommands[] = {
    {"ERROR", 3, debug_error},    {"HELP", 2, debug_help},
    {"LOADAOF", 2, debug_reload}, {"LOG", 3, debug_log},
    {"OBJECT", 3, debug_object},  {"PROTOCOL", 3, debug_protocol},
    {"RELOAD", -2, debug_reload}, {"SET-ACTIVE-EXPIRE", 3, debug_set_active_expire},
    {"SLEEP", 3, debug_sleep},
};

int
debug_key(const struct bytes *argv, int argc)
{
    return argc == 3 && bytes_is(argv[1], "OBJECT") ? 2 : 0;
}

static bool
is_local(const struct session *s)
{
    return strncmp(s->peer.address, "127.0.0.1:", 10) == 0
           || strncmp(s->peer.address, "[::1]:", 6) == 0;
}

bool
debug_is_allowed(const struct call *c)
{
    int64_t whom = c->host->config->enable_debug_command;

    return whom == ALLOWED_YES || (whom == ALLOWED_LOCAL && is_local(c->session));
}

/* DEBUG subcommand [argument ...] */
enum err
cmd_debug(struct call *c)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++) {
        const struct subcommand *s = &subcommands[i];
        if (arg_is(c, 1, s->name) && (s->arity > 0 ? c->argc == s->arity : true))
            return s->fn(c);
    }
    return fail_subcommand(c);
}
