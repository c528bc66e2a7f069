/* monitor: see monitor.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/monitor.h"

#include <inttypes.h>

#include "base/clock.h"
#include "command/client.h"
#include "command/host.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

static void
append_byte(struct buf *out, char byte)
{
    static const char plain[] = "\\\"\n\r\t\a\b", escaped[] = "\\\"nrtab";
    const char *at = byte != '\0' ? strchr(plain, byte) : NULL;

    if (at != NULL)
        buf_printf(out, "\\%c", escaped[at - plain]);
    else if (byte >= ' ' && byte <= '~')
        buf_append(out, &byte, 1);
    else
        buf_printf(out, "\\x%02x", (unsigned char)byte);
}

static void
append_quoted(struct buf *out, struct bytes text)
{
    buf_append(out, " \"", 2);
    for (size_t i = 0; i < text.len; i++)
        append_byte(out, text.data[i]);
    buf_append(out, "\"", 1);
}

static void
append_line(struct buf *out, const struct call *c)
{
    int64_t now_us = clock_us();

    buf_printf(out, "%" PRId64 ".%06" PRId64 " [", now_us / 1000000, now_us % 1000000);
    client_append_store(out, store_name(c->session->store));
    buf_printf(out, " %s]", c->session->peer.address);
    for (int i = 0; i < c->argc; i++)
        append_quoted(out, arg_is_hidden(c, i) ? bytes_str("(redacted)") : c->argv[i]);
}

void
monitor_show(const struct call *c)
{
    struct buf line = {0};

    if (c->command->flags & CMD_ADMIN)
        return;
    append_line(&line, c);
    for (struct session *s = c->host->monitors; s != NULL; s = s->next_monitor) {
        if (session_is_muted(s))
            continue;
        reply_simple_bytes(session_push(s), buf_bytes(&line));
        session_pushed(s);
    }
    buf_deinit(&line);
}

void
monitor_end(struct session *s)
{
    if (!s->monitors)
        return;
    s->monitors = false;
    if (s->previous_monitor != NULL)
        s->previous_monitor->next_monitor = s->next_monitor;
    else
        s->host->monitors = s->next_monitor;
    if (s->next_monitor != NULL)
        s->next_monitor->previous_monitor = s->previous_monitor;
}

static void
begin(struct session *s)
{
    struct host *h = s->host;

    s->monitors = true;
    s->previous_monitor = NULL;
    s->next_monitor = h->monitors;
    if (h->monitors != NULL)
        h->monitors->previous_monitor = s;
    h->monitors = s;
}

/* MONITOR: from now on the connection sees each command that is carried out. Said again,
 * it is not answered. */
enum err
cmd_monitor(struct call *c)
{
    if (c->in_exec)
        return ERR_MONITOR_IN_EXEC;
    if (c->session->monitors)
        return OK;

    begin(c->session);

    reply_ok(c->out);
    return OK;
}
