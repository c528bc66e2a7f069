/* agree: compares answers, as loosely as their check says. */
// SPDX-License-Identifier: BSD-3-Clause
#include "agree.h"

#include "base/mem.h"
#include "base/number.h"
#include <ctype.h>
#include <stdlib.h>

#define SLACK    10000 /* of a deadline, in seconds or milliseconds */
#define OWN_MARK "own-"

#define HLL_COUNT 8  /* where a HyperLogLog keeps what was counted last, to */
#define HLL_HEAD  16 /* here */

static struct bytes
text_of(const struct answer *a)
{
    return bytes_of(a->text, a->len);
}

/* Where writers have to wait, keyvald's PFCOUNT does not keep in the value what it counted. */
static bool
is_same_but_count(struct bytes a, struct bytes b)
{
    return a.len == b.len && a.len >= HLL_HEAD && memcmp(a.data, "HYLL", 4) == 0
           && memcmp(a.data, b.data, HLL_COUNT) == 0
           && memcmp(a.data + HLL_HEAD, b.data + HLL_HEAD, a.len - HLL_HEAD) == 0;
}

static bool
is_same_text(struct bytes a, struct bytes b)
{
    return bytes_eq(a, b) || is_same_but_count(a, b);
}

static bool
is_id(const struct answer *a)
{
    return a->kind == ':' && a->len > 0 && a->text[0] != '-' && a->text[0] != '0';
}

/* Whether they are the same; or are but for clients' ids. */
static bool
is_same_but_ids(const struct answer *a, const struct answer *b, bool but_ids)
{
    if (but_ids && is_id(a) && is_id(b))
        return true;
    if (a->kind != b->kind || a->null != b->null || a->nitems != b->nitems
        || !is_same_text(text_of(a), text_of(b)))
        return false;
    for (size_t i = 0; i < a->nitems; i++) {
        if (!is_same_but_ids(&a->items[i], &b->items[i], but_ids))
            return false;
    }
    return true;
}

static bool
is_same(const struct answer *a, const struct answer *b)
{
    return is_same_but_ids(a, b, false);
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

void
answer_leave_out(struct answer *a, const char *front)
{
    size_t kept = 0, len = strlen(front);

    for (size_t i = 0; i < a->nitems; i++) {
        if (a->items[i].len >= len && memcmp(a->items[i].text, front, len) == 0)
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

/* What stands behind a name in a line of CLIENT LIST. */
static struct bytes
field(const struct answer *line, const char *name)
{
    const char *at =
        line->len > 0 ? memmem(line->text, line->len, name, strlen(name)) : NULL;

    return at != NULL ? bytes_of(at, strcspn(at + 1, " \n")) : bytes_str("");
}

static bool
is_same_client(const struct answer *a, const struct answer *b)
{
    static const char *const names[] = {
        " name=", " sub=", " psub=", " ssub=", " multi=", " cmd=", " user=", " resp="};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!bytes_eq(field(a, names[i]), field(b, names[i])))
            return false;
    }
    return true;
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
    case CHECK_IDS:
        return is_same_but_ids(a, b, true);
    case CHECK_CLIENT:
        return is_same_client(a, b);
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

/* RESP2 has them as messages of a channel. */
static bool
is_invalidation(const struct answer *a)
{
    return says(a, "invalidate", 2)
           || (says(a, "message", 3)
               && bytes_is(text_of(&a->items[1]), "__redis__:invalidate"));
}

/* --- what MONITOR tells --- */

static bool
is_monitored(const struct answer *a)
{
    return a->kind == '+' && a->len > 0 && isdigit((unsigned char)a->text[0])
           && memchr(a->text, ']', a->len) != NULL;
}

/* Replaces one text by another, shorter one, wherever it stands. */
static void
replace(struct answer *a, const char *text, const char *shorter)
{
    size_t len = strlen(text);
    char *at;

    while ((at = memmem(a->text, a->len, text, len)) != NULL) {
        size_t rest = a->len - (size_t)(at - a->text) - len;
        memcpy(at, shorter, strlen(shorter));
        memmove(at + strlen(shorter), at + len, rest + 1);
        a->len -= len - strlen(shorter);
    }
}

/* Leaves the request, without when and where it came from. */
static void
strip(struct answer *line)
{
    char *request = memchr(line->text, ']', line->len) + 1;

    line->len -= (size_t)(request - line->text);
    memmove(line->text, request, line->len + 1);
    replace(line, "\"" OTHER_STORE_NAME "\"", "\"" OTHER_STORE_NUMBER "\"");
}

/* Whether each server is told it in its own way: how many pages there are, clients' ids, and
 * which keys are looked at. */
static bool
is_its_own(const struct answer *line)
{
    static const char *const fronts[] = {" \"scan\"", " \"client\"", " \"keys\" \"*\""};

    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
        if (strncasecmp(line->text, fronts[i], strlen(fronts[i])) == 0)
            return true;
    }
    return false;
}

/* Whether answers to others, or messages, stand between its items: as in that of EXEC, not in
 * that of CLIENT TRACKINGINFO. */
static bool
holds_others(const struct answer *a)
{
    bool holds = false;

    for (size_t i = 0; i < a->nitems; i++)
        holds |= a->items[i].nitems > 0 || is_monitored(&a->items[i]);
    return holds && a->kind == '*' && !is_invalidation(a) && !says(a, "flags", 6);
}

void
heard_unfold(struct answer **heard, size_t *count)
{
    struct answer *all = NULL;
    size_t n = 0;

    for (size_t i = 0; i < *count; i++) {
        struct answer *a = &(*heard)[i];
        bool unfolds = holds_others(a);
        size_t nitems = unfolds ? a->nitems : 0;
        all = xrealloc(all, (n + 1 + nitems) * sizeof *all);
        struct answer *front = &all[n];
        *front = *a;
        for (size_t j = 0; j < nitems; j++)
            all[n + 1 + j] = a->items[j];
        if (unfolds) {
            free(front->items);
            front->items = NULL;
            front->nitems = 0;
        }
        n += 1 + nitems;
    }
    free(*heard);
    *heard = all;
    *count = n;
}

/* Takes what a line tells. */
static void
take_line(struct answer *all, struct answer *line)
{
    strip(line);
    if (is_its_own(line)) {
        answer_deinit(line);
        return;
    }
    all->items = xrealloc(all->items, (all->nitems + 1) * sizeof *all->items);
    all->items[all->nitems++] = *line;
}

size_t
heard_gather(struct answer *heard, size_t count)
{
    struct answer keys = {.kind = '>'}, lines = {.kind = '>'};
    bool invalidated = false, monitored = false;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_invalidation(&heard[i])) {
            invalidated = true;
            take_keys(&keys, &heard[i].items[heard[i].nitems - 1]);
            answer_deinit(&heard[i]);
        } else if (is_monitored(&heard[i])) {
            monitored = true;
            take_line(&lines, &heard[i]);
        } else {
            heard[kept++] = heard[i];
        }
    }
    answer_sort_once(&keys);
    answer_sort(&lines);
    if (invalidated)
        heard[kept++] = keys;
    if (monitored)
        heard[kept++] = lines;
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
