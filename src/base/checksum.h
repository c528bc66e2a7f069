/* checksum: tells whether bytes came back as they were written. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/bytes.h"
#include <stdint.h>

/* XXH3 of 64 bits. The seed says where they belong: the same bytes elsewhere have another. */
uint64_t checksum(struct bytes bytes, uint64_t seed);

#endif
