/* version: which keyvald this is. CMakeLists.txt reads the number from here. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define KEYVALD_VERSION "0.1.0"

#endif
