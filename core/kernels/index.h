/* index.h: loops that move whole elements by position: repeated, reversed, rolled, gathered and scattered.
 *
 * Nothing here checks bounds: callers have, before any element is written. Values are moved as bytes, except where
 * they are added. Offsets and strides are in elements unless a name says bytes.
 */
#ifndef GD_INDEX_H
#define GD_INDEX_H

#include "core/tensor/tensor.h"

/* out (contiguous) = t side by side; out's sizes are multiples of t's, aligned at the last dimension. */
void gd_repeat_values(gd_tensor *out, const gd_tensor *t);
/* out (contiguous, t's shape) at i = t at ((reversed or plain) i - shift) mod size, for each dimension. */
void gd_permute_entries(gd_tensor *out, const gd_tensor *t, const bool *flipped, const int64_t *shifts);
/* out = t, both contiguous, rotated by `shift` elements in [0, numel). */
void gd_rotate_values(gd_tensor *out, const gd_tensor *t, int64_t shift);
/* Zeroes what lies above (or below, `upper`: that is kept) a diagonal of the last two dimensions of a contiguous
 * tensor. */
void gd_clear_triangle(gd_tensor *out, int64_t diagonal, bool upper);

typedef struct gd_geometry {
    int ndim;
    const int64_t *sizes, *strides;
    int64_t offset;
} gd_geometry;
/* buffer (zeros, counts too) += src (contiguous) at geometry `from`; out (contiguous) = buffer at geometry `to`. Where
 * elements of the shared geometry (`to` if share_to, else `from`) coincide, each counts for its part. */
void gd_strided_map(gd_tensor *out, const gd_tensor *src, double *buffer, double *counts, gd_geometry from,
                    gd_geometry to, bool share_to);

/* Where index tensors point: the result of indexing has dimensions before…, the indexed block (flattened), after…. */
typedef struct gd_index_plan {
    int nbefore, nafter;
    int64_t before_sizes[GD_MAX_DIMS], before_strides[GD_MAX_DIMS]; /* strides in bytes */
    int64_t after_sizes[GD_MAX_DIMS], after_strides[GD_MAX_DIMS];
    int64_t count;          /* elements of the block */
    const int64_t *offsets; /* bytes from the first element, one for each of them */
} gd_index_plan;

typedef enum gd_index_mode { GD_INDEX_READ, GD_INDEX_WRITE, GD_INDEX_ADD } gd_index_mode;
/* Moves elements between `data` (where the plan points) and `values` (contiguous, in the result's order): reads data,
 * writes it, or adds to it (ints wrap, bools or). */
void gd_index_walk(const gd_index_plan *plan, gd_dtype dtype, char *data, char *values, gd_index_mode mode);

/* values[i] <-> data[… index[i] at dim …] for every element of index (contiguous int64, `sizes`); strides of both in
 * elements. Modes as above. */
void gd_gather_walk(gd_dtype dtype, int ndim, const int64_t *sizes, int dim, const int64_t *index, char *data,
                    const int64_t *data_strides, char *values, const int64_t *values_strides, gd_index_mode mode);
/* Reads so, and checks on the way that each index is within [0, size), row by row while it is in the cache. False: one
 * is not; values are then of no use. */
bool gd_gather_read(gd_dtype dtype, int ndim, const int64_t *sizes, int dim, const int64_t *index, int64_t size,
                    char *data, const int64_t *data_strides, char *values, const int64_t *values_strides);

/* Number of true elements of a contiguous bool or uint8 tensor; and their coordinates: coordinate d of hit i goes to
 * out[d][i]. */
int64_t gd_mask_count(const gd_tensor *mask);
void gd_mask_coordinates(const gd_tensor *mask, int64_t *const *out);
/* Moves the elements of t (any strides) where mask (contiguous, t's shape) is true to `values` in order, or back. */
void gd_mask_walk(gd_tensor *t, const gd_tensor *mask, char *values, gd_index_mode mode);

#endif
