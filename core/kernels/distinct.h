/* distinct.h: the distinct elements of a line, in the order in which PyTorch's unsorted unique gives them. */
#ifndef GD_DISTINCT_H
#define GD_DISTINCT_H

#include "core/kernels/order.h"

/* How many buckets gd_distinct_walk needs for n elements. */
int64_t gd_distinct_buckets(int64_t n);
/* Positions of the first of each distinct value of n adjacent elements, into `order` (room for n); returns how many.
 * `room` holds n + gd_distinct_buckets(n) numbers. */
int64_t gd_distinct_walk(gd_dtype dtype, const char *in, int64_t n, int64_t *room, int64_t *order);

#endif
