/* lcs: LCS, the longest common subsequence of two strings. */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/lcs.h"

#include "base/arena.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/strings.h"
#include "command/table.h"
#include "resp/reply.h"

struct lcs_options {
    bool len, idx, with_match_len;
    int64_t min_match_len;
};

static enum err
read_operand(struct call *c, int i, struct bytes *value)
{
    struct entry *e = arg_read(c, i);

    if (check_type(e, TYPE_STRING) != OK)
        return ERR_LCS_TYPE;
    *value = string_of(e);
    return OK;
}

static enum err
read_options(const struct call *c, struct lcs_options *o)
{
    for (int i = 3; i < c->argc; i++) {
        if (arg_is(c, i, "LEN"))
            o->len = true;
        else if (arg_is(c, i, "IDX"))
            o->idx = true;
        else if (arg_is(c, i, "WITHMATCHLEN"))
            o->with_match_len = true;
        else if (arg_is(c, i, "MINMATCHLEN") && i + 1 < c->argc)
            TRY(arg_int(c, ++i, &o->min_match_len));
        else
            return ERR_SYNTAX;
    }
    return o->len && o->idx ? ERR_LCS_BOTH : OK;
}

static void
reply_range(struct call *c, size_t start, size_t len)
{
    reply_array(c->out, 2);
    reply_int(c->out, (int64_t)start);
    reply_int(c->out, (int64_t)(start + len - 1));
}

static void
reply_match(struct call *c, const struct lcs_options *o, const struct lcs_match *match)
{
    reply_array(c->out, o->with_match_len ? 3 : 2);
    reply_range(c, match->a, match->len);
    reply_range(c, match->b, match->len);
    if (o->with_match_len)
        reply_int(c->out, (int64_t)match->len);
}

static void
reply_matches(struct call *c, const struct lcs_options *o, const struct lcs *lcs)
{
    size_t count = 0;

    for (size_t i = 0; i < lcs->nmatches; i++)
        count += (int64_t)lcs->matches[i].len >= o->min_match_len;
    reply_map(c->out, 2);
    reply_bulk_str(c->out, "matches");
    reply_array(c->out, count);
    for (size_t i = 0; i < lcs->nmatches; i++) {
        if ((int64_t)lcs->matches[i].len >= o->min_match_len)
            reply_match(c, o, &lcs->matches[i]);
    }
    reply_figure(c->out, "len", (int64_t)lcs->text.len);
}

/* LCS key key [LEN | IDX [MINMATCHLEN len] [WITHMATCHLEN]]: what they have in common, its
 * length, or where it stands in them. */
enum err
cmd_lcs(struct call *c)
{
    struct lcs_options o = {0};
    struct bytes a, b;
    struct arena work = {0}; /* not c->scratch: EXEC may carry out many */
    struct lcs lcs;

    TRY(read_operand(c, 1, &a));
    TRY(read_operand(c, 2, &b));
    TRY(read_options(c, &o));
    if (lcs_cost(a, b) > (uint64_t)c->host->config->proto_max_bulk_len)
        return ERR_LCS_MEMORY;

    lcs_find(&work, a, b, &lcs);
    if (o.idx)
        reply_matches(c, &o, &lcs);
    else if (o.len)
        reply_int(c->out, (int64_t)lcs.text.len);
    else
        reply_bulk(c->out, lcs.text);
    arena_deinit(&work);
    return OK;
}
