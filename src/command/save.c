/* save: SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE. See save.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/save.h"

#include "base/clock.h"
#include "command/arguments.h"
#include "command/host.h"
#include "command/table.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

static uint64_t
durable(const struct host *h)
{
    struct keyspace_disk disk;

    keyspace_disk(h->keyspace, &disk);
    return disk.durable;
}

static void
note_saved(struct host *h)
{
    h->saved_ms = clock_ms();
    h->saves++;
}

bool
save_is_running(struct host *h)
{
    if (h->is_saving && durable(h) >= h->saving) {
        h->is_saving = false;
        note_saved(h);
        h->save_s = (h->saved_ms - h->saving_since_ms) / 1000;
    }
    return h->is_saving;
}

int64_t
save_last_ms(struct host *h)
{
    struct keyspace_disk disk;

    save_is_running(h);
    keyspace_disk(h->keyspace, &disk);
    return disk.last_sync_ms > h->saved_ms ? disk.last_sync_ms : h->saved_ms;
}

/* SAVE: all that was answered before is on the disk. It changes no key and is never
 * inside a transaction, so the changes until now may be committed here. */
enum err
cmd_save(struct call *c)
{
    if (save_is_running(c->host))
        return ERR_SAVING;
    if (keyspace_save(c->host->keyspace) != 0)
        return ERR_SAVE;

    note_saved(c->host);

    reply_ok(c->out);
    return OK;
}

/* BGSAVE [SCHEDULE]: the same on another thread, without waiting for it. */
enum err
cmd_bgsave(struct call *c)
{
    struct host *h = c->host;
    if (c->argc > 2 || (c->argc == 2 && !arg_is(c, 1, "SCHEDULE")))
        return ERR_SYNTAX;
    if (save_is_running(h))
        return ERR_SAVING;

    h->saving = keyspace_save_soon(h->keyspace);
    h->is_saving = true;
    h->saving_since_ms = clock_ms();

    reply_simple(c->out, c->in_exec ? "Background saving scheduled"
                                    : "Background saving started");
    return OK;
}

/* BGREWRITEAOF: the tables are brought up to date, and then the log loses what they
 * have. */
enum err
cmd_bgrewriteaof(struct call *c)
{
    keyspace_apply_soon(c->host->keyspace);

    reply_simple(c->out, c->in_exec ? "Background append only file rewriting scheduled"
                                    : "Background append only file rewriting started");
    return OK;
}

/* LASTSAVE: when the log was brought to the disk last; seconds since 1970. */
enum err
cmd_lastsave(struct call *c)
{
    reply_int(c->out, save_last_ms(c->host) / 1000);
    return OK;
}
