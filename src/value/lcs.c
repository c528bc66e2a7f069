/*
 * lcs: the table of the lengths that the beginnings of a and b have in common, row by row.
 * Only one row is kept. Of the others one bit a field is kept, which says where the way
 * back goes when the two bytes differ: up, to a shorter beginning of a, if that has more in
 * common, else to the left, to a shorter beginning of b.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/lcs.h"

#include <assert.h>

#include "base/arena.h"

struct table {
    struct bytes a, b;
    uint64_t *ups; /* a bit a field, row after row */
    uint32_t *row; /* lengths; the first is that of nothing */
};

uint64_t
lcs_cost(struct bytes a, struct bytes b)
{
    return (uint64_t)(a.len + 1) * (b.len + 1) * sizeof(uint32_t);
}

static bool
goes_up(const struct table *t, size_t i, size_t j)
{
    uint64_t at = (uint64_t)i * t->b.len + j;

    return t->ups[at / 64] >> at % 64 & 1;
}

static void
fill_row(const struct table *t, size_t i)
{
    const char *b = t->b.data, byte = t->a.data[i];
    size_t len = t->b.len;
    uint64_t *ups = t->ups, at = (uint64_t)i * len;
    uint32_t *row = t->row, left = 0, diagonal = 0;

    for (size_t j = 0; j < len; j++, at++) {
        uint32_t up = row[j + 1];
        ups[at / 64] |= (uint64_t)(up > left) << at % 64;
        left = byte == b[j] ? diagonal + 1 : up > left ? up : left;
        row[j + 1] = left;
        diagonal = up;
    }
}

/* Takes a matching byte at the end of what is left of both; it lengthens the run that was
 * found last if it stands right before it. */
static void
take(struct lcs *out, size_t a, size_t b)
{
    struct lcs_match *next = &out->matches[out->nmatches];
    struct lcs_match *last = out->nmatches > 0 ? next - 1 : NULL;

    if (last != NULL && last->a == a + 1 && last->b == b + 1) {
        last->a--;
        last->b--;
        last->len++;
    } else {
        *next = (struct lcs_match){a, b, 1};
        out->nmatches++;
    }
}

static void
walk_back(const struct table *t, char *text, struct lcs *out)
{
    size_t i = t->a.len, j = t->b.len, left = out->text.len;

    while (i > 0 && j > 0) {
        if (t->a.data[i - 1] == t->b.data[j - 1]) {
            i--;
            j--;
            text[--left] = t->a.data[i];
            take(out, i, j);
        } else if (goes_up(t, i - 1, j - 1)) {
            i--;
        } else {
            j--;
        }
    }
    assert(left == 0);
}

void
lcs_find(struct arena *scratch, struct bytes a, struct bytes b, struct lcs *out)
{
    struct table t = {.a = a, .b = b};

    *out = (struct lcs){.text = bytes_of("", 0)};
    if (a.len == 0 || b.len == 0)
        return;
    size_t ups_size = (size_t)((uint64_t)a.len * b.len / 64 + 1) * sizeof *t.ups;
    size_t row_size = (b.len + 1) * sizeof *t.row;
    t.ups = arena_alloc(scratch, ups_size);
    t.row = arena_alloc(scratch, row_size);
    memset(t.ups, 0, ups_size);
    memset(t.row, 0, row_size);
    for (size_t i = 0; i < a.len; i++)
        fill_row(&t, i);

    size_t len = t.row[b.len];
    char *text = arena_alloc(scratch, len);
    out->text = bytes_of(text, len);
    out->matches = arena_alloc(scratch, len * sizeof *out->matches);
    walk_back(&t, text, out);
}
