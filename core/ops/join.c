/* join.c: rows of the shape family that make new memory or several views: cat, stack, split, unbind, repeat, flip,
 * roll, triangles and diagonals, and the inverses of views that derivative rules need. */
#include <string.h>

#include "core/kernels/index.h"
#include "core/kernels/kernels.h"
#include "core/ops/args.h"
#include "core/ops/families.h"

#define TEXT 512

/* Writes src into the part of `out` that starts at `offset` entries of dimension `dim`. */
static gd_code copy_part(gd_ctx *c, gd_tensor *out, int dim, int64_t offset, const int64_t *sizes,
                         const gd_tensor *src) {
    gd_tensor *part =
        gd_alias(c, out, out->ndim, sizes, GD_STRIDES(out), gd_offset(out) + offset * GD_STRIDES(out)[dim]);
    if (!part) return gd_failed(c);
    gd_copy_values(part, src);
    gd_release(part);
    return GD_OK;
}

/* ---- cat and stack ------------------------------------------------------------------------- */

/* PyTorch skips tensors of shape [0] when it joins, whatever the others' rank. */
static bool skipped(const gd_tensor *t) { return t->ndim == 1 && t->sizes[0] == 0; }

static gd_code cat_mismatch(gd_ctx *c, const gd_tensor *first, const gd_tensor *t, int dim, int i) {
    if (t->ndim != first->ndim)
        return gd_fail(c, GD_E_SHAPE, "Tensors must have same number of dimensions: got %d and %d", first->ndim,
                       t->ndim);
    for (int d = 0; d < t->ndim; d++)
        if (d != dim && t->sizes[d] != first->sizes[d])
            return gd_fail(
                c, GD_E_SHAPE,
                "Sizes of tensors must match except in dimension %d. Expected size %lld but got size %lld for tensor number "
                "%d in the list.",
                dim, (long long)first->sizes[d], (long long)t->sizes[d], i);
    return GD_OK;
}

/* The result's sizes; *dim is wrapped. `like`: the first tensor that is not skipped. */
static gd_code cat_sizes(gd_apply *a, const gd_tensor **like, int *dim, int64_t *sizes) {
    gd_tensor *const *list = a->args[0].u.tensors;
    int n = arg_count(a, 0);
    if (n == 0) return gd_fail(a->ctx, GD_E_SHAPE, "torch.cat(): expected a non-empty list of Tensors");
    *like = list[0];
    for (int i = n - 1; i >= 0; i--) {
        if (list[i]->ndim == 0)
            return gd_fail(a->ctx, GD_E_SHAPE, "zero-dimensional tensor (at position %d) cannot be concatenated", i);
        if (!skipped(list[i])) *like = list[i];
    }
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), (*like)->ndim, dim);
    if (code) return code;
    memcpy(sizes, (*like)->sizes, (*like)->ndim * sizeof *sizes);
    sizes[*dim] = 0;
    for (int i = 0; i < n; i++) {
        if (skipped(list[i]) && *like != list[i]) continue;
        code = cat_mismatch(a->ctx, *like, list[i], *dim, i);
        if (code) return code;
        if (!gd_add_i64(sizes[*dim], list[i]->sizes[*dim], &sizes[*dim]))
            return gd_fail(a->ctx, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    }
    return GD_OK;
}

gd_code gd_fw_cat(gd_apply *a) {
    gd_tensor *const *list = a->args[0].u.tensors;
    const gd_tensor *like = NULL;
    int64_t sizes[GD_MAX_DIMS], at = 0;
    int dim = 0, n = arg_count(a, 0);
    gd_code code = cat_sizes(a, &like, &dim, sizes);
    if (code) return code;
    gd_tensor *out = gd_empty(a->ctx, gd_result_type(list, n), like->ndim, sizes);
    if (!out) return gd_failed(a->ctx);
    for (int i = 0; i < n && !code; i++) {
        if (skipped(list[i]) && like != list[i]) continue;
        code = copy_part(a->ctx, out, dim, at, list[i]->sizes, list[i]);
        at += list[i]->sizes[dim];
    }
    if (!code) return give(a, out);
    gd_release(out);
    return code;
}

static gd_code stack_check(gd_apply *a, int *dim) {
    char first[TEXT], other[TEXT];
    gd_tensor *const *list = a->args[0].u.tensors;
    if (arg_count(a, 0) == 0) return gd_fail(a->ctx, GD_E_SHAPE, "stack expects a non-empty TensorList");
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), list[0]->ndim + 1, dim);
    if (code) return code;
    if (list[0]->ndim == GD_MAX_DIMS)
        return gd_fail(a->ctx, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    for (int i = 1; i < arg_count(a, 0); i++)
        if (!gd_same_shape(list[0], list[i]))
            return gd_fail(a->ctx, GD_E_SHAPE,
                           "stack expects each tensor to be equal size, but got %s at entry 0 and %s at entry %d",
                           gd_shape_text(first, sizeof first, list[0]->ndim, list[0]->sizes),
                           gd_shape_text(other, sizeof other, list[i]->ndim, list[i]->sizes), i);
    return GD_OK;
}

gd_code gd_fw_stack(gd_apply *a) {
    gd_tensor *const *list = a->args[0].u.tensors;
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int dim, n = arg_count(a, 0);
    gd_code code = stack_check(a, &dim);
    if (code) return code;
    int rank = list[0]->ndim;
    for (int d = 0; d <= rank; d++) sizes[d] = d == dim ? n : list[0]->sizes[d < dim ? d : d - 1];
    gd_tensor *out = gd_empty(a->ctx, gd_result_type(list, n), rank + 1, sizes);
    if (!out) return gd_failed(a->ctx);
    for (int d = 0; d < rank; d++) strides[d] = GD_STRIDES(out)[d < dim ? d : d + 1];
    for (int i = 0; i < n; i++) {
        gd_tensor *part = gd_alias(a->ctx, out, rank, list[0]->sizes, strides, i * GD_STRIDES(out)[dim]);
        if (!part) {
            gd_release(out);
            return gd_failed(a->ctx);
        }
        gd_copy_values(part, list[i]);
        gd_release(part);
    }
    return give(a, out);
}

/* ---- split, chunk, unbind ------------------------------------------------------------------ */

static gd_code split_dim(gd_apply *a, const char *what, int *dim) {
    if (arg_tensor(a, 0)->ndim == 0)
        return gd_fail(a->ctx, GD_E_SHAPE, "%s expects at least a 1-dimensional tensor", what);
    return gd_wrap_dim(a->ctx, arg_int(a, 2), arg_tensor(a, 0)->ndim, dim);
}

/* Makes output i: `count` entries of `dim` from `start` on. */
static gd_code give_piece(gd_apply *a, int i, int dim, int64_t start, int64_t count) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS];
    memcpy(sizes, t->sizes, t->ndim * sizeof *sizes);
    sizes[dim] = count;
    a->out[i] = gd_alias(a->ctx, t, t->ndim, sizes, GD_STRIDES(t), gd_offset(t) + start * GD_STRIDES(t)[dim]);
    return a->out[i] ? GD_OK : gd_failed(a->ctx);
}

gd_code gd_fw_split(gd_apply *a) {
    int64_t step = arg_int(a, 1);
    int dim;
    gd_code code = split_dim(a, "split", &dim);
    if (code) return code;
    int64_t size = arg_tensor(a, 0)->sizes[dim];
    if (step < 0)
        return gd_fail(a->ctx, GD_E_SHAPE, "split expects split_size be non-negative, but got split_size=%lld",
                       (long long)step);
    if (step == 0 && size != 0)
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "split_size can only be 0 if dimension size is 0, but got dimension size of %lld",
                       (long long)size);
    int64_t pieces = size == 0 ? 1 : size / step + (size % step != 0);
    if (pieces > INT32_MAX) return gd_fail(a->ctx, GD_E_TOO_LARGE, "too many pieces: %lld", (long long)pieces);
    code = gd_apply_reserve(a, (int)pieces);
    for (int64_t i = 0; i < pieces && !code; i++) {
        int64_t left = size - i * step;
        code = give_piece(a, (int)i, dim, i * step, left < step ? left : step);
    }
    return code;
}

static gd_code split_sum_wrong(gd_apply *a, int dim) {
    char text[TEXT];
    return gd_fail(
        a->ctx, GD_E_SHAPE,
        "split_with_sizes expects split_sizes to sum exactly to %lld (input tensor's size at dimension %lld), but got "
        "split_sizes=%s",
        (long long)arg_tensor(a, 0)->sizes[dim], (long long)arg_int(a, 2),
        gd_shape_text(text, sizeof text, arg_count(a, 1), arg_ints(a, 1)));
}

gd_code gd_fw_split_sizes(gd_apply *a) {
    char text[TEXT];
    const int64_t *parts = arg_ints(a, 1);
    int dim, n = arg_count(a, 1);
    int64_t sum = 0, at = 0;
    gd_code code = split_dim(a, "split", &dim);
    if (code) return code;
    for (int i = 0; i < n; i++) {
        if (parts[i] < 0)
            return gd_fail(
                a->ctx, GD_E_SHAPE,
                "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=%s",
                gd_shape_text(text, sizeof text, n, parts));
        if (!gd_add_i64(sum, parts[i], &sum)) return split_sum_wrong(a, dim);
    }
    if (sum != arg_tensor(a, 0)->sizes[dim]) return split_sum_wrong(a, dim);
    code = gd_apply_reserve(a, n);
    for (int i = 0; i < n && !code; i++) {
        code = give_piece(a, i, dim, at, parts[i]);
        at += parts[i];
    }
    return code;
}

/* Composite: moves the outputs of a split row into this application. */
static gd_code take_pieces(gd_apply *a, gd_op_id id, const gd_value *args) {
    gd_result result = {0};
    gd_code code = gd_do_all(a->ctx, id, args, 3, &result);
    if (!code) code = gd_apply_reserve(a, (int)result.n);
    for (uint32_t i = 0; i < result.n && !code; i++) {
        a->out[i] = result.outputs[i];
        result.outputs[i] = NULL;
    }
    gd_result_clear(&result);
    return code;
}

gd_code gd_fw_chunk(gd_apply *a) {
    int64_t chunks = arg_int(a, 1);
    int dim;
    gd_code code = split_dim(a, "chunk", &dim);
    if (code) return code;
    if (chunks <= 0)
        return gd_fail(a->ctx, GD_E_SHAPE, "chunk expects `chunks` to be greater than 0, got: %lld", (long long)chunks);
    int64_t size = arg_tensor(a, 0)->sizes[dim], step = size / chunks + (size % chunks != 0);
    if (size > 0)
        return take_pieces(a, GD_OP_split, (const gd_value[]){a->args[0], GD_INT_VALUE(step), GD_INT_VALUE(dim)});
    /* An empty dimension gives as many empty chunks as asked for. */
    if (chunks > 65536) return gd_fail(a->ctx, GD_E_TOO_LARGE, "too many pieces: %lld", (long long)chunks);
    gd_tensor *zeros = gd_zeros(a->ctx, GD_INT64, 1, &chunks);
    if (!zeros) return gd_failed(a->ctx);
    code = take_pieces(a, GD_OP_split_sizes,
                       (const gd_value[]){a->args[0], GD_INTS_VALUE((const int64_t *)(const void *)zeros->data, chunks),
                                          GD_INT_VALUE(dim)});
    gd_release(zeros);
    return code;
}

gd_code gd_fw_unbind(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int dim, n = 0;
    if (t->ndim == 0)
        return gd_fail(a->ctx, GD_E_INDEX, "Dimension specified as %lld but tensor has no dimensions",
                       (long long)arg_int(a, 1));
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (code) return code;
    for (int d = 0; d < t->ndim; d++) {
        if (d == dim) continue;
        sizes[n] = t->sizes[d];
        strides[n++] = GD_STRIDES(t)[d];
    }
    int64_t count = t->sizes[dim];
    if (count > INT32_MAX) return gd_fail(a->ctx, GD_E_TOO_LARGE, "too many pieces: %lld", (long long)count);
    code = gd_apply_reserve(a, (int)count);
    for (int64_t i = 0; i < count && !code; i++) {
        a->out[i] = gd_alias(a->ctx, t, n, sizes, strides, gd_offset(t) + i * GD_STRIDES(t)[dim]);
        if (!a->out[i]) code = gd_failed(a->ctx);
    }
    return code;
}

/* ---- repeat, flip, roll -------------------------------------------------------------------- */

/* out seen as [r0, s0, r1, s1, …] is self broadcast over the r: the r of 1 are left out to keep the rank low. */
gd_code gd_fw_repeat(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *out;
    const int64_t *repeats = arg_ints(a, 1);
    int64_t sizes[GD_MAX_DIMS], numel;
    int n = arg_count(a, 1), lead = n - t->ndim;
    if (lead < 0)
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
    if (n > GD_MAX_DIMS) return gd_fail(a->ctx, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
    for (int d = 0; d < n; d++)
        if (!gd_mul_i64(repeats[d], d < lead ? 1 : t->sizes[d - lead], &sizes[d]))
            return gd_fail(a->ctx, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    for (int d = 0; d < n; d++)
        if (repeats[d] < 0 && sizes[d] == 0)
            return gd_fail(a->ctx, GD_E_SHAPE, "Trying to create tensor with negative dimension %lld",
                           (long long)repeats[d]);
    gd_code code = gd_checked_numel(a->ctx, (gd_dtype)t->dtype, n, sizes, &numel);
    if (code) return code;
    out = gd_empty(a->ctx, (gd_dtype)t->dtype, n, sizes);
    if (!out) return gd_failed(a->ctx);
    gd_repeat_values(out, t);
    return give(a, out);
}

gd_code gd_fw_flip(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    bool flipped[GD_MAX_DIMS] = {0};
    int64_t shifts[GD_MAX_DIMS] = {0};
    for (int i = 0; i < arg_count(a, 1); i++) {
        int d;
        gd_code code = gd_wrap_dim(a->ctx, arg_ints(a, 1)[i], t->ndim, &d);
        if (code) return code;
        if (flipped[d]) return gd_fail(a->ctx, GD_E_SHAPE, "dim %d appears multiple times in the list of dims", d);
        flipped[d] = true;
    }
    gd_tensor *out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
    if (out) gd_permute_entries(out, t, flipped, shifts);
    return give(a, out);
}

/* The shift of every dimension in [0, size): out[i] = self[(i - shift) mod size]. */
static gd_code roll_shifts(gd_apply *a, int64_t *shifts) {
    gd_tensor *t = arg_tensor(a, 0);
    int n = arg_count(a, 1);
    if (n == 0) return gd_fail(a->ctx, GD_E_SHAPE, "`shifts` required");
    if (n != arg_count(a, 2))
        return gd_fail(a->ctx, GD_E_SHAPE, "shifts and dimensions must align. shifts: %d, dims:%d", n, arg_count(a, 2));
    for (int i = 0; i < n; i++) {
        int d;
        if (t->numel == 0) return GD_OK; /* PyTorch looks at no dimension then */
        if (t->ndim == 0)
            return gd_fail(a->ctx, GD_E_INDEX, "Dimension specified as %lld but tensor has no dimensions",
                           (long long)arg_ints(a, 2)[i]);
        gd_code code = gd_wrap_dim(a->ctx, arg_ints(a, 2)[i], t->ndim, &d);
        if (code) return code;
        int64_t size = t->sizes[d], shift = arg_ints(a, 1)[i] % size;
        shifts[d] = (shifts[d] + (shift < 0 ? shift + size : shift)) % size;
    }
    return GD_OK;
}

gd_code gd_fw_roll(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *out;
    bool flipped[GD_MAX_DIMS] = {0};
    int64_t shifts[GD_MAX_DIMS] = {0};
    if (arg_count(a, 1) == 1 && arg_count(a, 2) == 0) { /* no dims: as if flattened */
        int64_t shift = t->numel ? arg_ints(a, 1)[0] % t->numel : 0;
        gd_tensor *flat = gd_as_contiguous(a->ctx, t);
        if (!flat) return gd_failed(a->ctx);
        out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
        if (out) gd_rotate_values(out, flat, shift < 0 ? shift + t->numel : shift);
        gd_release(flat);
        return give(a, out);
    }
    gd_code code = roll_shifts(a, shifts);
    if (code) return code;
    out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
    if (out) gd_permute_entries(out, t, flipped, shifts);
    return give(a, out);
}

/* ---- triangles and diagonals --------------------------------------------------------------- */

/* tril (param 0), triu (param 1). */
gd_code gd_fw_triangle(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    if (t->ndim == 0) return gd_fail(a->ctx, GD_E_INDEX, "Dimension specified as -2 but tensor has no dimensions");
    if (t->ndim == 1 && t->numel)
        return gd_fail(a->ctx, GD_E_INDEX, "Dimension out of range (expected to be in range of [-1, 0], but got -2)");
    gd_tensor *out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
    if (!out) return gd_failed(a->ctx);
    gd_copy_values(out, t);
    gd_clear_triangle(out, arg_int(a, 1), a->op->param != 0);
    return give(a, out);
}

/* New: zeros of a shape, with src written on a diagonal of two dimensions. */
static gd_tensor *on_diagonal(gd_ctx *c, gd_tensor *src, int ndim, const int64_t *sizes, int64_t offset, int64_t d1,
                              int64_t d2) {
    gd_tensor *out = gd_zeros(c, (gd_dtype)src->dtype, ndim, sizes);
    if (!out) return NULL;
    gd_tensor *part = DO(c, diagonal, GD_TENSOR_VALUE(out), GD_INT_VALUE(offset), GD_INT_VALUE(d1), GD_INT_VALUE(d2));
    if (!part) return then_release(NULL, out);
    gd_copy_values(part, src);
    gd_release(part);
    return out;
}

gd_code gd_fw_diag(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *view, *out;
    int64_t offset = arg_int(a, 1), away = offset < 0 ? -offset : offset, sizes[2];
    if (t->ndim != 1 && t->ndim != 2) return gd_fail(a->ctx, GD_E_SHAPE, "matrix or a vector expected");
    if (t->ndim == 1) {
        if (offset == INT64_MIN || !gd_add_i64(t->sizes[0], away, &sizes[0]))
            return gd_fail(a->ctx, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
        sizes[1] = sizes[0];
        return give(a, on_diagonal(a->ctx, t, 2, sizes, offset, 0, 1));
    }
    view = gd_alias(a->ctx, t, 2, t->sizes, GD_STRIDES(t), gd_offset(t));
    if (!view) return gd_failed(a->ctx);
    gd_tensor *line =
        DO(a->ctx, diagonal, GD_TENSOR_VALUE(view), GD_INT_VALUE(offset), GD_INT_VALUE(0), GD_INT_VALUE(1));
    gd_release(view);
    if (!line) return gd_failed(a->ctx);
    out = gd_empty_like(a->ctx, line, (gd_dtype)t->dtype);
    if (out) gd_copy_values(out, line);
    gd_release(line);
    return give(a, out);
}

gd_code gd_fw_trace(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *out;
    if (t->ndim != 2)
        return gd_fail(a->ctx, GD_E_SHAPE, "trace: expected a matrix, but got tensor with dim %d", t->ndim);
    bool real = gd_dtype_is_float((gd_dtype)t->dtype);
    int64_t n = t->sizes[0] < t->sizes[1] ? t->sizes[0] : t->sizes[1],
            step = (GD_STRIDES(t)[0] + GD_STRIDES(t)[1]) * (int64_t)gd_dtype_bytes((gd_dtype)t->dtype);
    double sum = 0;
    uint64_t whole = 0; /* wraps as PyTorch's int64 does */
    for (int64_t i = 0; i < n; i++) {
        if (real)
            sum += gd_load_f64((gd_dtype)t->dtype, t->data + i * step);
        else
            whole += (uint64_t)gd_load_i64((gd_dtype)t->dtype, t->data + i * step);
    }
    out = real ? gd_scalar_f64(a->ctx, sum, (gd_dtype)t->dtype) : gd_scalar_i64(a->ctx, (int64_t)whole, GD_INT64);
    return give(a, out);
}

/* ---- for rules ----------------------------------------------------------------------------- */

gd_code gd_fw__select_backward(gd_apply *a) {
    gd_tensor *grad = arg_tensor(a, 0);
    const int64_t *sizes = arg_ints(a, 1);
    int64_t strides[GD_MAX_DIMS], index = arg_int(a, 3);
    int dim, n = 0;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 2), arg_count(a, 1), &dim);
    if (code) return code;
    gd_tensor *out = gd_zeros(a->ctx, (gd_dtype)grad->dtype, arg_count(a, 1), sizes);
    if (!out) return gd_failed(a->ctx);
    for (int d = 0; d < out->ndim; d++)
        if (d != dim) strides[n++] = GD_STRIDES(out)[d];
    gd_tensor *part = gd_alias(a->ctx, out, grad->ndim, grad->sizes, strides,
                               (index < 0 ? index + sizes[dim] : index) * GD_STRIDES(out)[dim]);
    if (part)
        gd_copy_values(part, grad);
    else
        out = then_release(NULL, out);
    gd_release(part);
    return give(a, out);
}

gd_code gd_fw__slice_backward(gd_apply *a) {
    gd_tensor *grad = arg_tensor(a, 0);
    gd_tensor *out = gd_zeros(a->ctx, (gd_dtype)grad->dtype, arg_count(a, 1), arg_ints(a, 1)), *part;
    if (!out) return gd_failed(a->ctx);
    part = DO(a->ctx, slice, GD_TENSOR_VALUE(out), a->args[2], a->args[3], a->args[4], a->args[5]);
    if (part)
        gd_copy_values(part, grad);
    else
        out = then_release(NULL, out);
    gd_release(part);
    return give(a, out);
}

gd_code gd_fw__diagonal_backward(gd_apply *a) {
    return give(a, on_diagonal(a->ctx, arg_tensor(a, 0), arg_count(a, 1), arg_ints(a, 1), arg_int(a, 2), arg_int(a, 3),
                               arg_int(a, 4)));
}

gd_code gd_fw__as_strided_scatter(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    gd_tensor *out = gd_empty_like(a->ctx, t, (gd_dtype)t->dtype);
    if (!out) return gd_failed(a->ctx);
    gd_copy_values(out, t);
    gd_tensor *part = DO(a->ctx, as_strided, GD_TENSOR_VALUE(out), a->args[2], a->args[3], a->args[4]);
    if (part)
        gd_copy_values(part, arg_tensor(a, 1));
    else
        out = then_release(NULL, out);
    gd_release(part);
    return give(a, out);
}

/* Largest element offset of a geometry plus one; GD_E_TOO_LARGE on overflow. */
static gd_code extent(gd_apply *a, int sizes_arg, int64_t *out) {
    const int64_t *sizes = arg_ints(a, sizes_arg), *strides = arg_ints(a, sizes_arg + 1);
    int64_t last = arg_int(a, sizes_arg + 2), reach;
    for (int d = 0; d < arg_count(a, sizes_arg); d++) {
        if (sizes[d] == 0) return GD_OK;
        if (!gd_mul_i64(sizes[d] - 1, strides[d], &reach) || !gd_add_i64(last, reach, &last) || last == INT64_MAX)
            return gd_fail(a->ctx, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    }
    if (last + 1 > *out) *out = last + 1;
    return GD_OK;
}

/* Both directions of as_strided between two geometries of one storage: the values are added into a buffer where the one
 * says and read where the other says. What overlaps in self's own geometry (param 0: written, param 1: read) is shared
 * equally, so that the two are each other's adjoint. */
gd_code gd_fw__as_strided_map(gd_apply *a) {
    gd_tensor *src = arg_tensor(a, 0), *out, *buffer, *counts;
    int from = a->op->param ? 4 : 1, to = a->op->param ? 1 : 4;
    int64_t room = 0;
    gd_code code = extent(a, 1, &room);
    if (!code) code = extent(a, 4, &room);
    if (code) return code;
    gd_tensor *flat = gd_as_contiguous(a->ctx, src);
    if (!flat) return gd_failed(a->ctx);
    out = gd_empty(a->ctx, (gd_dtype)src->dtype, arg_count(a, to), arg_ints(a, to));
    buffer = out ? gd_zeros(a->ctx, GD_FLOAT64, 1, &room) : NULL;
    counts = buffer ? gd_zeros(a->ctx, GD_FLOAT64, 1, &room) : NULL;
    if (counts) {
        gd_strided_map(
            out, flat, (double *)(void *)buffer->data, (double *)(void *)counts->data,
            (gd_geometry){arg_count(a, from), arg_ints(a, from), arg_ints(a, from + 1), arg_int(a, from + 2)},
            (gd_geometry){arg_count(a, to), arg_ints(a, to), arg_ints(a, to + 1), arg_int(a, to + 2)},
            a->op->param != 0);
    } else {
        out = then_release(NULL, out);
    }
    gd_release(counts);
    gd_release(buffer);
    gd_release(flat);
    return give(a, out);
}
