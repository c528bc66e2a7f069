/* crc64: the checksum of Redis's dump format. Ours is checksum.h. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_CRC64_H
#define VALUE_CRC64_H

#include "base/bytes.h"
#include <stdint.h>

/* CRC-64 with Jones's polynomial 0xad93d23594c935a9, bits reflected, from 0. */
uint64_t crc64(struct bytes bytes);

#endif
