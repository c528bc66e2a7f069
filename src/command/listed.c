/* See listed.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/listed.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "command/session_priv.h"
#include "keyspace/keyspace.h"
#include "keyspace/listing.h"
#include "keyspace/place.h"

struct listed {
    struct listed *next;
    struct session *session;
    size_t at;
    struct listing *listing;
    struct found found;
};

/* --- finding --- */

static bool
add(void *arg, struct bytes key, enum type type)
{
    struct listed *l = arg;

    return found_add(&l->found, key, type);
}

static void
done(void *arg)
{
    struct listed *l = arg;
    struct session *s = l->session;

    s->fetched = listing_is_failed(l->listing) ? FETCHED_ERROR : FETCHED_KEYS;
    s->owner->resumed(s->owner_arg);
}

struct listed *
listed_at(struct session *s, size_t at)
{
    struct listed *l = s->listed;

    while (l != NULL && l->at != at)
        l = l->next;
    return l;
}

static void
drop_first(struct listed **link)
{
    struct listed *l = *link;

    *link = l->next;
    listing_free(l->listing);
    found_deinit(&l->found);
    free(l);
}

static void
drop_at(struct session *s, size_t at)
{
    struct listed **link = &s->listed;

    while (*link != NULL && (*link)->at != at)
        link = &(*link)->next;
    if (*link != NULL)
        drop_first(link);
}

void
listed_begin(struct call *c, size_t at, const struct wanted *wanted,
             const struct place *from)
{
    struct session *s = c->session;

    drop_at(s, at);
    struct listed *l = c->listed = xcalloc(1, sizeof *l);
    struct listing_request request = {
        .store = c->store,
        .pattern = wanted->pattern,
        .page = wanted->page,
        .from = from,
        .hold = s->queue.open,
        .visit = add,
        .done = done,
        .arg = l,
        .filled = &l->found.text,
    };
    l->session = s;
    l->at = at;
    l->found.wanted = *wanted;
    if (!request.hold && wanted->page == 0)
        found_expect(&l->found, store_count(c->store));
    /* The listing looks at it, and has a copy. */
    l->found.wanted.pattern = bytes_of(NULL, 0);
    l->next = s->listed;
    s->listed = l;
    l->listing = listing_start(&request);
}

bool
listed_is_ready(const struct call *c)
{
    const struct listed *l = c->listed;

    return l != NULL && listing_is_ready(l->listing) && !listing_is_failed(l->listing)
           && !listing_is_broken(l->listing) && listing_is_of(l->listing, c->store);
}

/* --- using it --- */

static bool
add_changed(void *arg, struct bytes key, enum type type)
{
    return found_add(arg, key, type);
}

/* What has changed since it was found is left out, and looked at as it is now. */
static void
bring_up_to_date(struct call *c, struct found *out)
{
    const struct listed *l = c->listed;
    struct bytes keys = found_keys(&l->found), key;
    struct wanted any_type = {.enough = out->wanted.enough};
    struct found kept = {.wanted = any_type};

    while (found_next(&keys, &key)) {
        if (!listing_has_changed(l->listing, key))
            found_add(&kept, key, 0);
    }
    kept.wanted = out->wanted;
    listing_each_changed(l->listing, c->now, add_changed, &kept);
    *out = kept;
}

void
listed_take(struct call *c, struct found *out)
{
    struct listed *l = c->listed;

    assert(listed_is_ready(c));
    store_look_at_all(c->store);
    *out = l->found;
    if (listing_is_held(l->listing)) {
        bring_up_to_date(c, out);
    } else {
        l->found = (struct found){0};
    }
}

const struct place *
listed_place(const struct call *c)
{
    const struct place *place = listing_place(c->listed->listing);

    return place == NULL || place->ended ? NULL : place;
}

bool
listed_is_awaited(const struct session *s)
{
    return s->listed != NULL && !listing_is_ready(s->listed->listing);
}

void
listed_drop(struct session *s)
{
    while (s->listed != NULL)
        drop_first(&s->listed);
}
