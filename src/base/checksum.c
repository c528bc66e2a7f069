/* See checksum.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
checksum(struct bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.len, seed);
}
