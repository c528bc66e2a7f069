/* crc64: against the definition, bit by bit. */
// SPDX-License-Identifier: BSD-3-Clause
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "value/crc64.h"

#define POLYNOMIAL UINT64_C(0x95ac9329ac4bc9b5) /* 0xad93d23594c935a9, reflected */

static void
test_crc64_of_the_check_string(void **state)
{
    (void)state;
    assert_true(crc64(bytes_str("123456789")) == UINT64_C(0xe9c6d914c4b8d9ca));
    assert_true(crc64(bytes_str("")) == 0);
}

static uint64_t
defined(struct bytes bytes)
{
    uint64_t crc = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (uint8_t)bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    }
    return crc;
}

static void
test_crc64_is_as_it_is_defined(void **state)
{
    char bytes[512];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t len = 0; len <= sizeof bytes; len++)
        assert_true(crc64(bytes_of(bytes, len)) == defined(bytes_of(bytes, len)));
    for (int byte = 0; byte < 256; byte++) {
        bytes[0] = (char)byte;
        assert_true(crc64(bytes_of(bytes, 1)) == defined(bytes_of(bytes, 1)));
    }
}

static void
test_crc64_of_a_long_run_is_as_it_is_defined(void **state)
{
    static char bytes[20000];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t len = sizeof bytes - 16; len <= sizeof bytes; len++)
        assert_true(crc64(bytes_of(bytes, len)) == defined(bytes_of(bytes, len)));
    assert_true(crc64(bytes_of(bytes + 1, 16384)) == defined(bytes_of(bytes + 1, 16384)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc64_of_the_check_string),
        cmocka_unit_test(test_crc64_is_as_it_is_defined),
        cmocka_unit_test(test_crc64_of_a_long_run_is_as_it_is_defined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
