/* See listed.h: the keys that were found, as they stand in the reply. */
// SPDX-License-Identifier: BSD-3-Clause
#include "command/listed.h"

#include <assert.h>
#include <stdlib.h>

#include "base/glob.h"
#include "base/pages.h"
#include "resp/reply.h"

#define LONG_FROM  100000             /* keys, whose room is reserved at once: */
#define KEY_ROOM   32                 /* bytes for each, */
#define ROOM_MAX   (64 * 1024 * 1024) /* and so many at the most */
#define COPIED_MAX (64 * 1024) /* bytes; longer replies are moved where that can be */

/* The head of the reply's array. */
static struct buf
head_of(int64_t count)
{
    struct buf head = {0};
    struct reply reply = {.out = &head, .protocol = 2};

    reply_array(&reply, (size_t)count);
    return head;
}

void
found_expect(struct found *f, int64_t count)
{
    struct buf head = head_of(count);

    assert(f->text.len == 0);
    f->hole = head.len;
    if (count >= LONG_FROM) {
        buf_reserve(&f->text,
                    count < ROOM_MAX / KEY_ROOM ? (size_t)count * KEY_ROOM : ROOM_MAX);
        pages_keep_small(f->text.data, f->text.cap);
    }
    buf_append_bytes(&f->text, buf_bytes(&head));
    buf_deinit(&head);
}

bool
found_add(struct found *f, struct bytes key, enum type type)
{
    struct reply bulk = {.out = &f->text, .protocol = 2};

    if (f->wanted.type != 0 && (int)type != f->wanted.type)
        return true;
    if (f->wanted.pattern.data != NULL && !glob_match(f->wanted.pattern, key, false))
        return true;
    size_t cap = f->text.cap;
    reply_bulk(&bulk, key);
    if (f->text.cap != cap && f->text.cap >= PAGES_FROM)
        pages_keep_small(f->text.data, f->text.cap);
    return ++f->count != f->wanted.enough;
}

struct bytes
found_keys(const struct found *f)
{
    return bytes_of(f->text.data + f->hole, f->text.len - f->hole);
}

bool
found_next(struct bytes *keys, struct bytes *key)
{
    if (keys->len == 0)
        return false;

    const char *line_end = memchr(keys->data, '\n', keys->len);
    assert(keys->data[0] == '$' && line_end != NULL);
    size_t len = strtoul(keys->data + 1, NULL, 10);
    *key = bytes_of(line_end + 1, len);
    size_t taken = (size_t)(key->data - keys->data) + len + 2;
    *keys = bytes_of(keys->data + taken, keys->len - taken);
    return true;
}

/* The head goes into the hole, and the whole takes the place of the output, which is
 * empty. */
static void
move_reply(struct buf *out, struct found *f, struct bytes head)
{
    buf_consume(&f->text, f->hole - head.len);
    memcpy(f->text.data, head.data, head.len);
    buf_deinit(out);
    *out = f->text;
    f->text = (struct buf){0};
}

void
found_reply(struct call *c, struct found *f)
{
    struct buf *out = c->out->out, head = head_of((int64_t)f->count);

    if (f->text.len > COPIED_MAX && out->len == 0 && head.len <= f->hole) {
        move_reply(out, f, buf_bytes(&head));
    } else {
        buf_append_bytes(out, buf_bytes(&head));
        buf_append_bytes(out, found_keys(f));
    }
    buf_deinit(&head);
    found_deinit(f);
}

void
found_deinit(struct found *f)
{
    buf_deinit(&f->text);
    *f = (struct found){0};
}
