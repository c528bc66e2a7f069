/* See dberr.h. */
// SPDX-License-Identifier: BSD-3-Clause
#include "storage/dberr.h"
#include "base/log.h"
#include <stdio.h>

#define LINES_MAX 3 /* logged of what one call has to say: some say one a page */

/* Each thread has the words it caused itself. */
static _Thread_local char last_words[DBERR_TEXT_MAX];
static _Thread_local char text[2 * DBERR_TEXT_MAX];
static _Thread_local int lines;

static void
hear(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    (void)prefix;
    snprintf(last_words, sizeof last_words, "%s", message);
    if (lines++ < LINES_MAX)
        log_line(LOG_WARNING, "Berkeley DB: %s", message);
}

void
dberr_attach(DB_ENV *env)
{
    env->set_errcall(env, hear);
}

const char *
dberr_text(int code)
{
    lines = 0;
    if (last_words[0] == '\0')
        return db_strerror(code);
    snprintf(text, sizeof text, "%s (%s)", db_strerror(code), last_words);
    last_words[0] = '\0';
    return text;
}

int
dberr_log(int code, const char *what)
{
    log_line(LOG_WARNING, "%s: %s", what, dberr_text(code));
    return -1;
}
