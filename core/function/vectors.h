/* vectors.h: the vectors that derivatives are multiplied with. See vectors.c. */
#ifndef GD_FUNCTION_VECTORS_H
#define GD_FUNCTION_VECTORS_H

#include "core/function/inside.h"

/* Where each vector's numbers are, by point and by number of the product. */
typedef struct gd_vectors {
    uint64_t taken; /* which; other entries are not set */
    gd_tensor *held[GD_FUNCTION_INPUTS];
    const char *bytes[GD_FUNCTION_INPUTS];
    size_t per_point[GD_FUNCTION_INPUTS], per_stack[GD_FUNCTION_INPUTS];
} gd_vectors;

/* Take those of a set; *stacked is the length of the axis that some of them have before their own, and -1 until one
 * has. False: with the fault filled. Set v's `taken` to 0 before, and clear it in the end. */
bool gd_vectors_by_output(gd_job *job, const gd_answer_layout *l, uint64_t set, gd_tensor *const *given,
                          int64_t *stacked, gd_vectors *v);
bool gd_vectors_by_input(gd_job *job, uint64_t set, gd_tensor *const *given, int64_t *stacked, gd_vectors *v);
void gd_vectors_clear(gd_vectors *v);
/* Their bytes for a point and product number, into out by index. */
void gd_vectors_at(const gd_vectors *v, uint64_t set, int64_t point, int64_t nr, const void **out);

#endif
