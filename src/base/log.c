/*
 * log: a line is put together on the stack and written by one call, so that lines of
 * several threads, or of several processes that append to one file, do not mix.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024 /* bytes in a line; what is longer is cut */

static _Atomic int lowest = LOG_NOTICE;

/* The mutex keeps the file open while a line is written to it. */
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;
static int file = STDOUT_FILENO;

void
log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

bool
log_set_file(const char *path)
{
    int fresh = STDOUT_FILENO;
    if (path != NULL && path[0] != '\0')
        fresh = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fresh < 0)
        return false;

    pthread_mutex_lock(&file_lock);
    int old = file;
    file = fresh;
    pthread_mutex_unlock(&file_lock);
    if (old != STDOUT_FILENO)
        close(old);
    return true;
}

/* "pid:M 23 Nov 2026 05:21:55.123 * "; gives its length. */
static size_t
format_head(char *line, size_t size, enum log_level level)
{
    struct timespec now;
    struct tm local;
    char date[64];

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    strftime(date, sizeof(date), "%d %b %Y %H:%M:%S", &local);
    return (size_t)snprintf(line, size, "%d:M %s.%03d %c ", (int)getpid(), date,
                            (int)(now.tv_nsec / 1000000), ".-*#"[level]);
}

static void
write_line(const char *line, size_t len)
{
    pthread_mutex_lock(&file_lock);
    /* Nobody is left to be told when the log itself cannot be written. */
    ssize_t written = write(file, line, len);
    (void)written;
    pthread_mutex_unlock(&file_lock);
}

void
log_line(enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list args;

    if ((int)level < atomic_load_explicit(&lowest, memory_order_relaxed))
        return;
    size_t len = format_head(line, sizeof(line), level);
    va_start(args, format);
    int text_len = vsnprintf(line + len, sizeof(line) - len, format, args);
    va_end(args);
    if (text_len < 0)
        return;

    len += (size_t)text_len;
    if (len > sizeof(line) - 1)
        len = sizeof(line) - 1;
    line[len++] = '\n';
    write_line(line, len);
}
