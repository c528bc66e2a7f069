/*
 * whole: which keys there are is asked of Redis; that keyvald has no others is what DBSIZE
 * says.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "whole.h"

#include "agree.h"
#include "base/mem.h"
#include <stdlib.h>

/* --- cursors --- */

static struct bytes
text_of(const struct answer *a)
{
    return bytes_of(a->text, a->len);
}

/* Moves the items of one answer behind those of another. */
static void
take_items(struct answer *to, struct answer *from)
{
    size_t size = (to->nitems + from->nitems + 1) * sizeof *to->items;

    to->items = xrealloc(to->items, size);
    for (size_t i = 0; i < from->nitems; i++)
        to->items[to->nitems++] = from->items[i];
    from->nitems = 0;
}

bool
scan_all(struct client *c, const struct request *first, void (*between)(void *arg),
         void *arg, struct answer *out)
{
    struct bytes argv[REQUEST_WORDS_MAX];
    char *cursor = NULL;

    *out = (struct answer){.kind = '*'};
    memcpy(argv, first->argv, (size_t)first->argc * sizeof *argv);
    do {
        struct answer page;
        bool answered = c != NULL && client_command(c, argv, first->argc, &page);
        free(cursor);
        if (!answered) {
            answer_deinit(out);
            return false;
        }
        if (page.nitems != 2) {
            answer_deinit(out);
            *out = page;
            return true;
        }
        take_items(out, &page.items[1]);
        cursor = bytes_dup(text_of(&page.items[0]));
        argv[1] = bytes_str(cursor);
        answer_deinit(&page);
        between(arg);
    } while (strcmp(cursor, "0") != 0);
    free(cursor);
    answer_sort_once(out);
    return true;
}

/* --- everything --- */

/* As keyvald calls them and as Redis does. */
static const char *const stores[][2] = {{"0", "0"},
                                        {"1", "1"},
                                        {"2", "2"},
                                        {"15", "15"},
                                        {OTHER_STORE_NAME, OTHER_STORE_NUMBER}};
static const struct {
    const char *command;
    enum check check;
} views[] = {{"TYPE", CHECK_SAME}, {"GET", CHECK_SAME}, {"PTTL", CHECK_DEADLINE}};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static void
report_two(struct buf *report, const char *what, struct bytes key,
           const struct answer answers[2])
{
    buf_printf(report, "they differ when everything is looked at\n> %s ", what);
    if (key.data != NULL)
        answer_quote(report, key);
    buf_printf(report, "\nkeyvald: ");
    answer_print(&answers[0], report);
    buf_printf(report, "redis: ");
    answer_print(&answers[1], report);
}

/* Whether both answer the same to what was sent to both. */
static bool
hear_both(struct client *const clients[2], const char *what, struct bytes key,
          enum check check, struct buf *report)
{
    struct answer answers[2] = {0};

    for (int i = 0; i < 2; i++) {
        if (!client_answer(clients[i], &answers[i])) {
            buf_printf(report, "%s hangs up when asked for %s\n",
                       i == 0 ? "keyvald" : "redis", what);
            answer_deinit(&answers[0]);
            return false;
        }
    }
    bool agree = answer_agrees(&answers[0], &answers[1], check);
    if (!agree)
        report_two(report, what, key, answers);
    answer_deinit(&answers[0]);
    answer_deinit(&answers[1]);
    return agree;
}

/* Asks both the same, but for the last word, which each has its own of, or NULL. */
static bool
ask_both(struct client *const clients[2], const char *what, const char *const words[2],
         struct buf *report)
{
    for (int i = 0; i < 2; i++) {
        struct bytes argv[] = {bytes_str(what), bytes_str(words != NULL ? words[i] : "")};
        struct buf out = {0};
        request_encode(&out, argv, words != NULL ? 2 : 1);
        client_send(clients[i], buf_bytes(&out));
        buf_deinit(&out);
    }
    return hear_both(clients, what, bytes_of(NULL, 0), CHECK_SAME, report);
}

static bool
look_at_keys(struct client *const clients[2], const struct answer *keys,
             struct buf *report)
{
    struct buf out = {0};
    bool agree = true;

    for (size_t i = 0; i < keys->nitems; i++) {
        for (size_t j = 0; j < COUNT_OF(views); j++) {
            struct bytes argv[] = {bytes_str(views[j].command), text_of(&keys->items[i])};
            request_encode(&out, argv, 2);
        }
    }
    for (int i = 0; i < 2 && agree; i++)
        agree = client_exchange(clients[i], buf_bytes(&out)) == 0;
    buf_deinit(&out);
    if (!agree)
        buf_printf(report, "a server hangs up when everything is looked at\n");
    for (size_t i = 0; i < keys->nitems * COUNT_OF(views) && agree; i++)
        agree = hear_both(clients, views[i % COUNT_OF(views)].command,
                          text_of(&keys->items[i / COUNT_OF(views)]),
                          views[i % COUNT_OF(views)].check, report);
    return agree;
}

static bool
look_at_store(struct client *const clients[2], const char *const names[2],
              struct buf *report)
{
    struct bytes list[] = {bytes_str("KEYS"), bytes_str("*")};
    struct answer keys;

    bool agree = ask_both(clients, "SELECT", names, report);
    if (agree && client_command(clients[1], list, 2, &keys)) {
        agree = look_at_keys(clients, &keys, report)
                && ask_both(clients, "DBSIZE", NULL, report);
        answer_deinit(&keys);
    }
    if (!agree)
        buf_printf(report, "in store %s\n", names[1]);
    return agree;
}

/* What INFO keyspace says of the stores that have numbers on both sides: how many keys, how
 * many of them expire. Appends a line for each. */
static void
read_counts(struct client *c, struct buf *out)
{
    struct bytes argv[] = {bytes_str("INFO"), bytes_str("keyspace")};
    struct answer info;

    if (!client_command(c, argv, 2, &info))
        return;
    for (char *line = strtok(info.text, "\r\n"); line != NULL;
         line = strtok(NULL, "\r\n")) {
        const char *end = strstr(line, ",avg_ttl");
        if (end != NULL && strncmp(line, "db" OTHER_STORE_NUMBER ":", 4) != 0)
            buf_printf(out, "%.*s\n", (int)(end - line), line);
    }
    answer_deinit(&info);
}

static bool
look_at_counts(struct client *const clients[2], struct buf *report)
{
    struct buf counts[2] = {0};

    for (int i = 0; i < 2; i++)
        read_counts(clients[i], &counts[i]);
    bool agree = bytes_eq(buf_bytes(&counts[0]), buf_bytes(&counts[1]));
    if (!agree)
        buf_printf(report,
                   "they differ when everything is looked at\n> INFO keyspace\n"
                   "keyvald: %.*sredis: %.*s",
                   (int)counts[0].len, counts[0].data, (int)counts[1].len,
                   counts[1].data);
    buf_deinit(&counts[0]);
    buf_deinit(&counts[1]);
    return agree;
}

bool
look_at_everything(struct client *keyvald, struct client *redis, struct buf *report)
{
    struct client *const clients[2] = {keyvald, redis};
    bool agree = keyvald != NULL && redis != NULL;

    if (!agree)
        buf_printf(report, "nobody listens\n");
    for (size_t i = 0; i < COUNT_OF(stores) && agree; i++)
        agree = look_at_store(clients, stores[i], report);
    return agree && look_at_counts(clients, report);
}
