/* slowlog: see slowlog.h. Each request is one piece of memory. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/slowlog.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "command/call.h"
#include "command/session_priv.h"

#define REST_MAX 48 /* bytes of "... (N more bytes)" */

struct slowlog {
    struct slow_request *first, *last;
    int64_t count;
    int64_t next_id;
};

struct slowlog *
slowlog_new(void)
{
    return xcalloc(1, sizeof(struct slowlog));
}

void
slowlog_free(struct slowlog *l)
{
    slowlog_reset(l);
    free(l);
}

/* How many arguments are shown as they are; the last place may have to tell of the
 * rest. */
static int
shown_args(const struct call *c)
{
    return c->argc > SLOWLOG_ARGS_MAX ? SLOWLOG_ARGS_MAX - 1 : c->argc;
}

static size_t
size_for(const struct call *c, struct bytes address, struct bytes name)
{
    size_t size = sizeof(struct slow_request) + address.len + name.len + REST_MAX;

    for (int i = 0; i < shown_args(c); i++) {
        size_t len = c->argv[i].len;
        size += (len < SLOWLOG_ARG_MAX ? len : SLOWLOG_ARG_MAX) + REST_MAX;
    }
    return size;
}

/* Copies what is shown of an argument to `to`, which has room for it. */
static struct bytes
copy_arg(char *to, struct bytes arg, bool hidden)
{
    if (hidden)
        arg = bytes_str("(redacted)");
    size_t len = arg.len < SLOWLOG_ARG_MAX ? arg.len : SLOWLOG_ARG_MAX;
    if (len > 0)
        memcpy(to, arg.data, len);
    if (arg.len > len)
        len +=
            (size_t)snprintf(to + len, REST_MAX, "... (%zu more bytes)", arg.len - len);
    return bytes_of(to, len);
}

static struct bytes
copy_bytes(char *to, struct bytes from)
{
    if (from.len > 0)
        memcpy(to, from.data, from.len);
    return bytes_of(to, from.len);
}

static struct slow_request *
copy_request(const struct call *c)
{
    struct bytes address = bytes_str(c->session->peer.address);
    struct bytes name = buf_bytes(&c->session->name);
    if (name.len > SLOWLOG_ARG_MAX)
        name.len = SLOWLOG_ARG_MAX;
    struct slow_request *r = xmalloc(size_for(c, address, name));
    char *to = (char *)(r + 1);
    int shown = shown_args(c);

    r->address = copy_bytes(to, address);
    to += address.len;
    r->name = copy_bytes(to, name);
    to += name.len;
    for (r->argc = 0; r->argc < shown; r->argc++) {
        r->argv[r->argc] = copy_arg(to, c->argv[r->argc], arg_is_hidden(c, r->argc));
        to += r->argv[r->argc].len;
    }
    if (shown < c->argc) {
        int len = snprintf(to, REST_MAX, "... (%d more arguments)", c->argc - shown);
        r->argv[r->argc++] = bytes_of(to, (size_t)len);
    }
    return r;
}

static void
forget_last(struct slowlog *l)
{
    struct slow_request *r = l->last;

    l->last = r->later;
    if (l->last != NULL)
        l->last->next = NULL;
    else
        l->first = NULL;
    l->count--;
    free(r);
}

void
slowlog_add(struct slowlog *l, const struct call *c, int64_t usec, int64_t max)
{
    struct slow_request *r = copy_request(c);

    r->id = l->next_id++;
    r->at_s = clock_ms() / 1000;
    r->usec = usec;
    r->next = l->first;
    r->later = NULL;
    if (l->first != NULL)
        l->first->later = r;
    else
        l->last = r;
    l->first = r;
    l->count++;
    while (l->count > max)
        forget_last(l);
}

int64_t
slowlog_count(const struct slowlog *l)
{
    return l->count;
}

const struct slow_request *
slowlog_first(const struct slowlog *l)
{
    return l->first;
}

void
slowlog_reset(struct slowlog *l)
{
    while (l->count > 0)
        forget_last(l);
}
