/* info_counts: the sections of INFO with a line for each command, error or store. */
// SPDX-License-Identifier: BSD-3-Clause
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/histogram.h"
#include "command/call.h"
#include "command/host.h"
#include "command/info.h"
#include "command/selection.h"
#include "command/table.h"
#include "keyspace/keyspace.h"

void
info_commandstats(struct call *c, struct buf *out)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct command_stats *s = &c->host->by_command[i];
        if (s->calls == 0 && s->rejected == 0)
            continue;
        buf_printf(out,
                   "cmdstat_%s:calls=%" PRIu64 ",usec=%" PRIu64
                   ",usec_per_call=%.2f,rejected_calls=%" PRIu64 ",failed_calls=%" PRIu64
                   "\r\n",
                   commands[i].name, s->calls, s->usec,
                   s->calls > 0 ? (double)s->usec / (double)s->calls : 0.0, s->rejected,
                   s->failed);
    }
}

/* The first word of an error's text. */
static struct bytes
error_code(int err)
{
    const char *text = err_text((enum err)err);
    return bytes_of(text, strcspn(text, " "));
}

/* How many replies began with that code. */
static uint64_t
count_code(const struct host *h, struct bytes code)
{
    uint64_t count = 0;

    for (int err = 1; err < ERR_COUNT; err++) {
        if (bytes_eq(error_code(err), code))
            count += h->by_error[err];
    }
    return count;
}

/* The first code behind that one by the alphabet, of those that were told; empty: none. */
static struct bytes
next_code(const struct host *h, struct bytes before)
{
    struct bytes next = bytes_str("");

    for (int err = 1; err < ERR_COUNT; err++) {
        struct bytes code = error_code(err);
        if (h->by_error[err] > 0 && bytes_cmp(code, before) > 0
            && (next.len == 0 || bytes_cmp(code, next) < 0))
            next = code;
    }
    return next;
}

void
info_errorstats(struct call *c, struct buf *out)
{
    struct bytes code = bytes_str("");

    while ((code = next_code(c->host, code)).len > 0)
        buf_printf(out, "errorstat_%.*s:count=%" PRIu64 "\r\n", (int)code.len, code.data,
                   count_code(c->host, code));
}

/* "50 99.9" to ",p50=1.003,p99.9=2.007" without the first comma. */
static void
write_percentiles(const struct config *config, const struct histogram *h, struct buf *out)
{
    const char *text = config->latency_tracking_info_percentiles, *sign = "";

    while (*text != '\0') {
        int len = (int)strcspn(text, " ");
        int64_t ns = histogram_percentile(h, strtod(text, NULL));
        buf_printf(out, "%sp%.*s=%.3f", sign, len, text, (double)ns / 1000);
        sign = ",";
        text += len + strspn(text + len, " ");
    }
}

void
info_latencystats(struct call *c, struct buf *out)
{
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const struct histogram *times = c->host->by_command[i].times;
        if (times == NULL)
            continue;
        buf_printf(out, "latency_percentiles_usec_%s:", commands[i].name);
        write_percentiles(c->host->config, times, out);
        buf_append(out, "\r\n", 2);
    }
}

/* Only numbered stores: clients expect db and a number. */
void
info_keyspace(struct call *c, struct buf *out)
{
    size_t count;
    struct store **stores = selection_numbered(c, &count);

    for (size_t i = 0; i < count; i++) {
        const struct store *s = stores[i];
        struct bytes number = store_name(s);
        buf_printf(out,
                   "db%.*s:keys=%" PRId64 ",expires=%" PRId64 ",avg_ttl=%" PRId64 "\r\n",
                   (int)number.len, number.data, store_count(s), store_expires(s),
                   store_average_ttl(s, c->now));
    }
}

/* A name between quotes, with \xHH for what cannot stand on a line, and for what those
 * who take lines apart look for. */
static void
write_quoted(struct buf *out, struct bytes name)
{
    buf_append(out, "\"", 1);
    for (size_t i = 0; i < name.len; i++) {
        unsigned char ch = (unsigned char)name.data[i];
        if (isprint(ch) && strchr("\"\\:,=;", ch) == NULL)
            buf_append(out, &name.data[i], 1);
        else
            buf_printf(out, "\\x%02x", ch);
    }
    buf_append(out, "\"", 1);
}

static void
write_store(struct buf *out, const struct store *s)
{
    buf_printf(out,
               "store%" PRIu32 ":keys=%" PRId64 ",expires=%" PRId64 ",resident=%" PRId64
               ",name=",
               store_id(s), store_count(s), store_expires(s), store_resident(s));
    write_quoted(out, store_name(s));
    buf_append(out, "\r\n", 2);
}

void
info_stores(struct call *c, struct buf *out)
{
    size_t count;
    struct store **stores = selection_all(c, &count);

    for (size_t i = 0; i < count; i++)
        write_store(out, stores[i]);
}
