/* fixture: a configuration, and a file to load it from. */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include "config/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct config *c;
    char path[64]; /* of the file; empty at first */
    char error[CONFIG_ERROR_MAX];
};

static inline int
fixture_set_up(void **state)
{
    static struct fixture f;

    f = (struct fixture){.c = config_new(), .path = "/tmp/keyvald-config-XXXXXX"};
    int fd = mkstemp(f.path);
    close(fd);
    *state = &f;
    return fd < 0;
}

static inline int
fixture_tear_down(void **state)
{
    struct fixture *f = *state;

    unlink(f->path);
    config_free(f->c);
    return 0;
}

#define FIXTURE_TEST(f)                                                                  \
    cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)

static inline void
fixture_write(struct fixture *f, const void *text, size_t len)
{
    FILE *file = fopen(f->path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static inline int
fixture_load(struct fixture *f, const char *text)
{
    fixture_write(f, text, strlen(text));
    return config_load(f->c, f->path, f->error);
}

#endif
