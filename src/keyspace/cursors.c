/* See cursors.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/cursors.h"
#include "base/mem.h"
#include "base/random.h"
#include "keyspace/keyspace_priv.h"
#include <assert.h>
#include <stdlib.h>

#define KEPT      (UINT64_C(1) << 51)
#define TAG_SHIFT 32
#define TAG_MASK  ((UINT64_C(1) << 19) - 1)

struct kept {
    uint64_t cursor; /* 0: free */
    uint64_t before; /* the cursor this one was made from */
    uint64_t used;   /* when, counted in uses */
    uint32_t store;  /* id */
    struct place place;
};

struct cursors {
    uint64_t tag;
    uint64_t uses;
    size_t bytes;      /* of keys */
    struct kept *kept; /* CURSORS_MAX; NULL before the first */
};

struct cursors *
cursors_new(void)
{
    struct cursors *c = xcalloc(1, sizeof *c);

    while (c->tag == 0)
        c->tag = random_number() & TAG_MASK;
    return c;
}

static void
drop(struct cursors *c, struct kept *k)
{
    c->bytes -= k->place.key.cap;
    place_deinit(&k->place);
    *k = (struct kept){0};
}

void
cursors_free(struct cursors *c)
{
    for (size_t i = 0; c->kept != NULL && i < CURSORS_MAX; i++)
        drop(c, &c->kept[i]);
    free(c->kept);
    free(c);
}

uint64_t
cursor_of_memory(struct keyspace *ks, uint32_t place)
{
    return place == 0 ? 0 : ks->cursors->tag << TAG_SHIFT | place;
}

static struct kept *
find(struct cursors *c, uint64_t cursor)
{
    struct kept *k;

    if (c->kept == NULL || !(cursor & KEPT))
        return NULL;
    k = &c->kept[(uint32_t)cursor % CURSORS_MAX];
    return k->cursor == cursor ? k : NULL;
}

/* Free ones come first. */
static struct kept *
longest_unused(struct cursors *c)
{
    struct kept *found = &c->kept[0];

    for (size_t i = 1; i < CURSORS_MAX; i++) {
        if (c->kept[i].used < found->used)
            found = &c->kept[i];
    }
    return found;
}

/* Drops others until there is room for one. */
static void
make_room(struct cursors *c, const struct kept *one)
{
    while (c->bytes > CURSORS_BYTES) {
        struct kept *victim = NULL;
        for (size_t i = 0; i < CURSORS_MAX; i++) {
            struct kept *k = &c->kept[i];
            if (k != one && k->place.key.cap > 0
                && (victim == NULL || k->used < victim->used))
                victim = k;
        }
        if (victim == NULL)
            return;
        drop(c, victim);
    }
}

uint64_t
cursor_keep(struct store *s, const struct place *place, uint64_t before)
{
    struct cursors *c = s->keyspace->cursors;

    assert(!place->ended);
    if (c->kept == NULL)
        c->kept = xcalloc(CURSORS_MAX, sizeof *c->kept);
    struct kept *last = find(c, before);
    struct kept *k = last != NULL ? find(c, last->before) : NULL;
    if (k == NULL)
        k = longest_unused(c);
    drop(c, k);
    place_copy(&k->place, place);
    k->store = s->id;
    k->before = before;
    k->used = ++c->uses;
    k->cursor = KEPT | (random_number() & TAG_MASK) << TAG_SHIFT
                | (uint32_t)(c->uses * CURSORS_MAX + (uint64_t)(k - c->kept));
    c->bytes += k->place.key.cap;
    make_room(c, k);
    return k->cursor;
}

void
cursor_place(struct store *s, uint64_t cursor, struct place *out)
{
    struct cursors *c = s->keyspace->cursors;
    struct kept *k = find(c, cursor);

    *out = (struct place){0};
    if (k != NULL && k->store == s->id) {
        k->used = ++c->uses;
        place_copy(out, &k->place);
    } else if (!(cursor & KEPT) && cursor >> TAG_SHIFT == c->tag) {
        out->from = out->memory = (uint32_t)cursor;
    }
}
