/* iter.c: walks strided, broadcast operands and hands long runs to inner loops.
 *
 * The common cases (one element, everything contiguous or a scalar) cost a few comparisons. The rest
 * builds a plan on the stack: dimensions of size 1 dropped, neighbours merged, then an odometer over the
 * outer dimensions calls the loop over the innermost one.
 */
#include "core/kernels/kernels.h"

typedef struct plan {
    int ndim; /* dimension 0 is the innermost */
    int64_t size[GD_MAX_DIMS];
    int64_t stride[GD_MAX_OPERANDS][GD_MAX_DIMS]; /* bytes */
} plan;

/* Byte stride that lets one run cover all of `t` seen with out's shape; false if no single run does. */
static bool flat_stride(const gd_tensor *out, const gd_tensor *t, int64_t *stride) {
    if (t->numel == 1) {
        *stride = 0;
        return true;
    }
    if (t->numel != out->numel) return false;
    const int64_t *strides = GD_STRIDES(t);
    if (gd_strides_contiguous(t->ndim, t->sizes, strides)) {
        *stride = (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
        return true;
    }
    for (int d = 0; d < t->ndim; d++)
        if (t->sizes[d] != 1 && strides[d] != 0) return false;
    *stride = 0; /* an expanded scalar */
    return true;
}

static bool iterate_flat(gd_tensor *const *operands, int noperands, gd_loop loop, const void *extra) {
    const gd_tensor *out = operands[0];
    char *data[GD_MAX_OPERANDS];
    int64_t strides[GD_MAX_OPERANDS];
    for (int k = 0; k < noperands; k++) {
        data[k] = operands[k]->data;
        if (out->numel == 1) /* any stride will do: the contiguous one takes the short way */
            strides[k] = (int64_t)gd_dtype_bytes((gd_dtype)operands[k]->dtype);
        else if (!flat_stride(out, operands[k], &strides[k]))
            return false;
    }
    if (strides[0] == 0) return false;
    loop(data, strides, out->numel, extra);
    return true;
}

/* Byte stride of operand t along dimension d of out's shape; 0 where it is broadcast. */
static int64_t stride_along(const gd_tensor *out, const gd_tensor *t, int d) {
    int own = d - (out->ndim - t->ndim);
    if (own < 0 || t->sizes[own] == 1) return 0;
    return GD_STRIDES(t)[own] * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
}

static bool mergeable(const plan *p, int noperands, int inner, const int64_t *outer_strides) {
    for (int k = 0; k < noperands; k++)
        if (outer_strides[k] != p->stride[k][inner] * p->size[inner]) return false;
    return true;
}

/* Adds a dimension outside those there are, merged into the last one where strides allow. */
static void plan_add(plan *p, int noperands, int64_t size, const int64_t *strides) {
    if (p->ndim > 0 && mergeable(p, noperands, p->ndim - 1, strides)) {
        p->size[p->ndim - 1] *= size;
        return;
    }
    p->size[p->ndim] = size;
    for (int k = 0; k < noperands; k++) p->stride[k][p->ndim] = strides[k];
    p->ndim++;
}

/* The dimensions of out from the innermost outwards: row-major, or by growing output stride. */
static int order_dims(const gd_tensor *out, bool any_order, int *order) {
    int n = 0;
    for (int d = out->ndim - 1; d >= 0; d--) {
        if (out->sizes[d] == 1) continue;
        int at = n++;
        const int64_t *strides = GD_STRIDES(out);
        for (; any_order && at > 0 && strides[order[at - 1]] > strides[d]; at--) order[at] = order[at - 1];
        order[at] = d;
    }
    return n;
}

static void plan_make(plan *p, gd_tensor *const *operands, int noperands, bool any_order) {
    const gd_tensor *out = operands[0];
    int order[GD_MAX_DIMS];
    int n = order_dims(out, any_order, order);
    p->ndim = 0;
    for (int i = 0; i < n; i++) {
        int64_t strides[GD_MAX_OPERANDS];
        for (int k = 0; k < noperands; k++) strides[k] = stride_along(out, operands[k], order[i]);
        plan_add(p, noperands, out->sizes[order[i]], strides);
    }
}

/* Steps the odometer over dimensions from `first` outwards; false when it has gone round. */
static bool advance(const plan *p, int noperands, int first, int64_t *index, char **data) {
    for (int d = first; d < p->ndim; d++) {
        for (int k = 0; k < noperands; k++) data[k] += p->stride[k][d];
        if (++index[d] < p->size[d]) return true;
        for (int k = 0; k < noperands; k++) data[k] -= p->stride[k][d] * p->size[d];
        index[d] = 0;
    }
    return false;
}

#define TILE 64

/* Two inner dimensions in tiles: where one operand runs along the second dimension (a transpose), its
 * cache lines are used up before they go. */
static void run_tiles(const plan *p, int noperands, char *const *base, gd_loop loop, const void *extra) {
    int64_t strides[GD_MAX_OPERANDS];
    for (int k = 0; k < noperands; k++) strides[k] = p->stride[k][0];
    for (int64_t i0 = 0; i0 < p->size[1]; i0 += TILE) {
        int64_t i1 = i0 + TILE < p->size[1] ? i0 + TILE : p->size[1];
        for (int64_t j = 0; j < p->size[0]; j += TILE) {
            int64_t n = p->size[0] - j < TILE ? p->size[0] - j : TILE;
            for (int64_t i = i0; i < i1; i++) {
                char *data[GD_MAX_OPERANDS];
                for (int k = 0; k < noperands; k++) data[k] = base[k] + i * p->stride[k][1] + j * p->stride[k][0];
                loop(data, strides, n, extra);
            }
        }
    }
}

static bool wants_tiles(const plan *p, int noperands) {
    if (p->ndim < 2 || p->size[0] < TILE || p->size[1] < 8) return false;
    for (int k = 1; k < noperands; k++)
        if (p->stride[k][0] > 64 && p->stride[k][1] != 0 && p->stride[k][1] < 64) return true;
    return false;
}

static void plan_run(const plan *p, gd_tensor *const *operands, int noperands, gd_loop loop, const void *extra,
                     bool tiles) {
    char *data[GD_MAX_OPERANDS];
    int64_t strides[GD_MAX_OPERANDS], index[GD_MAX_DIMS] = {0};
    for (int k = 0; k < noperands; k++) {
        data[k] = operands[k]->data;
        strides[k] = p->stride[k][0];
    }
    if (tiles) {
        do run_tiles(p, noperands, data, loop, extra);
        while (advance(p, noperands, 2, index, data));
        return;
    }
    do loop(data, strides, p->size[0], extra);
    while (advance(p, noperands, 1, index, data));
}

static void iterate(gd_tensor *const *operands, int noperands, gd_loop loop, const void *extra, bool any_order) {
    if (operands[0]->numel == 0) return;
    if (iterate_flat(operands, noperands, loop, extra)) return;
    plan p;
    plan_make(&p, operands, noperands, any_order);
    plan_run(&p, operands, noperands, loop, extra, any_order && wants_tiles(&p, noperands));
}

void gd_iterate_in_order(gd_tensor *const *operands, int noperands, gd_loop loop, const void *extra) {
    iterate(operands, noperands, loop, extra, false);
}

void gd_iterate_any_order(gd_tensor *const *operands, int noperands, gd_loop loop, const void *extra) {
    iterate(operands, noperands, loop, extra, true);
}
