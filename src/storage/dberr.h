/* dberr: Berkeley DB's complaints, said once, in our log. The border of its return
 * codes. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef STORAGE_DBERR_H
#define STORAGE_DBERR_H

#include <db.h>

#define DBERR_TEXT_MAX 256

/* Lets the environment speak through log_line and keeps its last words for dberr_text. */
void dberr_attach(DB_ENV *env);

/* What went wrong, for the operator: the code's text, and the environment's last words
 * where they say more. Good until the thread's next call. */
const char *dberr_text(int code);

/* Logs "what: why" and gives -1. */
int dberr_log(int code, const char *what);

#endif
