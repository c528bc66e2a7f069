/* hyperloglog: PFADD, PFCOUNT and PFMERGE. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/arguments.h"
#include "command/host.h"
#include "command/notify.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "value/hyperloglog.h"

static enum err
check_hll(const struct entry *e)
{
    TRY(check_type(e, TYPE_STRING));
    return e == NULL || hll_is_one(entry_string(e)) ? OK : ERR_HLL_TYPE;
}

static size_t
sparse_max(const struct call *c)
{
    return (size_t)c->host->config->hll_sparse_max_bytes;
}

/* A copy of the entry's value, or one that was given nothing. */
static struct buf
copy_hll(const struct entry *e)
{
    struct buf hll = {0};

    if (e != NULL)
        buf_append_bytes(&hll, entry_string(e));
    else
        hll_init(&hll);
    return hll;
}

/* As one that can be written into, which Redis makes of it before it knows whether it has
 * to write. */
static void
make_raw(struct call *c)
{
    store_set_form(c->store, c->argv[1], FORM_RAW);
}

/* Sets the key of argument 1, which keeps its deadline, and frees hll. */
static void
put_hll(struct call *c, const struct entry *e, struct buf *hll)
{
    store_set(c->store, c->argv[1], buf_bytes(hll), e != NULL ? entry_deadline(e) : 0,
              c->now);
    make_raw(c);
    buf_deinit(hll);
}

/* How many of the elements from argument 2 on changed hll; -1: it is damaged. */
static int
add_elements(struct call *c, struct buf *hll)
{
    int nchanges = 0;

    for (int i = 2; i < c->argc; i++) {
        int changed = hll_add(hll, c->argv[i], sparse_max(c));
        if (changed < 0)
            return -1;
        nchanges += changed;
    }
    return nchanges;
}

/* PFADD key [element ...]: 1 if that changes the key. */
enum err
cmd_pfadd(struct call *c)
{
    struct entry *e = arg_entry(c, 1);
    TRY(check_hll(e));
    struct buf hll = copy_hll(e);
    int nchanges = add_elements(c, &hll);
    if (nchanges <= 0 && e != NULL) {
        buf_deinit(&hll);
        make_raw(c);
        if (nchanges < 0)
            return ERR_HLL_DAMAGED;
        reply_int(c->out, 0);
        return OK;
    }

    hll_forget_count(&hll);
    put_hll(c, e, &hll);
    notify(c, NOTIFY_STRING, "pfadd", c->argv[1]);

    reply_int(c->out, 1);
    return OK;
}

/* What was counted stays in the value, so that it need not be counted again. Where writers
 * are refused or have to wait, it does not: to a client this is a read. */
static void
keep_count(struct call *c, const struct entry *e, uint64_t count)
{
    if (keyspace_is_failing(c->host->keyspace) || !keyspace_may_write(c->host->keyspace))
        return;
    struct buf hll = copy_hll(e);
    hll_set_count(&hll, count);
    put_hll(c, e, &hll);
}

static enum err
count_one(struct call *c)
{
    struct hll_registers registers = {0};
    uint64_t count = 0;

    struct entry *e = arg_read(c, 1);
    TRY(check_hll(e));
    if (e != NULL)
        make_raw(c);
    if (e != NULL && !hll_has_count(entry_string(e), &count)) {
        if (hll_gather(entry_string(e), &registers) != 0)
            return ERR_HLL_DAMAGED;
        count = hll_estimate(&registers);
        keep_count(c, e, count);
    }

    reply_int(c->out, (int64_t)count);
    return OK;
}

/* Raises the registers to those of the keys from argument 1 on; tells whether one of them
 * is dense. */
static enum err
gather_all(struct call *c, struct hll_registers *registers, bool *dense)
{
    for (int i = 1; i < c->argc; i++) {
        struct entry *e = arg_read(c, i);
        TRY(check_hll(e));
        if (e == NULL)
            continue;
        if (hll_gather(entry_string(e), registers) != 0)
            return ERR_HLL_DAMAGED;
        *dense |= hll_is_dense(entry_string(e));
    }
    return OK;
}

/* PFCOUNT key ...: about how many different elements they were given, all together. */
enum err
cmd_pfcount(struct call *c)
{
    struct hll_registers registers = {0};
    bool dense = false;

    if (c->argc == 2)
        return count_one(c);
    TRY(gather_all(c, &registers, &dense));

    reply_int(c->out, (int64_t)hll_estimate(&registers));
    return OK;
}

/* PFMERGE key [other ...]: gives the key what the others were given. */
enum err
cmd_pfmerge(struct call *c)
{
    struct hll_registers registers = {0};
    bool dense = false;

    TRY(gather_all(c, &registers, &dense));
    struct entry *e = arg_entry(c, 1);

    /* The key's own registers were gathered too: it is not damaged. */
    struct buf hll = copy_hll(e);
    if (dense)
        hll_make_dense(&hll);
    for (unsigned i = 0; i < HLL_REGISTERS; i++) {
        if (registers.at[i] > 0)
            hll_raise(&hll, i, registers.at[i], sparse_max(c));
    }
    hll_forget_count(&hll);
    put_hll(c, e, &hll);
    notify(c, NOTIFY_STRING, "pfadd", c->argv[1]);

    reply_ok(c->out);
    return OK;
}
