/* bags.h: sums, averages and greatest elements of rows that indices name, bag by bag, and their gradients; the same for
 * runs of rows that follow one another. Nothing here checks bounds: callers have. Float dtypes. */
#ifndef GD_BAGS_H
#define GD_BAGS_H

#include "core/tensor/tensor.h"

typedef enum gd_bag_mode { GD_BAG_SUM, GD_BAG_MEAN, GD_BAG_MAX } gd_bag_mode; /* PyTorch's numbers */

/* Bag b has the indices of which bag[i] is b; those equal to `padding` do not count. */
typedef struct gd_bags {
    gd_bag_mode mode;
    int64_t rows, width;  /* of the weight matrix */
    int64_t n, bags;      /* indices; bags */
    const int64_t *index; /* n */
    const int64_t *bag;   /* n, growing */
    int64_t padding;      /* a row, or -1 */
} gd_bags;

/* out (bags x width, zeroed), size (bags, zeroed) = how many count; most (bags x width, zeroed; MAX only) = the row
 * that has the greatest, the first of equals. `each` (n, or NULL): factors of the rows of a SUM. */
void gd_bags_read(gd_dtype dtype, const gd_bags *b, const void *weight, const void *each, void *out, int64_t *size,
                  int64_t *most);
/* Adds to out (rows x width): each row's part of grad (bags x width). counts (rows, or NULL): divides by how often the
 * row occurs. */
void gd_bags_slope(gd_dtype dtype, const gd_bags *b, const void *grad, const void *each, const int64_t *size,
                   const int64_t *most, const int64_t *counts, void *out);
/* out (n) = grad of the bag times the row: the gradient of `each`. */
void gd_bags_slope_each(gd_dtype dtype, const gd_bags *b, const void *grad, const void *weight, void *out);

typedef enum gd_segment_mode {
    GD_SEGMENT_SUM,
    GD_SEGMENT_MEAN,
    GD_SEGMENT_MAX,
    GD_SEGMENT_MIN,
    GD_SEGMENT_PROD
} gd_segment_mode;

/* Runs of rows of one outer position: run k has rows [start[k], start[k] + length[k]). */
typedef struct gd_segments {
    gd_segment_mode mode;
    int64_t width, segments;
    const int64_t *start, *length;
    bool has_initial;
    double initial;
} gd_segments;

void gd_segments_read(gd_dtype dtype, const gd_segments *s, const void *data, void *out);
/* Writes the gradient of the rows in segments; `out`: what read gave. */
void gd_segments_slope(gd_dtype dtype, const gd_segments *s, const void *data, const void *out, const void *grad,
                       void *data_grad);

#endif
