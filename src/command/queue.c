/* queue: see queue.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/queue.h"

#include <stdlib.h>

#include "base/mem.h"
#include "command/table.h"

static size_t
size_of_request(const struct bytes *argv, int argc)
{
    size_t size = sizeof(struct queued) + (size_t)argc * sizeof *argv;
    for (int i = 0; i < argc; i++)
        size += argv[i].len;
    return size;
}

static struct queued *
copy(const struct command *command, const struct bytes *argv, int argc, size_t size)
{
    struct queued *item = xmalloc(size);
    char *to = (char *)&item->argv[argc];

    item->command = command;
    item->argc = argc;
    for (int i = 0; i < argc; i++) {
        if (argv[i].len > 0)
            memcpy(to, argv[i].data, argv[i].len);
        item->argv[i] = bytes_of(to, argv[i].len);
        to += argv[i].len;
    }
    return item;
}

bool
queue_add(struct queue *q, const struct command *command, const struct bytes *argv,
          int argc, size_t max)
{
    size_t size = size_of_request(argv, argc);

    if (size > max || q->size + sizeof *q->items > max - size)
        return false;
    if (q->count == q->cap) {
        q->cap = q->cap > 0 ? 2 * q->cap : 8;
        q->items = xrealloc(q->items, q->cap * sizeof *q->items);
    }
    q->items[q->count++] = copy(command, argv, argc, size);
    q->size += size + sizeof *q->items;
    q->flags |= command->flags;
    return true;
}

void
queue_clear(struct queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(q->items[i]);
    free(q->items);
    *q = (struct queue){0};
}
