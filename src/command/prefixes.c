/*
 * See prefixes.h. The prefixes stand in order, and each knows the longest other that it
 * begins with. All those a key begins with also begin the last one that is not behind the
 * key, or are that: so they are found from there upwards.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/prefixes.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "command/host.h"
#include "command/session_priv.h"
#include "keyspace/keyspace.h"
#include "resp/reply.h"

/* A session that listens to a prefix. */
struct listener {
    struct session *session;
    struct prefix *prefix;
    struct listener *next, *previous; /* of the prefix */
    struct listener *sibling;         /* the session's next */
};

struct prefix {
    struct bytes text;    /* its own */
    struct prefix *outer; /* the longest other that it begins with, or NULL */
    struct listener *first, *last;
    struct map noted;
};

struct noted_key {
    struct map_node node;
    uint64_t by; /* the last session that changed it */
    size_t len;
    char text[];
};

/* --- who listens --- */

static bool
begins_with(struct bytes text, struct bytes prefix)
{
    return text.len >= prefix.len && bytes_eq(bytes_of(text.data, prefix.len), prefix);
}

/* How many prefixes are not behind text. */
static size_t
rank_of(const struct prefixes *p, struct bytes text)
{
    size_t low = 0, high = p->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bytes_cmp(p->all[middle]->text, text) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The longest prefix that the key begins with, or NULL; the others are its outer ones. */
static struct prefix *
longest_of(const struct prefixes *p, struct bytes key)
{
    size_t rank = rank_of(p, key);
    struct prefix *x = rank > 0 ? p->all[rank - 1] : NULL;

    while (x != NULL && !begins_with(key, x->text))
        x = x->outer;
    return x;
}

static void
find_outer_ones(struct prefixes *p)
{
    struct prefix *outer = NULL;

    for (size_t i = 0; i < p->count; i++) {
        while (outer != NULL && !begins_with(p->all[i]->text, outer->text))
            outer = outer->outer;
        p->all[i]->outer = outer;
        outer = p->all[i];
    }
}

static struct prefix *
find_or_add(struct prefixes *p, struct bytes text)
{
    size_t rank = rank_of(p, text);

    if (rank > 0 && bytes_eq(p->all[rank - 1]->text, text))
        return p->all[rank - 1];
    struct prefix *x = xcalloc(1, sizeof *x);
    x->text = bytes_of(bytes_dup(text), text.len);
    p->all = xrealloc(p->all, (p->count + 1) * sizeof *p->all);
    memmove(p->all + rank + 1, p->all + rank, (p->count - rank) * sizeof *p->all);
    p->all[rank] = x;
    p->count++;
    find_outer_ones(p);
    return x;
}

static void
free_noted(struct map_node *node, void *arg)
{
    map_remove(arg, node);
    free(node);
}

static void
remove_prefix(struct prefixes *p, struct prefix *x)
{
    size_t rank = rank_of(p, x->text);

    assert(p->all[rank - 1] == x);
    memmove(p->all + rank - 1, p->all + rank, (p->count - rank) * sizeof *p->all);
    p->count--;
    find_outer_ones(p);
    map_each(&x->noted, free_noted, &x->noted);
    free((char *)x->text.data);
    free(x);
}

/* Where in a session's list a prefix is, or would have to be. */
static struct listener **
place_of(struct session *s, struct bytes text)
{
    struct listener **at = &s->tracker.listeners;

    while (*at != NULL && bytes_cmp((*at)->prefix->text, text) < 0)
        at = &(*at)->sibling;
    return at;
}

void
prefixes_listen(struct session *s, struct bytes text)
{
    struct listener **at = place_of(s, text);
    if (*at != NULL && bytes_eq((*at)->prefix->text, text))
        return;

    struct listener *l = xcalloc(1, sizeof *l);
    l->session = s;
    l->prefix = find_or_add(&s->host->tracking.prefixes, text);
    l->sibling = *at;
    *at = l;
    l->previous = l->prefix->last;
    if (l->previous != NULL)
        l->previous->next = l;
    else
        l->prefix->first = l;
    l->prefix->last = l;
}

static void
end(struct prefixes *p, struct listener *l)
{
    struct prefix *x = l->prefix;

    if (l->previous != NULL)
        l->previous->next = l->next;
    else
        x->first = l->next;
    if (l->next != NULL)
        l->next->previous = l->previous;
    else
        x->last = l->previous;
    free(l);
    if (x->first == NULL)
        remove_prefix(p, x);
}

void
prefixes_leave(struct session *s)
{
    for (struct listener *l = s->tracker.listeners, *next; l != NULL; l = next) {
        next = l->sibling;
        end(&s->host->tracking.prefixes, l);
    }
    s->tracker.listeners = NULL;
}

struct bytes
listener_prefix(const struct listener *l)
{
    return l->prefix->text;
}

struct listener *
listener_next(const struct listener *l)
{
    return l->sibling;
}

void
prefixes_deinit(struct prefixes *p)
{
    assert(p->count == 0);
    free(p->all);
}

/* --- what has changed --- */

static struct bytes
text_of(const struct noted_key *k)
{
    return bytes_of(k->text, k->len);
}

static bool
noted_has_text(const struct map_node *node, struct bytes text)
{
    return bytes_eq(text_of((const struct noted_key *)node), text);
}

static void
note(struct prefix *x, struct bytes key, uint32_t hash, uint64_t by)
{
    struct noted_key *k =
        (struct noted_key *)map_find(&x->noted, hash, key, noted_has_text);

    if (k == NULL) {
        k = xmalloc(sizeof *k + key.len);
        k->len = key.len;
        if (key.len > 0)
            memcpy(k->text, key.data, key.len);
        map_insert(&x->noted, &k->node, hash);
    }
    k->by = by;
}

void
prefixes_note(struct host *h, struct bytes key, uint64_t by)
{
    struct prefixes *p = &h->tracking.prefixes;
    uint32_t hash = map_hash(key);

    for (struct prefix *x = longest_of(p, key); x != NULL; x = x->outer) {
        note(x, key, hash, by);
        p->seen = keyspace_seen(h->keyspace);
        p->has_noted = true;
    }
}

/* --- telling --- */

struct collection {
    struct noted_key **keys;
    size_t count;
};

static void
collect(struct map_node *node, void *arg)
{
    struct collection *all = arg;

    all->keys[all->count++] = (struct noted_key *)node;
}

static int
compare(const void *a, const void *b)
{
    return bytes_cmp(text_of(*(struct noted_key *const *)a),
                     text_of(*(struct noted_key *const *)b));
}

/* Appends the array of all keys, or of those that another session than this changed; gives
 * how many there are. */
static size_t
write_keys(struct buf *out, const struct collection *all, const struct session *but)
{
    struct reply array = {.out = out, .protocol = 3};
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        count += but == NULL || all->keys[i]->by != but->id;
    reply_array(&array, count);
    for (size_t i = 0; i < all->count; i++) {
        if (but == NULL || all->keys[i]->by != but->id)
            reply_bulk(&array, text_of(all->keys[i]));
    }
    return count;
}

static void
tell_listeners(const struct prefix *x, const struct collection *all, uint64_t seen)
{
    struct buf whole = {0}, part = {0};

    write_keys(&whole, all, NULL);
    for (struct listener *l = x->first; l != NULL; l = l->next) {
        buf_clear(&part, SIZE_MAX);
        if (!l->session->tracker.noloop)
            tracking_tell(l->session, buf_bytes(&whole), seen);
        else if (write_keys(&part, all, l->session) > 0)
            tracking_tell(l->session, buf_bytes(&part), seen);
    }
    buf_deinit(&whole);
    buf_deinit(&part);
}

static void
tell_prefix(struct prefix *x, uint64_t seen)
{
    struct collection all = {.keys = xmalloc(x->noted.count * sizeof *all.keys)};

    map_each(&x->noted, collect, &all);
    qsort(all.keys, all.count, sizeof *all.keys, compare);
    tell_listeners(x, &all, seen);
    free(all.keys);
    map_each(&x->noted, free_noted, &x->noted);
}

void
prefixes_tell(struct host *h)
{
    struct prefixes *p = &h->tracking.prefixes;

    for (size_t i = 0; i < p->count; i++) {
        if (p->all[i]->noted.count > 0)
            tell_prefix(p->all[i], p->seen);
    }
    p->has_noted = false;
}
