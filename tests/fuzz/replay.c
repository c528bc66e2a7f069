/*
 * replay: runs a fuzz target over the files it is given and those in the directories it
 * is given, for compilers without libFuzzer. Each file is also given cut short, at as
 * many lengths as a second allows, since foreign bytes often end too early.
 */
// SPDX-License-Identifier: BSD-3-Clause
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INPUT_MAX (4 * 1024 * 1024) /* bytes of a file */
#define CUT_TIME  CLOCKS_PER_SEC    /* spent on cutting one file short */
#define PATH_BUF  4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A copy of exactly len bytes, so that a sanitizer sees the first byte read too many. */
static void
run_once(const char *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static int
run_file(const char *path)
{
    static char data[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    clock_t begin;
    size_t len;

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    len = fread(data, 1, sizeof(data), file);
    fclose(file);
    run_once(data, len);
    begin = clock();
    for (size_t cut = 0; cut < len && clock() - begin < CUT_TIME; cut++)
        run_once(data, cut);
    return 0;
}

static int
run_directory(const char *path, DIR *directory)
{
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(directory)) != NULL) {
        char name[PATH_BUF];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (run_file(name) != 0)
            return 1;
        count++;
    }
    printf("%s: %d files\n", path, count);
    return count == 0;
}

int
main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);

        failed |=
            directory != NULL ? run_directory(argv[i], directory) : run_file(argv[i]);
        if (directory != NULL)
            closedir(directory);
    }
    return failed;
}
