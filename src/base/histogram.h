/*
 * histogram: how often each value came, with a hundredth of precision. Counts are kept
 * for 128 values (or runs of values) between each power of two and the next, so that
 * noting one takes no longer for a large value than for a small one.
 */
// SPDX-License-Identifier: BSD-3-Clause
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_MAX INT64_C(1000000000) /* larger values are noted as this one */

struct histogram;

struct histogram *histogram_new(void);
void histogram_free(struct histogram *h);

/* Notes a value, which is not negative. */
void histogram_add(struct histogram *h, int64_t value);

/* How many values were noted. */
uint64_t histogram_count(const struct histogram *h);

/* The greatest value that is counted together with this one. */
int64_t histogram_upper(int64_t value);

/* How many values were noted up to histogram_upper(value). */
uint64_t histogram_count_to(const struct histogram *h, int64_t value);

/* The value that `percent` of those that were noted do not exceed; 0 where none was. */
int64_t histogram_percentile(const struct histogram *h, double percent);

#endif
