/* shape_rules.c: derivative rules of the rows in shape.def. Views are undone by the view that goes back, or by zeros
 * with the gradient written where the view looked. */
#include <stdlib.h>

#include "core/ops/families.h"
#include "core/ops/rules.h"

/* Temporary array of n pointers, NULL with the context's error when memory is out; free() it. */
static gd_tensor **pointers(gd_ctx *c, int n) {
    gd_tensor **list = calloc((size_t)n + 1, sizeof *list);
    if (!list) (void)gd_fail_memory(c);
    return list;
}

static gd_value sizes_value(gd_bw *b, int argument) {
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, argument, &ndim);
    return GD_INTS_VALUE(sizes, ndim);
}

static gd_value int_arg(gd_bw *b, int argument, int64_t if_none) {
    gd_value v = gd_bw_arg(b, argument);
    return v.kind == GD_V_NONE ? GD_INT_VALUE(if_none) : v;
}

void gd_bw_view(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, reshape, T_(b->grads[0]), sizes_value(b, 0))); }
void gd_bw_squeeze(gd_bw *b) { gd_bw_view(b); }
void gd_bw__alias(gd_bw *b) { gd_bw_set(b, 0, b->grads[0]); }
void gd_bw_expand(gd_bw *b) { gd_bw_set(b, 0, b->grads[0]); } /* the engine sums what was repeated */
void gd_bw_t(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, t, T_(b->grads[0]))); }

void gd_bw_transpose(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, transpose, T_(b->grads[0]), gd_bw_arg(b, 1), gd_bw_arg(b, 2)));
}

void gd_bw_permute(gd_bw *b) {
    gd_value dims = gd_bw_arg(b, 1);
    int64_t back[GD_MAX_DIMS];
    for (uint32_t i = 0; i < dims.n; i++) {
        int64_t d = dims.u.ints[i];
        back[d < 0 ? d + dims.n : d] = i;
    }
    gd_bw_set(b, 0, GX(b->ctx, permute, T_(b->grads[0]), GD_INTS_VALUE(back, dims.n)));
}

void gd_bw_unsqueeze(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, squeeze_dim, T_(b->grads[0]), gd_bw_arg(b, 1))); }

/* Sums over the copies: the gradient seen as [r0, s0, r1, s1, …] without the r that are 1, as rank is limited. */
void gd_bw_repeat(gd_bw *b) {
    gd_value repeats = gd_bw_arg(b, 1);
    int ndim, n = 0, ncopies = 0, lead;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    int64_t shape[2 * GD_MAX_DIMS], copies[GD_MAX_DIMS];
    lead = (int)repeats.n - ndim;
    for (int d = 0; d < (int)repeats.n; d++) {
        if (repeats.u.ints[d] != 1 || d < lead) {
            copies[ncopies++] = n;
            shape[n++] = repeats.u.ints[d];
        }
        if (d >= lead) shape[n++] = sizes[d - lead];
    }
    gd_tensor *g = GX(b->ctx, reshape, T_(b->grads[0]), GD_INTS_VALUE(shape, n));
    if (ncopies) g = GX(b->ctx, sum_dim, T_(g), GD_INTS_VALUE(copies, ncopies));
    gd_bw_set(b, 0, g);
}

/* ---- joining and cutting ------------------------------------------------------------------- */

static gd_tensor *zeros(gd_ctx *c, gd_dtype dtype, int ndim, const int64_t *sizes) {
    return c->error.code ? NULL : gd_pool_add(c, gd_zeros(c, dtype, ndim, sizes));
}

void gd_bw_cat(gd_bw *b) {
    gd_tensor *grad = b->grads[0];
    if (!grad) return;
    int64_t dim = gd_bw_arg(b, 1).u.integer, at = 0;
    if (dim < 0) dim += grad->ndim;
    for (int i = 0; i < gd_bw_entries(b, 0); i++) {
        int ndim;
        const int64_t *sizes = gd_bw_entry_sizes(b, 0, i, &ndim);
        bool skipped = ndim == 1 && sizes[0] == 0; /* cat joins tensors of shape [0] with anything */
        int64_t size = skipped ? 0 : sizes[dim];
        if (gd_bw_needs_entry(b, 0, i))
            gd_bw_set_entry(b, 0, i,
                            skipped ? zeros(b->ctx, (gd_dtype)grad->dtype, 1, sizes)
                                    : GX(b->ctx, slice, T_(grad), I_(dim), I_(at), I_(at + size), I_(1)));
        at += size;
    }
}

void gd_bw_stack(gd_bw *b) {
    for (int i = 0; i < gd_bw_entries(b, 0); i++)
        if (gd_bw_needs_entry(b, 0, i))
            gd_bw_set_entry(b, 0, i, GX(b->ctx, select, T_(b->grads[0]), gd_bw_arg(b, 1), I_(i)));
}

/* split: the size of piece i; both overloads. */
static int64_t piece_size(const gd_value *arg, int64_t size, int64_t i) {
    if (arg->kind == GD_V_INTS) return arg->u.ints[i];
    int64_t left = size - i * arg->u.integer;
    return left < arg->u.integer ? left : arg->u.integer;
}

static int64_t piece_count(const gd_value *arg, int64_t size) {
    if (arg->kind == GD_V_INTS) return arg->n;
    return size == 0 ? 1 : size / arg->u.integer + (size % arg->u.integer != 0);
}

void gd_bw_pieces(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value arg = gd_bw_arg(b, 1);
    int64_t sizes[GD_MAX_DIMS], dim = gd_bw_arg(b, 2).u.integer;
    int ndim;
    const int64_t *whole = gd_bw_sizes(b, 0, &ndim);
    if (dim < 0) dim += ndim;
    for (int d = 0; d < ndim; d++) sizes[d] = whole[d];
    int n = (int)piece_count(&arg, whole[dim]);
    gd_tensor **list = pointers(c, n);
    bool complete = list != NULL;
    for (int i = 0; i < n && complete; i++) {
        sizes[dim] = piece_size(&arg, whole[dim], i);
        list[i] = b->grads[i] ? b->grads[i] : zeros(c, gd_bw_dtype(b, 0), ndim, sizes);
        complete = list[i] != NULL;
    }
    gd_value tensors = {.kind = GD_V_TENSORS, .n = (uint32_t)n, .u.tensors = list};
    if (complete) gd_bw_set(b, 0, GX(c, cat, tensors, I_(dim)));
    free(list);
}

void gd_bw_unbind(gd_bw *b) {
    gd_ctx *c = b->ctx;
    int64_t sizes[GD_MAX_DIMS], dim = gd_bw_arg(b, 1).u.integer;
    int ndim, rank = 0;
    const int64_t *whole = gd_bw_sizes(b, 0, &ndim);
    if (dim < 0) dim += ndim;
    for (int d = 0; d < ndim; d++)
        if (d != dim) sizes[rank++] = whole[d];
    int n = (int)whole[dim];
    gd_tensor **list = pointers(c, n);
    bool complete = list != NULL;
    for (int i = 0; i < n && complete; i++) {
        list[i] = b->grads[i] ? b->grads[i] : zeros(c, gd_bw_dtype(b, 0), rank, sizes);
        complete = list[i] != NULL;
    }
    gd_value tensors = {.kind = GD_V_TENSORS, .n = (uint32_t)n, .u.tensors = list};
    if (complete) gd_bw_set(b, 0, GX(c, stack, tensors, I_(dim)));
    free(list);
}

/* ---- parts --------------------------------------------------------------------------------- */

void gd_bw_select(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, _select_backward, T_(b->grads[0]), sizes_value(b, 0), gd_bw_arg(b, 1), gd_bw_arg(b, 2)));
}

void gd_bw_slice(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _slice_backward, T_(b->grads[0]), sizes_value(b, 0), gd_bw_arg(b, 1), int_arg(b, 2, 0),
                 int_arg(b, 3, INT64_MAX), gd_bw_arg(b, 4)));
}

void gd_bw_diagonal(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _diagonal_backward, T_(b->grads[0]), sizes_value(b, 0), gd_bw_arg(b, 1), gd_bw_arg(b, 2),
                 gd_bw_arg(b, 3)));
}

void gd_bw__select_backward(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, select, T_(b->grads[0]), gd_bw_arg(b, 2), gd_bw_arg(b, 3)));
}

void gd_bw__slice_backward(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, slice, T_(b->grads[0]), gd_bw_arg(b, 2), gd_bw_arg(b, 3), gd_bw_arg(b, 4), gd_bw_arg(b, 5)));
}

void gd_bw__diagonal_backward(gd_bw *b) {
    gd_bw_set(b, 0, GX(b->ctx, diagonal, T_(b->grads[0]), gd_bw_arg(b, 2), gd_bw_arg(b, 3), gd_bw_arg(b, 4)));
}

void gd_bw_diag(gd_bw *b) {
    gd_value sizes = sizes_value(b, 0);
    if (sizes.n == 1)
        gd_bw_set(b, 0, GX(b->ctx, diag, T_(b->grads[0]), gd_bw_arg(b, 1)));
    else
        gd_bw_set(b, 0, GX(b->ctx, _diagonal_backward, T_(b->grads[0]), sizes, gd_bw_arg(b, 1), I_(0), I_(1)));
}

void gd_bw_trace(gd_bw *b) {
    gd_value sizes = sizes_value(b, 0);
    int64_t n = sizes.u.ints[0] < sizes.u.ints[1] ? sizes.u.ints[0] : sizes.u.ints[1];
    gd_tensor *line = GX(b->ctx, expand, T_(b->grads[0]), GD_INTS_VALUE(&n, 1));
    gd_bw_set(b, 0, GX(b->ctx, _diagonal_backward, T_(line), sizes, I_(0), I_(0), I_(1)));
}

void gd_bw_tril(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, tril, T_(b->grads[0]), gd_bw_arg(b, 1))); }
void gd_bw_triu(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, triu, T_(b->grads[0]), gd_bw_arg(b, 1))); }
void gd_bw_flip(gd_bw *b) { gd_bw_set(b, 0, GX(b->ctx, flip, T_(b->grads[0]), gd_bw_arg(b, 1))); }

void gd_bw_roll(gd_bw *b) {
    gd_value shifts = gd_bw_arg(b, 1);
    int64_t *back = calloc(shifts.n, sizeof *back);
    if (!back) {
        (void)gd_fail_memory(b->ctx);
        return;
    }
    for (uint32_t i = 0; i < shifts.n; i++) back[i] = shifts.u.ints[i] == INT64_MIN ? INT64_MIN : -shifts.u.ints[i];
    gd_bw_set(b, 0, GX(b->ctx, roll, T_(b->grads[0]), GD_INTS_VALUE(back, shifts.n), gd_bw_arg(b, 2)));
    free(back);
}

/* ---- as_strided ---------------------------------------------------------------------------- */

void gd_bw__as_strided_view(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _as_strided_backward, T_(b->grads[0]), sizes_value(b, 0), gd_bw_arg(b, 4), gd_bw_arg(b, 5),
                 gd_bw_arg(b, 1), gd_bw_arg(b, 2), gd_bw_arg(b, 3)));
}

void gd_bw__as_strided_gather(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _as_strided_backward, T_(b->grads[0]), gd_bw_arg(b, 1), gd_bw_arg(b, 2), gd_bw_arg(b, 3),
                 gd_bw_arg(b, 4), gd_bw_arg(b, 5), gd_bw_arg(b, 6)));
}

void gd_bw__as_strided_backward(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _as_strided_gather, T_(b->grads[0]), gd_bw_arg(b, 1), gd_bw_arg(b, 2), gd_bw_arg(b, 3),
                 gd_bw_arg(b, 4), gd_bw_arg(b, 5), gd_bw_arg(b, 6)));
}

void gd_bw__as_strided_scatter(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_value size = gd_bw_arg(b, 2), stride = gd_bw_arg(b, 3), offset = gd_bw_arg(b, 4);
    if (gd_bw_needs(b, 0) && b->grads[0])
        gd_bw_set(b, 0,
                  GX(c, _as_strided_scatter, T_(b->grads[0]),
                     T_(zeros(c, (gd_dtype)b->grads[0]->dtype, (int)size.n, size.u.ints)), size, stride, offset));
    if (gd_bw_needs(b, 1)) {
        gd_value whole = sizes_value(b, 0);
        int64_t strides[GD_MAX_DIMS];
        gd_contiguous_strides((int)whole.n, whole.u.ints, strides);
        gd_bw_set(b, 1,
                  GX(c, _as_strided_gather, T_(b->grads[0]), whole, GD_INTS_VALUE(strides, whole.n), I_(0), size,
                     stride, offset));
    }
}
