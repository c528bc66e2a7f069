/* dump: DUMP and RESTORE, which carry values between servers. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/number.h"
#include "command/arguments.h"
#include "command/notify.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"
#include "value/dump.h"

#define FREQ_MAX 255

/* DUMP key: its value as RESTORE takes it, or null. */
enum err
cmd_dump(struct call *c)
{
    struct buf payload = {0};
    struct entry *e = arg_read(c, 1);

    if (e == NULL) {
        reply_null(c->out);
        return OK;
    }
    dump_encode(&payload, entry_string(e));
    reply_bulk(c->out, buf_bytes(&payload));
    buf_deinit(&payload);
    return OK;
}

struct restore_options {
    bool replace;
    bool absolute;   /* the time to live is a time of the clock */
    bool idle, freq; /* one of them at most; Redis's evictor wants to know, ours not */
};

static enum err
check_number(struct call *c, int i, int64_t max, enum err out_of_range)
{
    int64_t number;

    TRY(arg_int(c, i, &number));
    return number >= 0 && number <= max ? OK : out_of_range;
}

static enum err
read_options(struct call *c, struct restore_options *o)
{
    for (int i = 4; i < c->argc; i++) {
        bool more = i + 1 < c->argc;
        if (arg_is(c, i, "REPLACE")) {
            o->replace = true;
        } else if (arg_is(c, i, "ABSTTL")) {
            o->absolute = true;
        } else if (arg_is(c, i, "IDLETIME") && more && !o->freq) {
            o->idle = true;
            TRY(check_number(c, ++i, INT64_MAX, ERR_RESTORE_IDLETIME));
        } else if (arg_is(c, i, "FREQ") && more && !o->idle) {
            o->freq = true;
            TRY(check_number(c, ++i, FREQ_MAX, ERR_RESTORE_FREQ));
        } else {
            return ERR_SYNTAX;
        }
    }
    return OK;
}

static enum err
read_deadline(struct call *c, const struct restore_options *o, int64_t *deadline)
{
    TRY(arg_int(c, 2, deadline));
    if (*deadline < 0)
        return ERR_RESTORE_TTL;
    if (*deadline == 0 || o->absolute)
        return OK;
    /* A time beyond all times is over, in Redis; so it is here. */
    if (number_add_overflows(*deadline, c->began))
        *deadline = c->began;
    else
        *deadline += c->began;
    return OK;
}

static void
put(struct call *c, struct entry *e, struct bytes string, int64_t deadline)
{
    if (deadline == 0 || deadline > c->began) {
        store_set(c->store, c->argv[1], string, deadline, c->now);
        if (e != NULL)
            notify(c, NOTIFY_NEW, "new", c->argv[1]);
        notify(c, NOTIFY_GENERIC, "restore", c->argv[1]);
    } else if (e != NULL) {
        store_delete(c->store, e);
        notify(c, NOTIFY_GENERIC, "del", c->argv[1]);
    }
}

/* RESTORE key ms payload [REPLACE] [ABSTTL] [IDLETIME s | FREQ n] */
enum err
cmd_restore(struct call *c)
{
    struct restore_options o = {0};
    struct buf scratch = {0};
    struct bytes string;
    int64_t deadline;

    TRY(read_options(c, &o));
    struct entry *e = arg_entry(c, 1);
    if (e != NULL && !o.replace)
        return ERR_KEY_EXISTS;
    TRY(read_deadline(c, &o, &deadline));
    if (!dump_is_whole(c->argv[3]))
        return ERR_DUMP_CHECKSUM;
    if (dump_decode(c->argv[3], &scratch, &string) != 0) {
        buf_deinit(&scratch);
        return ERR_DUMP_FORMAT;
    }

    put(c, e, string, deadline);
    buf_deinit(&scratch);

    reply_ok(c->out);
    return OK;
}
