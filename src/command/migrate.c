/*
 * migrate: see migrate.h. The request is dispatched twice: first it begins a migration
 * (migration.h), which does the talking; then cmd_migrate settles it.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/migrate.h"

#include "command/arguments.h"
#include "command/migration.h"
#include "command/needs.h"
#include "command/session_priv.h"
#include "command/table.h"
#include "keyspace/keyspace.h"

#define TIMEOUT_MS 1000 /* where none is given */

/* An argument that is a secret. */
static const struct bytes *
secret(struct call *c, int i)
{
    arg_hide(c, i);
    return &c->argv[i];
}

/* KEYS key ...: all that is left. */
static enum err
read_keys(struct call *c, int *i, struct migration_request *r)
{
    if (c->argv[3].len > 0)
        return ERR_MIGRATE_KEYS;
    r->first = *i + 1;
    r->nkeys = c->argc - r->first;
    *i = c->argc;
    return OK;
}

/* Reads the option that begins at argument *i, which is its last afterwards. */
static enum err
read_option(struct call *c, int *i, struct migration_request *r)
{
    int behind = c->argc - 1 - *i;

    if (arg_is(c, *i, "COPY")) {
        r->copy = true;
    } else if (arg_is(c, *i, "REPLACE")) {
        r->replace = true;
    } else if (arg_is(c, *i, "AUTH") && behind >= 1) {
        r->password = secret(c, ++*i);
    } else if (arg_is(c, *i, "AUTH2") && behind >= 2) {
        r->user = secret(c, ++*i);
        r->password = secret(c, ++*i);
    } else if (arg_is(c, *i, "KEYS")) {
        return read_keys(c, i, r);
    } else {
        return ERR_SYNTAX;
    }
    return OK;
}

static enum err
read_request(struct call *c, struct migration_request *r)
{
    *r = (struct migration_request){
        .to = {.host = c->argv[1], .port = c->argv[2]},
        .store = c->argv[4],
        .first = 3,
        .nkeys = 1,
    };
    for (int i = 6; i < c->argc; i++)
        TRY(read_option(c, &i, r));
    TRY(arg_int(c, 5, &r->to.timeout_ms));
    if (r->to.timeout_ms <= 0)
        r->to.timeout_ms = TIMEOUT_MS;
    return r->store.len > STORE_NAME_MAX ? ERR_STORE_NAME : OK;
}

bool
migrate_begins(struct call *c)
{
    struct session *s = c->session;
    struct migration_request r;

    if (s->migration != NULL || !needs_are_known(c) || read_request(c, &r) != OK)
        return false;
    s->migration = migration_new(c, &r);
    s->fetched = FETCHED_NOTHING;
    return migration_is_awaited(s);
}

/* MIGRATE host port key|"" store ms [COPY] [REPLACE] [AUTH password | AUTH2 user password]
 * [KEYS key ...]: the keys are another server's from now on. */
enum err
cmd_migrate(struct call *c)
{
    struct migration_request r;
    TRY(read_request(c, &r));

    return migration_settle(c);
}
