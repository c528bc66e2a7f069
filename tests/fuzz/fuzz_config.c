/*
 * fuzz_config: any text loads or its error names the line and fits; what was loaded,
 * printed and loaded again, is the same.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "config/load_priv.h"
#include "lib/config_print.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
assert_reads_back(const struct config *c)
{
    struct config *again = config_new();
    struct buf printed = {0}, reprinted = {0};
    char error[CONFIG_ERROR_MAX];

    config_print(c, &printed);
    assert(load_text(again, buf_bytes(&printed), "printed", error) == 0);
    config_print(again, &reprinted);
    assert(bytes_eq(buf_bytes(&printed), buf_bytes(&reprinted)));
    buf_deinit(&printed);
    buf_deinit(&reprinted);
    config_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct config *c = config_new();
    char error[CONFIG_ERROR_MAX];

    if (load_text(c, bytes_of((const char *)data, len), "input", error) != 0) {
        assert(strnlen(error, CONFIG_ERROR_MAX) < CONFIG_ERROR_MAX - 1);
        assert(strstr(error, "input, at line ") != NULL);
    }
    assert_reads_back(c);
    config_free(c);
    return 0;
}
