/* order.h: kernels that order the elements of a line: sorting, selecting, finding places in what is sorted.
 *
 * Every element gets an unsigned key whose order is PyTorch's: NaN above all, the two zeros equal, and reversed where
 * the order is descending. Elements that compare equal stay in the order of their positions.
 */
#ifndef GD_ORDER_H
#define GD_ORDER_H

#include "core/kernels/kernels.h"

/* One element of a line: its key and where it stood. */
typedef struct gd_ranked {
    uint64_t key;
    int64_t index;
} gd_ranked;

/* Keys of n elements, `stride` bytes apart. Any dtype. */
void gd_rank_line(gd_dtype dtype, const char *in, int64_t stride, int64_t n, bool descending, gd_ranked *out);
/* Sorts a stably; `other` has room for n more. The sorted elements are in the array it returns: a or other. */
gd_ranked *gd_rank_sort(gd_ranked *a, gd_ranked *other, int64_t n);
/* The element that sorting would put at place k, 0 <= k < n. Overwrites a. */
gd_ranked gd_rank_select(gd_ranked *a, int64_t n, int64_t k);
/* Moves the k first of the sorted order to the front of a, in the order of their positions; `other` has room for n. */
void gd_rank_front(gd_ranked *a, gd_ranked *other, int64_t n, int64_t k);

enum { GD_RANK_FEW = 64 };
/* The k first of the sorted order, in order, to `out`, without sorting; 0 < k <= n and k <= GD_RANK_FEW. */
void gd_rank_few(gd_dtype dtype, const char *in, int64_t stride, int64_t n, bool descending, int64_t k, gd_ranked *out);

/* The key of one element, ascending. */
uint64_t gd_order_key(gd_dtype dtype, const char *p);

#endif
