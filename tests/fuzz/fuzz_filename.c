/*
 * fuzz_filename: any name of a store gives a file in stores/ and nowhere else, which is
 * known as a table's. The input is a generation of 8 bytes and a name. What is left is
 * also taken for an entry of the directory, which is a table's or not.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/filename.h"
#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
assert_ends_like_a_table(const char *entry)
{
    size_t len = strlen(entry), digits = 0;

    assert(len >= 5 && memcmp(entry + len - 3, ".db", 3) == 0);
    while (strchr("0123456789", entry[len - 4 - digits]) != NULL)
        digits++;
    assert(digits > 0 && entry[len - 4 - digits] == '.');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char file[FILENAME_MAX_LEN];
    uint64_t generation = 0;

    if (size < sizeof generation)
        return 0;
    memcpy(&generation, data, sizeof generation);
    struct bytes name =
        bytes_of((const char *)data + sizeof generation, size - sizeof generation);

    filename_make(name, generation, file);
    assert(strnlen(file, sizeof file) < sizeof file);
    assert(memcmp(file, FILENAME_DIR "/", sizeof FILENAME_DIR) == 0);
    assert(strchr(file + sizeof FILENAME_DIR, '/') == NULL);
    assert(strstr(file, "..") == NULL);
    assert(filename_is_table(file + sizeof FILENAME_DIR));
    assert_ends_like_a_table(file + sizeof FILENAME_DIR);

    char *entry = strndup(name.data, name.len);
    if (filename_is_table(entry))
        assert_ends_like_a_table(entry);
    free(entry);
    return 0;
}
