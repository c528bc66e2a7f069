/* string: the limits of string values. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef VALUE_STRING_H
#define VALUE_STRING_H

#define STRING_MAX (512L * 1024 * 1024) /* bytes in a string, and in a key */

#endif
