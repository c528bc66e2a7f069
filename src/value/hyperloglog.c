/*
 * See hyperloglog.h. How runs are split and joined decides the bytes that clients see, so
 * it is done as Redis does it:
 *
 *   a run that a register is raised in becomes what is before, the register, what is
 *   behind; then, from the run before on, five times: values that are equal and together
 *   no longer than a run can be are joined, else the next run is looked at.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/hyperloglog.h"

#include <assert.h>
#include <endian.h>
#include <math.h>

#define MAGIC       "HYLL"
#define MAGIC_LEN   4
#define ENCODING_AT 4
#define COUNT_AT    8
#define HEAD        16

#define DENSE  0
#define SPARSE 1

#define INDEX_BITS    14
#define RANK_BITS     (64 - INDEX_BITS) /* of the hash, where a 1 is looked for */
#define RANK_MAX      (RANK_BITS + 1)
#define REGISTER_BITS 6
#define REGISTER_MAX  63
#define DENSE_LEN     (HEAD + HLL_REGISTERS * REGISTER_BITS / 8)

#define ZERO_MAX       64 /* registers in a run of one byte */
#define LONG_ZERO_MAX  HLL_REGISTERS
#define VALUE_RUN_MAX  4
#define SPARSE_MAX     32 /* the highest value a run can have */
#define SPLIT_MAX      5  /* bytes that a run becomes */
#define JOIN_STEPS     5
#define COUNT_OUTDATED (UINT64_C(1) << 63)

#define HASH_SEED UINT64_C(0xadc83b19)
#define HASH_MUL  UINT64_C(0xc6a4a7935bd1e995)

#define ALPHA 0.721347520444481703680 /* 1 / (2 ln 2) */

/* --- the head --- */

static uint8_t
byte_at(struct bytes bytes, size_t at)
{
    assert(at < bytes.len);
    return (uint8_t)bytes.data[at];
}

bool
hll_is_one(struct bytes bytes)
{
    if (bytes.len < HEAD || memcmp(bytes.data, MAGIC, MAGIC_LEN) != 0)
        return false;
    switch (byte_at(bytes, ENCODING_AT)) {
    case DENSE:
        return bytes.len == DENSE_LEN;
    case SPARSE:
        return true;
    default:
        return false;
    }
}

bool
hll_is_dense(struct bytes hll)
{
    return byte_at(hll, ENCODING_AT) == DENSE;
}

bool
hll_has_count(struct bytes hll, uint64_t *count)
{
    uint64_t le;

    assert(hll.len >= HEAD);
    memcpy(&le, hll.data + COUNT_AT, sizeof le);
    *count = le64toh(le);
    return (*count & COUNT_OUTDATED) == 0;
}

void
hll_set_count(struct buf *hll, uint64_t count)
{
    uint64_t le = htole64(count);

    assert(hll->len >= HEAD);
    memcpy(hll->data + COUNT_AT, &le, sizeof le);
}

void
hll_forget_count(struct buf *hll)
{
    uint64_t count;

    if (hll_has_count(buf_bytes(hll), &count))
        hll_set_count(hll, count | COUNT_OUTDATED);
}

/* --- runs --- */

/* Equal registers that stand together in a sparse one. */
struct run {
    size_t at;   /* where its bytes begin */
    size_t size; /* how many they are */
    unsigned len;
    uint8_t value;
};

/* The run that begins at run->at. False: it is cut short. */
static bool
read_run(struct bytes hll, struct run *run)
{
    uint8_t byte = byte_at(hll, run->at);

    run->size = 1;
    run->value = 0;
    if (byte & 0x80) {
        run->value = (byte >> 2 & 0x1f) + 1;
        run->len = (byte & 0x03) + 1;
    } else if (byte & 0x40) {
        run->size = 2;
        if (hll.len - run->at < run->size)
            return false;
        run->len = ((byte & 0x3fu) << 8 | byte_at(hll, run->at + 1)) + 1;
    } else {
        run->len = byte + 1u;
    }
    return true;
}

/* Writes a run; gives how many bytes it took. */
static size_t
write_run(char *to, uint8_t value, unsigned len)
{
    assert(len >= 1 && value <= SPARSE_MAX);
    if (value > 0) {
        assert(len <= VALUE_RUN_MAX);
        to[0] = (char)(0x80 | (value - 1) << 2 | (len - 1));
        return 1;
    }
    if (len <= ZERO_MAX) {
        to[0] = (char)(len - 1);
        return 1;
    }
    assert(len <= LONG_ZERO_MAX);
    to[0] = (char)(0x40 | (len - 1) >> 8);
    to[1] = (char)((len - 1) & 0xff);
    return 2;
}

/* --- dense --- */

static uint8_t
dense_get(const char *registers, unsigned index)
{
    unsigned bit = index * REGISTER_BITS, shift = bit % 8;
    unsigned word = (uint8_t)registers[bit / 8];

    if (shift + REGISTER_BITS > 8)
        word |= (unsigned)(uint8_t)registers[bit / 8 + 1] << 8;
    return word >> shift & REGISTER_MAX;
}

static void
dense_put(char *registers, unsigned index, uint8_t value)
{
    unsigned bit = index * REGISTER_BITS, shift = bit % 8;
    unsigned mask = (unsigned)REGISTER_MAX << shift, word = (unsigned)value << shift;

    assert(value <= REGISTER_MAX);
    registers[bit / 8] = (char)(((unsigned)registers[bit / 8] & ~mask) | word);
    if (shift + REGISTER_BITS > 8)
        registers[bit / 8 + 1] =
            (char)(((unsigned)registers[bit / 8 + 1] & ~(mask >> 8)) | word >> 8);
}

static int
dense_raise(struct buf *hll, unsigned index, uint8_t value)
{
    char *registers = hll->data + HEAD;

    if (dense_get(registers, index) >= value)
        return 0;
    dense_put(registers, index, value);
    return 1;
}

/* --- from sparse to registers --- */

static void
gather(uint8_t *to, uint8_t value)
{
    if (*to < value)
        *to = value;
}

static int
sparse_gather(struct bytes hll, struct hll_registers *registers)
{
    struct run run = {.at = HEAD};
    unsigned index = 0;

    for (; run.at < hll.len; run.at += run.size) {
        if (!read_run(hll, &run) || run.len > HLL_REGISTERS - index)
            return -1;
        for (unsigned end = index + run.len; index < end; index++)
            gather(&registers->at[index], run.value);
    }
    return index == HLL_REGISTERS ? 0 : -1;
}

/* Four registers are three bytes. */
static void
dense_gather(struct bytes hll, struct hll_registers *registers)
{
    const uint8_t *from = (const uint8_t *)hll.data + HEAD;

    for (unsigned i = 0; i < HLL_REGISTERS; i += 4, from += 3) {
        unsigned word = from[0] | from[1] << 8 | (unsigned)from[2] << 16;
        for (unsigned j = 0; j < 4; j++)
            gather(&registers->at[i + j], word >> j * REGISTER_BITS & REGISTER_MAX);
    }
}

int
hll_gather(struct bytes hll, struct hll_registers *registers)
{
    if (!hll_is_dense(hll))
        return sparse_gather(hll, registers);
    dense_gather(hll, registers);
    return 0;
}

int
hll_make_dense(struct buf *hll)
{
    struct hll_registers registers = {0};

    if (hll_is_dense(buf_bytes(hll)))
        return 0;
    if (sparse_gather(buf_bytes(hll), &registers) != 0)
        return -1;
    hll->len = HEAD;
    memset(buf_reserve(hll, DENSE_LEN - HEAD), 0, DENSE_LEN - HEAD);
    hll->len = DENSE_LEN;
    hll->data[ENCODING_AT] = DENSE;
    for (unsigned i = 0; i < HLL_REGISTERS; i++)
        dense_put(hll->data + HEAD, i, registers.at[i]);
    return 0;
}

/* --- sparse --- */

/* Where a register stands. */
struct spot {
    struct run run;  /* the run it is in */
    unsigned offset; /* which of the run's registers it is */
    size_t before;   /* where the run before begins, or this one if it is the first */
};

/* False: the runs end before. */
static bool
find_spot(struct bytes hll, unsigned index, struct spot *spot)
{
    struct run run = {.at = HEAD};
    unsigned first = 0;

    spot->before = HEAD;
    while (run.at < hll.len) {
        if (!read_run(hll, &run))
            return false;
        if (index - first < run.len) {
            spot->run = run;
            spot->offset = index - first;
            return true;
        }
        spot->before = run.at;
        first += run.len;
        run.at += run.size;
    }
    return false;
}

/* What the run becomes; gives how many bytes it is. */
static size_t
split(const struct spot *spot, uint8_t value, char to[SPLIT_MAX])
{
    unsigned behind = spot->run.len - spot->offset - 1;
    size_t size = 0;

    if (spot->offset > 0)
        size += write_run(to, spot->run.value, spot->offset);
    size += write_run(to + size, value, 1);
    if (behind > 0)
        size += write_run(to + size, spot->run.value, behind);
    return size;
}

static void
splice(struct buf *hll, const struct run *run, const char *bytes, size_t size)
{
    size_t end = run->at + run->size;

    buf_reserve(hll, size);
    memmove(hll->data + run->at + size, hll->data + end, hll->len - end);
    memcpy(hll->data + run->at, bytes, size);
    hll->len = hll->len - run->size + size;
}

/* Joins a run of a value with the next, where that gives a run. */
static bool
join(struct buf *hll, const struct run *run)
{
    struct run next = {.at = run->at + run->size};

    if (run->value == 0 || next.at >= hll->len || !read_run(buf_bytes(hll), &next)
        || next.value != run->value || run->len + next.len > VALUE_RUN_MAX)
        return false;
    write_run(hll->data + next.at, run->value, run->len + next.len);
    splice(hll, run, "", 0);
    return true;
}

static void
join_from(struct buf *hll, size_t at)
{
    struct run run = {.at = at};

    for (int i = 0; i < JOIN_STEPS && run.at < hll->len; i++) {
        if (!read_run(buf_bytes(hll), &run))
            return;
        if (!join(hll, &run))
            run.at += run.size;
    }
}

static int
promote(struct buf *hll, unsigned index, uint8_t value)
{
    if (hll_make_dense(hll) != 0)
        return -1;
    return dense_raise(hll, index, value);
}

static int
sparse_raise(struct buf *hll, unsigned index, uint8_t value, size_t sparse_max)
{
    char bytes[SPLIT_MAX];
    struct spot spot;

    if (value > SPARSE_MAX)
        return promote(hll, index, value);
    if (!find_spot(buf_bytes(hll), index, &spot))
        return -1;
    if (spot.run.value >= value)
        return 0;

    size_t size = split(&spot, value, bytes);
    if (size > spot.run.size && hll->len + size - spot.run.size > sparse_max)
        return promote(hll, index, value);
    splice(hll, &spot.run, bytes, size);
    join_from(hll, spot.before);
    return 1;
}

/* --- elements --- */

static uint64_t
mix(uint64_t word)
{
    word *= HASH_MUL;
    word ^= word >> 47;
    return word * HASH_MUL;
}

/* MurmurHash64A, of little endian words everywhere. */
static uint64_t
hash(struct bytes bytes)
{
    uint64_t h = HASH_SEED ^ (bytes.len * HASH_MUL);
    size_t at = 0;

    for (; bytes.len - at >= sizeof h; at += sizeof h) {
        uint64_t le;
        memcpy(&le, bytes.data + at, sizeof le);
        h = (h ^ mix(le64toh(le))) * HASH_MUL;
    }
    if (at < bytes.len) {
        uint64_t le = 0;
        memcpy(&le, bytes.data + at, bytes.len - at);
        h = (h ^ le64toh(le)) * HASH_MUL;
    }
    h = (h ^ h >> 47) * HASH_MUL;
    return h ^ h >> 47;
}

int
hll_raise(struct buf *hll, unsigned index, uint8_t value, size_t sparse_max)
{
    assert(index < HLL_REGISTERS && value >= 1 && value <= REGISTER_MAX);
    int raised = hll_is_dense(buf_bytes(hll))
                     ? dense_raise(hll, index, value)
                     : sparse_raise(hll, index, value, sparse_max);
    if (raised == 1)
        hll_forget_count(hll);
    return raised;
}

int
hll_add(struct buf *hll, struct bytes element, size_t sparse_max)
{
    uint64_t h = hash(element);
    uint64_t rest = h >> INDEX_BITS | UINT64_C(1) << RANK_BITS;

    return hll_raise(hll, h % HLL_REGISTERS, (uint8_t)(__builtin_ctzll(rest) + 1),
                     sparse_max);
}

void
hll_init(struct buf *hll)
{
    char *head = buf_reserve(hll, HEAD + 2);

    assert(hll->len == 0);
    memset(head, 0, HEAD);
    memcpy(head, MAGIC, MAGIC_LEN);
    head[ENCODING_AT] = SPARSE;
    hll->len = HEAD + write_run(head + HEAD, 0, HLL_REGISTERS);
}

/* --- the estimate --- */

/* x + the sum over k >= 1 of x^(2^k) * 2^(k - 1). */
static double
sigma(double x)
{
    double before, y = 1, z = x;

    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

/* (1 - x - the sum over k >= 1 of (1 - x^(2^-k))^2 * 2^-k) / 3. */
static double
tau(double x)
{
    double before, y = 1, z = 1 - x;

    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

uint64_t
hll_estimate(const struct hll_registers *registers)
{
    int with_value[REGISTER_MAX + 1] = {0};
    double m = HLL_REGISTERS;

    for (unsigned i = 0; i < HLL_REGISTERS; i++)
        with_value[registers->at[i]]++;
    double z = m * tau((m - with_value[RANK_MAX]) / m);
    for (int value = RANK_BITS; value >= 1; value--)
        z = 0.5 * (z + with_value[value]);
    z += m * sigma(with_value[0] / m);
    return (uint64_t)llroundl(ALPHA * m * m / z);
}
