/* lifetime: see lifetime.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/lifetime.h"

#include "command/arguments.h"

struct lifetime_unit {
    const char *word;
    int64_t ms;
    bool from_now;
};

static const struct lifetime_unit *
unit_named(const struct call *c, int i)
{
    static const struct lifetime_unit units[] = {
        {"EX", 1000, true}, {"PX", 1, true}, {"EXAT", 1000, false}, {"PXAT", 1, false}};

    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        if (arg_is(c, i, units[u].word))
            return &units[u];
    }
    return NULL;
}

enum err
lifetime_read(const struct call *c, int *i, struct lifetime *life)
{
    const struct lifetime_unit *unit = unit_named(c, *i);

    if (unit == NULL || *i + 1 == c->argc || (life->unit != NULL && life->unit != unit))
        return ERR_SYNTAX;
    life->unit = unit;
    life->amount = ++*i;
    return OK;
}

static enum err
deadline_at(struct call *c, int i, int64_t unit_ms, int64_t base, int64_t *deadline)
{
    int64_t amount;

    TRY(arg_int(c, i, &amount));
    if (amount <= 0)
        return fail_expire_time(c);
    return deadline_after(c, amount, unit_ms, base, deadline);
}

enum err
lifetime_deadline(struct call *c, const struct lifetime *life, int64_t *deadline)
{
    *deadline = 0;
    if (life->unit == NULL)
        return OK;
    return deadline_at(c, life->amount, life->unit->ms,
                       life->unit->from_now ? c->began : 0, deadline);
}

bool
lifetime_is_absolute(const struct lifetime *life)
{
    return life->unit != NULL && !life->unit->from_now;
}

enum err
lifetime_from_now(struct call *c, int i, int64_t unit_ms, int64_t *deadline)
{
    return deadline_at(c, i, unit_ms, c->began, deadline);
}
