/* agree: compares answers, as loosely as their check says. */
// SPDX-License-Identifier: BSD-3-Clause
#include "agree.h"

#include "base/mem.h"
#include "base/number.h"
#include <stdlib.h>

#define SLACK    10000 /* of a deadline, in seconds or milliseconds */
#define OWN_MARK "own-"

static struct bytes
text_of(const struct answer *a)
{
    return bytes_of(a->text, a->len);
}

static bool
is_same(const struct answer *a, const struct answer *b)
{
    if (a->kind != b->kind || a->null != b->null || a->nitems != b->nitems
        || !bytes_eq(text_of(a), text_of(b)))
        return false;
    for (size_t i = 0; i < a->nitems; i++) {
        if (!is_same(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

static bool
is_near(const struct answer *a, const struct answer *b)
{
    int64_t x, y;

    return a->kind == ':' && b->kind == ':' && number_parse(text_of(a), &x)
           && number_parse(text_of(b), &y) && x > SLACK && y > SLACK
           && llabs(x - y) < SLACK;
}

static int
by_text(const void *a, const void *b)
{
    return bytes_cmp(text_of(a), text_of(b));
}

void
answer_sort(struct answer *a)
{
    if (a->nitems > 0)
        qsort(a->items, a->nitems, sizeof *a->items, by_text);
}

void
answer_sort_once(struct answer *a)
{
    size_t kept = 0;

    answer_sort(a);
    for (size_t i = 0; i < a->nitems; i++) {
        if (kept > 0 && bytes_eq(text_of(&a->items[kept - 1]), text_of(&a->items[i])))
            answer_deinit(&a->items[i]);
        else
            a->items[kept++] = a->items[i];
    }
    a->nitems = kept;
}

/* The items are in any order: each of them is in the other as well. */
static bool
is_permutation(const struct answer *a, const struct answer *b)
{
    size_t size = a->nitems * sizeof *a->items;

    if (a->kind != b->kind || a->nitems != b->nitems)
        return false;
    if (size == 0)
        return is_same(a, b);
    struct answer x = *a, y = *b;
    x.items = malloc(size);
    y.items = malloc(size);
    memcpy(x.items, a->items, size);
    memcpy(y.items, b->items, size);
    answer_sort(&x);
    answer_sort(&y);
    bool same = is_same(&x, &y);
    free(x.items);
    free(y.items);
    return same;
}

bool
answer_agrees(const struct answer *a, const struct answer *b, enum check check)
{
    if (is_same(a, b))
        return true;
    if (a->kind != b->kind || a->kind == '-')
        return false;
    switch (check) {
    case CHECK_KIND:
        return a->null == b->null && a->nitems == b->nitems;
    case CHECK_SORTED:
        return is_permutation(a, b);
    case CHECK_DEADLINE:
        return is_near(a, b);
    default:
        return false;
    }
}

/* --- what subscribers hear --- */

/* Whose keys a message is about; -1: those of all. */
static int
owner_of(const struct answer *a)
{
    for (size_t i = 0; i < a->nitems; i++) {
        const struct answer *item = &a->items[i];
        const char *mark = item->text != NULL
                               ? memmem(item->text, item->len, OWN_MARK, strlen(OWN_MARK))
                               : NULL;
        if (mark != NULL)
            return atoi(mark + strlen(OWN_MARK));
    }
    return -1;
}

static bool
says(const struct answer *a, const char *word, size_t nitems)
{
    return a->nitems == nitems && bytes_is(text_of(&a->items[0]), word);
}

static bool
is_farewell(const struct answer *a)
{
    return says(a, "unsubscribe", 3) || says(a, "punsubscribe", 3)
           || says(a, "sunsubscribe", 3);
}

/* What patterns brought of the same message. */
static bool
is_same_message(const struct answer *a, const struct answer *b)
{
    return says(a, "pmessage", 4) && says(b, "pmessage", 4)
           && is_same(&a->items[2], &b->items[2]) && is_same(&a->items[3], &b->items[3]);
}

static void
swap(struct answer *a, struct answer *b)
{
    struct answer kept = *a;

    *a = *b;
    *b = kept;
}

/* What a message of a pattern tells: the key and the event it is about. */
static bool
read_event(const struct answer *a, struct bytes *key, struct bytes *event)
{
    if (!says(a, "pmessage", 4))
        return false;
    struct bytes channel = text_of(&a->items[2]), message = text_of(&a->items[3]);
    const char *colon = memchr(channel.data, ':', channel.len);
    if (colon == NULL || channel.len < strlen("__keyspace"))
        return false;
    struct bytes about =
        bytes_of(colon + 1, channel.len - (size_t)(colon + 1 - channel.data));
    bool by_key = memcmp(channel.data, "__keyspace", strlen("__keyspace")) == 0;
    *key = by_key ? about : message;
    *event = by_key ? message : about;
    return true;
}

/* Whether b tells that a key has expired, and a, which came before it, is about another
 * one: then b might have come first. */
static bool
is_other_and_expired(const struct answer *a, const struct answer *b)
{
    struct bytes key_a, key_b, event_a, event_b;

    return read_event(a, &key_a, &event_a) && read_event(b, &key_b, &event_b)
           && bytes_is(event_b, "expired") && !bytes_is(event_a, "expired")
           && !bytes_eq(key_a, key_b);
}

/* Brings two that stand side by side in order. False: they are. */
static bool
put_in_order(struct answer *a, struct answer *b)
{
    if (owner_of(a) > owner_of(b) || is_other_and_expired(a, b)
        || (is_same_message(a, b) && by_text(&a->items[1], &b->items[1]) > 0))
        swap(a, b);
    else if (is_farewell(a) && is_farewell(b) && by_text(&a->items[1], &b->items[1]) > 0)
        swap(&a->items[1], &b->items[1]);
    else
        return false;
    return true;
}

/* Takes the items of an array out, and gives what they say as texts. */
static void
take_keys(struct answer *all, struct answer *keys)
{
    size_t size = (all->nitems + keys->nitems + 1) * sizeof *all->items;

    all->items = xrealloc(all->items, size);
    for (size_t i = 0; i < keys->nitems; i++)
        all->items[all->nitems++] = keys->items[i];
    if (keys->null)
        all->items[all->nitems++] =
            (struct answer){.kind = '+', .text = bytes_dup(bytes_str("any")), .len = 3};
    keys->nitems = 0;
}

size_t
heard_gather(struct answer *heard, size_t count)
{
    struct answer all = {.kind = '>'};
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (says(&heard[i], "invalidate", 2)) {
            take_keys(&all, &heard[i].items[1]);
            answer_deinit(&heard[i]);
        } else {
            heard[kept++] = heard[i];
        }
    }
    answer_sort_once(&all);
    if (kept < count)
        heard[kept++] = all;
    return kept;
}

void
heard_sort(struct answer *heard, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t j = i; j > 0 && put_in_order(&heard[j - 1], &heard[j]);)
            j--;
    }
}
