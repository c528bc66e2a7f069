/*
 * fuzz_dump: any bytes, given the right checksum, are a value or none, nothing beyond
 * them is read, and what was read is written so that it is read again. Without the
 * checksum they are refused.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "value/dump.h"
#include "value/crc64.h"
#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#define TAIL 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of the body with a tail, in memory of exactly that length. */
static struct bytes
seal(const uint8_t *body, size_t len)
{
    uint16_t version = htole16(DUMP_VERSION);
    char *payload = malloc(len + TAIL);

    if (payload == NULL)
        abort();
    memcpy(payload, body, len);
    memcpy(payload + len, &version, sizeof version);
    uint64_t checksum = htole64(crc64(bytes_of(payload, len + sizeof version)));
    memcpy(payload + len + sizeof version, &checksum, sizeof checksum);
    return bytes_of(payload, len + TAIL);
}

static void
write_again(struct bytes string)
{
    struct buf payload = {0}, scratch = {0};
    struct bytes again;

    dump_encode(&payload, string);
    assert(dump_is_whole(buf_bytes(&payload)));
    assert(dump_decode(buf_bytes(&payload), &scratch, &again) == 0);
    assert(bytes_eq(again, string));
    buf_deinit(&payload);
    buf_deinit(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes payload = seal(data, size), string;
    struct buf scratch = {0};

    dump_is_whole(bytes_of((const char *)data, size));
    assert(dump_is_whole(payload));
    if (dump_decode(payload, &scratch, &string) == 0)
        write_again(string);
    buf_deinit(&scratch);
    ((char *)payload.data)[payload.len - 1] ^= 1;
    assert(!dump_is_whole(payload));
    free((char *)payload.data);
    return 0;
}
