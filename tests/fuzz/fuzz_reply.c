/*
 * fuzz_reply: what the writer wrote is read back, RESP2 by hiredis and RESP3 by the
 * tests' own reader. The input is a list of replies: a byte for the kind, a length, and a
 * text, which is the number too. They become the elements of one array.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "lib/answer.h"
#include "resp/reply.h"
#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

enum kind { INT, BULK, ERROR, NULLS, BOOL, DOUBLE, VERBATIM, MAP, NKINDS };

struct element {
    enum kind kind;
    struct bytes text;
    int64_t number;
    double real;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
next_element(struct bytes *input, struct element *e)
{
    if (input->len < 2)
        return false;
    size_t len = (unsigned char)input->data[1];
    if (len > input->len - 2)
        len = input->len - 2;
    *e = (struct element){(unsigned char)input->data[0] % NKINDS,
                          bytes_of(input->data + 2, len), 0, 0};
    memcpy(&e->number, e->text.data, len < sizeof(e->number) ? len : sizeof(e->number));
    memcpy(&e->real, e->text.data, len < sizeof(e->real) ? len : sizeof(e->real));
    *input = bytes_of(input->data + 2 + len, input->len - 2 - len);
    return true;
}

static void
write_element(struct reply *r, const struct element *e)
{
    switch (e->kind) {
    case INT:
        return reply_int(r, e->number);
    case BULK:
        return reply_bulk(r, e->text);
    case ERROR:
        return reply_error(r, e->text);
    case NULLS:
        return reply_null(r);
    case BOOL:
        return reply_bool(r, e->number != 0);
    case DOUBLE:
        return reply_double(r, e->real);
    case VERBATIM:
        return reply_verbatim(r, "txt", e->text);
    default:
        reply_map(r, 1);
        reply_bulk_int(r, e->number);
        reply_null_array(r);
    }
}

static struct buf
write_all(struct bytes input, int protocol)
{
    struct bytes rest = input;
    struct element e;
    struct buf out = {0};
    struct reply r = {.out = &out, .protocol = protocol};
    size_t count = 0;

    while (next_element(&rest, &e))
        count++;
    reply_array(&r, count);
    while (next_element(&input, &e))
        write_element(&r, &e);
    return out;
}

static bool
same_double(const char *text, double real)
{
    double got = strtod(text, NULL);
    return got == real || (got != got && real != real);
}

static void
check_resp2(const redisReply *got, const struct element *e)
{
    static const int types[NKINDS] = {
        [INT] = REDIS_REPLY_INTEGER,     [BULK] = REDIS_REPLY_STRING,
        [ERROR] = REDIS_REPLY_ERROR,     [NULLS] = REDIS_REPLY_NIL,
        [BOOL] = REDIS_REPLY_INTEGER,    [DOUBLE] = REDIS_REPLY_STRING,
        [VERBATIM] = REDIS_REPLY_STRING, [MAP] = REDIS_REPLY_ARRAY};

    assert(got->type == types[e->kind]);
    if (e->kind == INT)
        assert(got->integer == e->number);
    if (e->kind == BOOL)
        assert(got->integer == (e->number != 0));
    if (e->kind == BULK || e->kind == VERBATIM)
        assert(bytes_eq(bytes_of(got->str, (size_t)got->len), e->text));
    if (e->kind == DOUBLE)
        assert(same_double(got->str, e->real));
    if (e->kind == MAP)
        assert(got->elements == 2 && got->element[1]->type == REDIS_REPLY_NIL);
}

static void
check_resp3(const struct answer *got, const struct element *e)
{
    assert(got->kind == ":$-_#,=%"[e->kind]);
    if (e->kind == INT)
        assert(strtoll(got->text, NULL, 10) == e->number);
    if (e->kind == BULK)
        assert(bytes_eq(bytes_of(got->text, got->len), e->text));
    if (e->kind == DOUBLE)
        assert(same_double(got->text, e->real));
    if (e->kind == MAP)
        assert(got->nitems == 2 && got->items[1].null);
}

static void
read_resp2(struct bytes input)
{
    struct buf out = write_all(input, 2);
    redisReader *reader = redisReaderCreate();
    struct element e;
    void *read = NULL;

    redisReaderFeed(reader, out.data, out.len);
    assert(redisReaderGetReply(reader, &read) == REDIS_OK && read != NULL);
    const redisReply *got = read;
    for (size_t i = 0; next_element(&input, &e); i++) {
        assert(i < got->elements);
        check_resp2(got->element[i], &e);
    }
    freeReplyObject(read);
    assert(redisReaderGetReply(reader, &read) == REDIS_OK && read == NULL);
    redisReaderFree(reader);
    buf_deinit(&out);
}

static void
read_resp3(struct bytes input)
{
    struct buf out = write_all(input, 3);
    struct answer got;
    struct element e;

    assert(answer_read(buf_bytes(&out), &got) == (ssize_t)out.len);
    for (size_t i = 0; next_element(&input, &e); i++) {
        assert(i < got.nitems);
        check_resp3(&got.items[i], &e);
    }
    answer_deinit(&got);
    buf_deinit(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_resp2(bytes_of((const char *)data, size));
    read_resp3(bytes_of((const char *)data, size));
    return 0;
}
