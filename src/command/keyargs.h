/*
 * keyargs: where a request's keys stand among its arguments, and what says which store each
 * is in. As the row's columns say; a row with CMD_KEYARGS has a function of its own.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef COMMAND_KEYARGS_H
#define COMMAND_KEYARGS_H

#include "base/bytes.h"
#include <stdbool.h>

struct command;

/* Argument `key` is a key, of the store argument `store` names; 0: of the selected one.
 * False: the walk is to end. */
typedef bool keyargs_fn(void *arg, int key, int store);

/* Visits every key of a request, in the order of the arguments; one that is looked up in
 * two stores twice. False: it was ended. */
bool keyargs_walk(const struct command *cmd, const struct bytes *argv, int argc,
                  keyargs_fn *visit, void *arg);

/* How many keys MIGRATE names; 0 where it says where they are in two ways. They stand one
 * behind the other from argument *first on. */
int keyargs_migrate(const struct bytes *argv, int argc, int *first);

/* Argument of the key that SORT writes, the last where there are several; 0: none. */
int keyargs_sort_store(const struct bytes *argv, int argc);

#endif
