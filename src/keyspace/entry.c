/* See entry.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "keyspace/entry.h"
#include "base/mem.h"
#include "keyspace/keyspace.h"
#include <assert.h>
#include <malloc.h>

#define WASTE_MAX 64 /* bytes an entry may keep beyond what it needs, */
#define WASTE_OF  64 /* and one more for each so many: large ones have whole pages */

struct entry *
entry_new(struct bytes key, uint8_t type, size_t value_len)
{
    struct entry *e = xmalloc(sizeof *e + key.len + value_len);

    assert(key.len <= UINT32_MAX && value_len <= UINT32_MAX);
    e->stamp = 0;
    e->deadline = 0;
    e->key_len = (uint32_t)key.len;
    e->value_len = (uint32_t)value_len;
    e->type = type & ENTRY_TYPE_MAX;
    e->partial = false;
    e->referenced = true;
    e->form = FORM_SET;
    e->looked = 0;
    memcpy(e->data, key.data, key.len);
    return e;
}

struct entry *
entry_resize(struct entry *e, size_t value_len)
{
    assert(value_len <= UINT32_MAX);
    e = xrealloc(e, sizeof *e + e->key_len + value_len);
    e->value_len = (uint32_t)value_len;
    return e;
}

bool
entry_fits(const struct entry *e, size_t value_len)
{
    size_t need = sizeof *e + e->key_len + value_len;
    size_t have = malloc_usable_size((void *)e);

    return need <= have && have - need <= WASTE_MAX + need / WASTE_OF;
}

size_t
entry_memory(const struct entry *e)
{
    return malloc_usable_size((void *)e) + sizeof(size_t);
}

enum type
entry_type(const struct entry *e)
{
    return (enum type)e->type;
}

struct bytes
entry_key(const struct entry *e)
{
    return bytes_of(e->data, e->key_len);
}

struct bytes
entry_string(const struct entry *e)
{
    assert(e->type == TYPE_STRING && !e->partial);
    return bytes_of(e->data + e->key_len, e->value_len);
}

int64_t
entry_deadline(const struct entry *e)
{
    return e->deadline;
}

enum string_form
entry_form(const struct entry *e)
{
    return (enum string_form)e->form;
}

int64_t
entry_idle(const struct entry *e, int64_t now)
{
    return (uint32_t)(now / 1000 - e->looked) & ENTRY_LOOKED_MAX;
}
