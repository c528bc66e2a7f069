/* See filename.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/filename.h"
#include <ctype.h>
#include <stdio.h>

#define NAME_MAX_LEN                                                                     \
    (FILENAME_MAX_LEN - 40) /* room for the directory, 20 digits, dots, NUL */

static bool
is_plain(unsigned char c)
{
    return (c < 0x80 && isalnum(c)) || c == '-' || c == '_';
}

void
filename_make(struct bytes store, uint64_t generation, char out[FILENAME_MAX_LEN])
{
    char name[NAME_MAX_LEN + 1];
    size_t len = 0;

    for (size_t i = 0; i < store.len && len + 3 <= NAME_MAX_LEN; i++) {
        unsigned char c = (unsigned char)store.data[i];
        if (is_plain(c))
            name[len++] = (char)c;
        else
            len += (size_t)snprintf(name + len, 4, "%%%02X", c);
    }
    name[len] = '\0';
    snprintf(out, FILENAME_MAX_LEN, FILENAME_DIR "/%s.%llu.db", name,
             (unsigned long long)generation);
}

bool
filename_is_table(const char *entry)
{
    size_t len = strlen(entry);

    if (len < 5 || strcmp(entry + len - 3, ".db") != 0)
        return false;
    size_t at = len - 3;
    while (at > 0 && isdigit((unsigned char)entry[at - 1]))
        at--;
    return at < len - 3 && at > 0 && entry[at - 1] == '.';
}
