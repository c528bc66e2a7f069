/* field: see field.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/field.h"

#include "base/number.h"
#include "value/bits.h"

bool
field_parse(struct bytes text, struct field *f)
{
    int64_t bits;

    if (text.len == 0 || (text.data[0] != 'i' && text.data[0] != 'u'))
        return false;
    f->is_signed = text.data[0] == 'i';
    if (!number_parse(bytes_of(text.data + 1, text.len - 1), &bits))
        return false;
    if (bits < 1 || bits > (f->is_signed ? 64 : 63))
        return false;
    f->bits = (unsigned)bits;
    return true;
}

/* What the lowest bits of a number mean in the field. */
static int64_t
wrapped(struct field f, uint64_t number)
{
    unsigned unused = 64 - f.bits;

    if (f.is_signed)
        return (int64_t)(number << unused) >> unused;
    return (int64_t)(number << unused >> unused);
}

int64_t
field_get(struct field f, struct bytes s, uint64_t at)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < f.bits; i++)
        number = number << 1 | bits_get(s, at + i);
    return wrapped(f, number);
}

void
field_put(struct field f, char *bytes, uint64_t at, int64_t number)
{
    for (unsigned i = 0; i < f.bits; i++)
        bits_put(bytes, at + i, (uint64_t)number >> (f.bits - 1 - i) & 1);
}

static int64_t
greatest(struct field f)
{
    return INT64_MAX >> (f.is_signed ? 64 - f.bits : 63 - f.bits);
}

static int64_t
least(struct field f)
{
    return f.is_signed ? -greatest(f) - 1 : 0;
}

/* See field_add. */
static bool
is_too_low(struct field f, int64_t value)
{
    int64_t room;

    if (value >= 0 || (f.is_signed && f.bits == 64))
        return false;
    return !f.is_signed || __builtin_sub_overflow(greatest(f), value, &room);
}

bool
field_add(struct field f, enum field_overflow overflow, int64_t value, int64_t delta,
          int64_t *sum)
{
    bool beyond = __builtin_add_overflow(value, delta, sum);
    bool over = beyond ? delta > 0 : *sum > greatest(f);
    bool under = beyond ? delta < 0 : *sum < least(f);

    if (is_too_low(f, value)) {
        over = true;
        under = false;
    }
    if (!over && !under)
        return true;
    if (overflow == FIELD_SATURATE)
        *sum = over ? greatest(f) : least(f);
    else
        *sum = wrapped(f, (uint64_t)*sum);
    return overflow != FIELD_FAIL;
}
