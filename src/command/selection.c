/* selection: see selection.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/selection.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/number.h"
#include "command/host.h"
#include "keyspace/keyspace.h"

/* Whether it reads as an integer of any size: then it is never a name. */
static bool
is_integer(struct bytes word)
{
    size_t first = word.len > 0 && word.data[0] == '-' ? 1 : 0;

    if (word.len == first || (word.data[first] == '0' && word.len > 1))
        return false;
    for (size_t i = first; i < word.len; i++) {
        if (!isdigit((unsigned char)word.data[i]))
            return false;
    }
    return true;
}

static bool
is_refused(struct host *h, struct bytes name)
{
    struct bytes words[CONFIG_LINE_ARGS];
    struct buf text = {0};
    bool refused = false;

    int count = config_split(bytes_str(h->config->refused_store_names), &text, words,
                             CONFIG_LINE_ARGS);
    for (int i = 0; i < count && !refused; i++)
        refused = bytes_eq(words[i], name);
    buf_deinit(&text);
    return refused;
}

enum err
selection_store(struct host *h, struct bytes word, struct store **store)
{
    int64_t number;

    if (is_integer(word)) {
        if (!number_parse(word, &number))
            return ERR_NOT_INTEGER;
        if (number < INT32_MIN || number > INT32_MAX)
            return ERR_STORE_NUMBER;
        if (number < 0 || number >= h->config->databases)
            return ERR_STORE_INDEX;
    } else {
        if (word.len > STORE_NAME_MAX)
            return ERR_STORE_NAME;
        if (is_refused(h, word))
            return ERR_STORE_REFUSED;
    }
    *store = keyspace_store(h->keyspace, word);
    return OK;
}

/* Those that keyspace_each_store is asked for. */
struct chosen {
    int64_t databases;     /* numbers from here on are none; -1: names are chosen too */
    struct store **stores; /* NULL while they are only counted */
    size_t count;
};

static int64_t
number_of(const struct store *s)
{
    int64_t number;
    return number_parse(store_name(s), &number) ? number : -1;
}

static void
choose(void *arg, struct store *s)
{
    struct chosen *all = arg;
    int64_t number = number_of(s);

    if (all->databases >= 0 && (number < 0 || number >= all->databases))
        return;
    if (all->stores != NULL)
        all->stores[all->count] = s;
    all->count++;
}

static int
compare_numbers(const void *a, const void *b)
{
    int64_t left = number_of(*(struct store *const *)a);
    int64_t right = number_of(*(struct store *const *)b);
    return (left > right) - (left < right);
}

static int
compare_names(const void *a, const void *b)
{
    return bytes_cmp(store_name(*(struct store *const *)a),
                     store_name(*(struct store *const *)b));
}

static struct store **
sorted(struct call *c, int64_t databases, int (*compare)(const void *, const void *),
       size_t *count)
{
    struct chosen all = {.databases = databases};

    keyspace_each_store(c->host->keyspace, choose, &all);
    all.stores = arena_alloc(c->scratch, (all.count + 1) * sizeof(struct store *));
    all.count = 0;
    keyspace_each_store(c->host->keyspace, choose, &all);
    qsort(all.stores, all.count, sizeof(struct store *), compare);
    *count = all.count;
    return all.stores;
}

struct store **
selection_numbered(struct call *c, size_t *count)
{
    return sorted(c, c->host->config->databases, compare_numbers, count);
}

struct store **
selection_all(struct call *c, size_t *count)
{
    return sorted(c, -1, compare_names, count);
}
