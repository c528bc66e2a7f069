/* See values.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "values.h"

#include "base/clock.h"
#include "ledger.h"
#include <string.h>

static void
state_clear(struct state *s, int store)
{
    for (int key = 0; key < KEYS; key++) {
        buf_deinit(&s->values[store][key].bytes);
        s->values[store][key] = (struct value){0};
    }
}

void
state_deinit(struct state *s)
{
    state_clear(s, 0);
    state_clear(s, 1);
}

static void
write_into(struct value *v, const struct step *c, size_t at)
{
    size_t end = at + c->len;

    if (end > v->bytes.len) {
        size_t more = end - v->bytes.len;
        memset(buf_reserve(&v->bytes, more), 0, more);
        v->bytes.len = end;
    }
    value_fill(c->seed, v->bytes.data + at, c->len);
    v->there = true;
}

static void
clear(struct value *v)
{
    v->there = false;
    v->bytes.len = 0;
    v->deadline = 0;
}

static void
copy(struct value *to, const struct value *from)
{
    clear(to);
    buf_append_bytes(&to->bytes, buf_bytes(&from->bytes));
    to->there = from->there;
    to->deadline = from->deadline;
}

static void
swap(struct state *s)
{
    struct value had[KEYS];

    memcpy(had, s->values[0], sizeof had);
    memcpy(s->values[0], s->values[1], sizeof had);
    memcpy(s->values[1], had, sizeof had);
}

void
state_carry_out(struct state *s, const struct step *c)
{
    struct value *values = s->values[0], *v = &values[c->key];

    switch (c->kind) {
    case SET:
        clear(v);
        write_into(v, c, 0);
        break;
    case APPEND:
        write_into(v, c, v->bytes.len);
        break;
    case BOTH:
        write_into(&values[c->other], c, c->at);
        write_into(v, c, c->at);
        break;
    case WRITE:
        write_into(v, c, c->at);
        break;
    case DEADLINE:
        v->deadline = v->there ? c->deadline : 0;
        break;
    case DELETE:
        clear(v);
        break;
    case RENAME:
    case COPY:
        if (v->there)
            copy(&values[c->other], v);
        if (c->kind == RENAME)
            clear(v);
        break;
    case FLUSH:
        state_clear(s, 0);
        break;
    case SWAP:
        swap(s);
        break;
    }
}

/* Expired keys may be gone. */
static bool
shows(const struct value *known, const struct value *seen)
{
    if (!seen->there)
        return !known->there || (known->deadline != 0 && known->deadline <= clock_ms());
    return known->there && known->deadline == seen->deadline
           && bytes_eq(buf_bytes(&known->bytes), buf_bytes(&seen->bytes));
}

const struct value *
state_difference(const struct state *known, const struct state *seen)
{
    for (int i = 0; i < 2 * KEYS; i++) {
        const struct value *v = &known->values[i / KEYS][i % KEYS];
        if (!shows(v, &seen->values[i / KEYS][i % KEYS]))
            return v;
    }
    return NULL;
}

void
state_forget_expired(struct state *known, const struct state *seen)
{
    for (int i = 0; i < 2 * KEYS; i++) {
        if (!seen->values[i / KEYS][i % KEYS].there)
            clear(&known->values[i / KEYS][i % KEYS]);
    }
}
