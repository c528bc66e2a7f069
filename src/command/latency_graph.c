/* latency_graph: LATENCY GRAPH, which draws the spikes of an event: a column each, and
 * below it how long ago it was. */
// SPDX-License-Identifier: BSD-3-Clause
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "command/host.h"
#include "command/latency.h"
#include "command/table.h"
#include "resp/reply.h"

#define ROWS    4
#define STEPS   3 /* heights that can be told apart within a row */
#define AGE_MAX 8 /* bytes of an age: "59m" */
#define DASHES                                                                           \
    "--------------------------------------------------------------------------------"

/* What stands in a row of the column that is so many steps high. */
static char
mark_at(int height, int row)
{
    static const char marks[STEPS] = {'_', 'o', '#'};
    int floor = (ROWS - 1 - row) * STEPS;

    if (height < floor)
        return ' ';
    return height >= floor + STEPS ? '|' : marks[height - floor];
}

static void
write_columns(const struct latency_spikes *s, const struct latency_summary *sum,
              struct buf *out)
{
    int64_t range = sum->most_ms - sum->least_ms;
    int top = ROWS * STEPS - 1;

    for (int row = 0; row < ROWS; row++) {
        for (int i = 0; i < s->count; i++) {
            int64_t over = latency_sample(s, i)->ms - sum->least_ms;
            int height = range > 0 ? (int)(over * top / range) : 0;
            char mark = mark_at(height, row);
            buf_append(out, &mark, 1);
        }
        buf_append(out, "\n", 1);
    }
}

/* How long ago, in the largest unit that fits. */
static void
print_age(int64_t seconds, char text[AGE_MAX])
{
    if (seconds < 60)
        snprintf(text, AGE_MAX, "%ds", (int)seconds);
    else if (seconds < 3600)
        snprintf(text, AGE_MAX, "%dm", (int)(seconds / 60));
    else if (seconds < 24 * 3600)
        snprintf(text, AGE_MAX, "%dh", (int)(seconds / 3600));
    else
        snprintf(text, AGE_MAX, "%dd", (int)(seconds / (24 * 3600) % 100000));
}

/* The ages below the columns, read from top to bottom. */
static void
write_ages(const struct latency_spikes *s, struct buf *out)
{
    char ages[LATENCY_SAMPLES][AGE_MAX] = {{0}};
    int64_t now_s = clock_ms() / 1000;
    size_t longest = 0;

    for (int i = 0; i < s->count; i++) {
        print_age(now_s - latency_sample(s, i)->at_s, ages[i]);
        size_t len = strlen(ages[i]);
        longest = len > longest ? len : longest;
    }
    for (size_t row = 0; row < longest; row++) {
        buf_append(out, "\n", 1);
        for (int i = 0; i < s->count; i++) {
            bool ended = row >= strlen(ages[i]);
            buf_append(out, ended ? " " : &ages[i][row], 1);
        }
    }
}

/* LATENCY GRAPH event: a drawing of its spikes. */
enum err
cmd_latency_graph(struct call *c)
{
    const struct latency_spikes *s = latency_spikes(c->host->latency, c->argv[2]);
    struct latency_summary sum;
    struct buf text = {0};
    if (s == NULL)
        return fail(c, "ERR No samples available for event '%.*s'", (int)c->argv[2].len,
                    c->argv[2].data);

    latency_sum_up(s, &sum);
    buf_printf(&text,
               "%.*s - high %" PRId64 " ms, low %" PRId64 " ms (all time high %" PRId64
               " ms)\n" DASHES "\n",
               (int)c->argv[2].len, c->argv[2].data, sum.most_ms, sum.least_ms,
               s->worst_ms);
    write_columns(s, &sum, &text);
    for (int i = 0; i < s->count; i++)
        buf_append(&text, " ", 1);
    write_ages(s, &text);
    buf_append(&text, "\n", 1);
    reply_verbatim(c->out, "txt", buf_bytes(&text));
    buf_deinit(&text);
    return OK;
}
