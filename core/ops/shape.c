/* shape.c: rows that look at the same memory with other sizes and strides, and the composites over them. */
#include <string.h>

#include "core/ops/args.h"
#include "core/ops/families.h"
#include "core/plan/trace.h"

#define TEXT 512

static gd_code check_rank(gd_ctx *c, int n) {
    if (n <= GD_MAX_DIMS) return GD_OK;
    return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions, got %d", GD_MAX_DIMS, n);
}

static gd_code give_alias(gd_apply *a, int ndim, const int64_t *sizes, const int64_t *strides, int64_t offset) {
    return give(a, gd_alias(a->ctx, arg_tensor(a, 0), ndim, sizes, strides, offset));
}

/* ---- reshape and view ---------------------------------------------------------------------- */

/* The product of the entries that are not -1, and where the -1 is. */
static gd_code known_product(gd_ctx *c, const int64_t *wanted, int n, int64_t *product, int *hole) {
    *product = 1;
    *hole = -1;
    for (int i = 0; i < n; i++) {
        if (wanted[i] == -1) {
            if (*hole >= 0) return gd_fail(c, GD_E_SHAPE, "only one dimension can be inferred");
            *hole = i;
        } else if (wanted[i] < 0) {
            return gd_fail(c, GD_E_SHAPE, "invalid shape dimension %lld", (long long)wanted[i]);
        } else if (!gd_mul_i64(*product, wanted[i], product)) {
            return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
        }
    }
    return GD_OK;
}

gd_code gd_infer_shape(gd_ctx *c, const gd_tensor *t, const int64_t *wanted, int n, int64_t *out) {
    char text[TEXT];
    int64_t product;
    int hole;
    gd_code code = check_rank(c, n);
    if (!code) code = known_product(c, wanted, n, &product, &hole);
    if (code) return code;
    bool fits = hole < 0 ? product == t->numel : product ? t->numel % product == 0 : t->numel == 0;
    if (!fits)
        return gd_fail(c, GD_E_SHAPE, "shape '%s' is invalid for input of size %lld",
                       gd_shape_text(text, sizeof text, n, wanted), (long long)t->numel);
    if (hole >= 0 && !product)
        return gd_fail(
            c, GD_E_SHAPE,
            "cannot reshape tensor of 0 elements into shape %s because the unspecified dimension size -1 can be any "
            "value and is ambiguous",
            gd_shape_text(text, sizeof text, n, wanted));
    for (int i = 0; i < n; i++) out[i] = i == hole ? t->numel / product : wanted[i];
    return GD_OK;
}

/* Walks both shapes from the back: each run of old dimensions that lie evenly in memory must be made of whole new ones.
 */
bool gd_view_strides(const gd_tensor *t, int ndim, const int64_t *sizes, int64_t *strides) {
    if (t->numel == 0) {
        gd_contiguous_strides(ndim, sizes, strides);
        return true;
    }
    const int64_t *old = t->sizes, *old_strides = GD_STRIDES(t);
    int v = ndim - 1;
    if (t->ndim == 0) {
        for (int i = 0; i < ndim; i++) strides[i] = 1;
        return true;
    }
    int64_t run_stride = old_strides[t->ndim - 1], run = 1, made = 1;
    for (int d = t->ndim - 1; d >= 0; d--) {
        run *= old[d];
        if (d != 0 && (old[d - 1] == 1 || old_strides[d - 1] == run * run_stride)) continue;
        while (v >= 0 && (made < run || sizes[v] == 1)) {
            strides[v] = made * run_stride;
            made *= sizes[v--];
        }
        if (made != run) return false;
        if (d > 0) {
            run_stride = old_strides[d - 1];
            run = made = 1;
        }
    }
    return v == -1;
}

gd_code gd_fw_view(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int n = arg_count(a, 1);
    gd_code code = gd_infer_shape(a->ctx, t, arg_ints(a, 1), n, sizes);
    if (code) return code;
    if (!gd_view_strides(t, n, sizes, strides))
        return gd_fail(
            a->ctx, GD_E_SHAPE,
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead.");
    return give_alias(a, n, sizes, strides, gd_offset(t));
}

gd_code gd_fw__unsafe_view(gd_apply *a) { return gd_fw_view(a); }

gd_code gd_fw__reshape_alias(gd_apply *a) {
    return give_alias(a, arg_count(a, 1), arg_ints(a, 1), arg_ints(a, 2), gd_offset(arg_tensor(a, 0)));
}

gd_code gd_fw__alias(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    return give_alias(a, t->ndim, t->sizes, GD_STRIDES(t), gd_offset(t));
}

/* New: t with the given complete shape, as a view or as a fresh copy. */
static gd_tensor *reshaped(gd_ctx *c, gd_tensor *t, int n, const int64_t *sizes) {
    int64_t strides[GD_MAX_DIMS];
    gd_value shape = GD_INTS_VALUE(sizes, n);
    if (gd_view_strides(t, n, sizes, strides))
        return DO(c, _reshape_alias, GD_TENSOR_VALUE(t), shape, GD_INTS_VALUE(strides, n));
    gd_tensor *copy = DO(c, contiguous, GD_TENSOR_VALUE(t));
    return copy ? then_release(DO(c, _unsafe_view, GD_TENSOR_VALUE(copy), shape), copy) : NULL;
}

gd_code gd_fw_reshape(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS];
    int n = arg_count(a, 1);
    gd_code code = gd_infer_shape(a->ctx, t, arg_ints(a, 1), n, sizes);
    return code ? code : give(a, reshaped(a->ctx, t, n, sizes));
}

/* view_as, reshape_as, expand_as: the row in `param` with other's sizes. */
gd_code gd_fw_like_other(gd_apply *a) {
    gd_tensor *other = arg_tensor(a, 1);
    const gd_value args[] = {a->args[0], GD_INTS_VALUE(other->sizes, other->ndim)};
    return give(a, gd_do(a->ctx, (gd_op_id)a->op->param, args, 2));
}

gd_code gd_fw_flatten(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], merged = 1;
    int start, end, n = 0;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &start);
    if (!code) code = gd_wrap_dim(a->ctx, arg_int(a, 2), t->ndim, &end);
    if (code) return code;
    if (start > end)
        return gd_fail(a->ctx, GD_E_SHAPE, "flatten() has invalid args: start_dim cannot come after end_dim");
    if (t->ndim && start == end) return give(a, gd_retain(t));
    for (int d = start; d <= end && t->ndim; d++)
        if (!gd_mul_i64(merged, t->sizes[d], &merged))
            return gd_fail(a->ctx, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    for (int d = 0; d < start; d++) sizes[n++] = t->sizes[d];
    sizes[n++] = merged;
    for (int d = end + 1; d < t->ndim; d++) sizes[n++] = t->sizes[d];
    return give(a, reshaped(a->ctx, t, n, sizes));
}

static gd_code unflatten_misfit(gd_apply *a, int dim) {
    char text[TEXT];
    return gd_fail(a->ctx, GD_E_SHAPE,
                   "unflatten: Provided sizes %s don't multiply up to the size of dim %d (%lld) in the input tensor",
                   gd_shape_text(text, sizeof text, arg_count(a, 2), arg_ints(a, 2)), dim,
                   (long long)arg_tensor(a, 0)->sizes[dim]);
}

gd_code gd_fw_unflatten(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    const int64_t *parts = arg_ints(a, 2);
    int64_t sizes[GD_MAX_DIMS], product;
    int dim, hole, n = arg_count(a, 2);
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (!code && t->ndim == 0)
        code = gd_fail(a->ctx, GD_E_INDEX, "Dimension specified as %d but tensor has no dimensions", dim);
    if (!code && n == 0) code = gd_fail(a->ctx, GD_E_SHAPE, "unflatten: sizes must be non-empty");
    if (!code) code = check_rank(a->ctx, t->ndim - 1 + n);
    if (!code) code = known_product(a->ctx, parts, n, &product, &hole);
    if (code) return code;
    int64_t size = t->sizes[dim];
    if (hole < 0 ? product != size : !product || size % product) return unflatten_misfit(a, dim);
    memcpy(sizes, t->sizes, (size_t)dim * sizeof *sizes);
    for (int i = 0; i < n; i++) sizes[dim + i] = i == hole ? size / product : parts[i];
    memcpy(sizes + dim + n, t->sizes + dim + 1, (size_t)(t->ndim - dim - 1) * sizeof *sizes);
    return give(a, DO(a->ctx, view, a->args[0], GD_INTS_VALUE(sizes, t->ndim - 1 + n)));
}

/* ---- order of dimensions ------------------------------------------------------------------- */

gd_code gd_fw_transpose(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int d0, d1;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &d0);
    if (!code) code = gd_wrap_dim(a->ctx, arg_int(a, 2), t->ndim, &d1);
    if (code) return code;
    for (int d = 0; d < t->ndim; d++) {
        int from = d == d0 ? d1 : d == d1 ? d0 : d;
        sizes[d] = t->sizes[from];
        strides[d] = GD_STRIDES(t)[from];
    }
    return give_alias(a, t->ndim, sizes, strides, gd_offset(t));
}

static gd_code check_t(gd_ctx *c, const gd_tensor *t) {
    if (t->ndim <= 2) return GD_OK;
    return gd_fail(c, GD_E_SHAPE, "t() expects a tensor with <= 2 dimensions, but self is %dD", t->ndim);
}

gd_code gd_fw_t(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = check_t(a->ctx, t);
    if (code) return code;
    if (t->ndim < 2) return gd_fw__alias(a);
    const int64_t *s = GD_STRIDES(t);
    return give_alias(a, 2, (int64_t[]){t->sizes[1], t->sizes[0]}, (int64_t[]){s[1], s[0]}, gd_offset(t));
}

gd_code gd_fw_t_(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    gd_code code = check_t(a->ctx, t);
    if (code || t->ndim < 2) return code;
    for (int k = 0; k <= 2; k += 2) { /* the two sizes, then the two strides */
        int64_t first = t->sizes[k];
        t->sizes[k] = t->sizes[k + 1];
        t->sizes[k + 1] = first;
    }
    return GD_OK;
}

gd_code gd_fw_reversed(gd_apply *a) {
    int64_t dims[GD_MAX_DIMS];
    int n = arg_tensor(a, 0)->ndim;
    for (int d = 0; d < n; d++) dims[d] = n - 1 - d;
    return give(a, DO(a->ctx, permute, a->args[0], GD_INTS_VALUE(dims, n)));
}

gd_code gd_fw_matrix_t(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    if (t->ndim == 1)
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.");
    if (t->ndim == 0) return give(a, gd_retain(t));
    return give(a, DO(a->ctx, transpose, a->args[0], GD_INT_VALUE(-2), GD_INT_VALUE(-1)));
}

gd_code gd_fw_permute(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    bool seen[GD_MAX_DIMS] = {0};
    if (arg_count(a, 1) != t->ndim)
        return gd_fail(
            a->ctx, GD_E_SHAPE,
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            "ordering of dimensions i.e. input.dim() = %d is not equal to len(dims) = %d",
            t->ndim, arg_count(a, 1));
    for (int d = 0; d < t->ndim; d++) {
        int from;
        gd_code code = gd_wrap_dim(a->ctx, arg_ints(a, 1)[d], t->ndim, &from);
        if (code) return code;
        if (seen[from]) return gd_fail(a->ctx, GD_E_SHAPE, "permute(): duplicate dims are not allowed.");
        seen[from] = true;
        sizes[d] = t->sizes[from];
        strides[d] = GD_STRIDES(t)[from];
    }
    return give_alias(a, t->ndim, sizes, strides, gd_offset(t));
}

/* Wraps a list of dimensions of movedim; `what` is "source" or "destination". */
static gd_code movedim_list(gd_apply *a, int arg, const char *what, int64_t *out, bool *seen) {
    char text[TEXT];
    for (int i = 0; i < arg_count(a, arg); i++) {
        int d;
        gd_code code = gd_wrap_dim(a->ctx, arg_ints(a, arg)[i], arg_tensor(a, 0)->ndim, &d);
        if (code) return code;
        if (seen[d])
            return gd_fail(a->ctx, GD_E_SHAPE, "movedim: repeated dim in `%s` (%s)", what,
                           gd_shape_text(text, sizeof text, arg_count(a, arg), arg_ints(a, arg)));
        seen[d] = true;
        out[i] = d;
    }
    return GD_OK;
}

gd_code gd_fw_movedim(gd_apply *a) {
    char from_text[TEXT], to_text[TEXT];
    int64_t from[GD_MAX_DIMS], to[GD_MAX_DIMS], order[GD_MAX_DIMS] = {0};
    bool taken[GD_MAX_DIMS] = {0}, filled[GD_MAX_DIMS] = {0};
    int n = arg_tensor(a, 0)->ndim, count = arg_count(a, 1);
    if (count != arg_count(a, 2))
        return gd_fail(
            a->ctx, GD_E_SHAPE,
            "movedim: Invalid source or destination dims: source (%s dims) should contain the same number of dims as "
            "destination (%s dims)",
            gd_shape_text(from_text, sizeof from_text, count, arg_ints(a, 1)),
            gd_shape_text(to_text, sizeof to_text, arg_count(a, 2), arg_ints(a, 2)));
    gd_code code = movedim_list(a, 1, "source", from, taken);
    if (!code) code = movedim_list(a, 2, "destination", to, filled);
    if (code) return code;
    if (n == 0) return give(a, DO(a->ctx, _alias, a->args[0]));
    for (int i = 0; i < count; i++) order[to[i]] = from[i];
    for (int d = 0, next = 0; d < n; d++) {
        if (filled[d]) continue;
        while (taken[next]) next++;
        order[d] = next++;
    }
    return give(a, DO(a->ctx, permute, a->args[0], GD_INTS_VALUE(order, n)));
}

/* ---- sizes of one -------------------------------------------------------------------------- */

gd_code gd_fw_squeeze(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < t->ndim; d++) {
        if (t->sizes[d] == 1) continue;
        sizes[n] = t->sizes[d];
        strides[n++] = GD_STRIDES(t)[d];
    }
    return give_alias(a, n, sizes, strides, gd_offset(t));
}

gd_code gd_fw_squeeze_dim(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int dim, n = 0;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (code) return code;
    for (int d = 0; d < t->ndim; d++) {
        if (d == dim && t->sizes[d] == 1) continue;
        sizes[n] = t->sizes[d];
        strides[n++] = GD_STRIDES(t)[d];
    }
    return give_alias(a, n, sizes, strides, gd_offset(t));
}

gd_code gd_fw_unsqueeze(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    int dim, n = t->ndim + 1;
    gd_code code = check_rank(a->ctx, n);
    if (!code) code = gd_wrap_dim(a->ctx, arg_int(a, 1), n, &dim);
    if (code) return code;
    for (int d = 0; d < n; d++) {
        int from = d < dim ? d : d - 1;
        sizes[d] = d == dim ? 1 : t->sizes[from];
        if (d != dim) strides[d] = GD_STRIDES(t)[from];
    }
    strides[dim] = dim == n - 1 ? 1 : sizes[dim + 1] * strides[dim + 1];
    return give_alias(a, n, sizes, strides, gd_offset(t));
}

static gd_code expand_misfit(gd_apply *a, int d, int64_t size) {
    char wanted[TEXT], had[TEXT];
    gd_tensor *t = arg_tensor(a, 0);
    return gd_fail(
        a->ctx, GD_E_SHAPE,
        "The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton dimension %d.  "
        "Target sizes: %s.  Tensor sizes: %s",
        (long long)arg_ints(a, 1)[d], (long long)size, d,
        gd_shape_text(wanted, sizeof wanted, arg_count(a, 1), arg_ints(a, 1)),
        gd_shape_text(had, sizeof had, t->ndim, t->sizes));
}

static gd_code expand_rank(gd_apply *a) {
    char wanted[TEXT], had[TEXT];
    gd_tensor *t = arg_tensor(a, 0);
    int n = arg_count(a, 1);
    if (n >= t->ndim) return check_rank(a->ctx, n);
    return gd_fail(
        a->ctx, GD_E_SHAPE,
        "expand(torch.%s{%s}, size=%s): the number of sizes provided (%d) must be greater or equal to the number of "
        "dimensions in the tensor (%d)",
        gd_dtype_legacy_name((gd_dtype)t->dtype), gd_shape_text(had, sizeof had, t->ndim, t->sizes),
        gd_shape_text(wanted, sizeof wanted, n, arg_ints(a, 1)), n, t->ndim);
}

gd_code gd_fw_expand(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    const int64_t *wanted = arg_ints(a, 1);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS], numel;
    int n = arg_count(a, 1), lead = n - t->ndim;
    gd_code code = expand_rank(a);
    if (code) return code;
    for (int d = n - 1; d >= 0; d--) {
        int64_t size = d < lead ? 1 : t->sizes[d - lead];
        if (d < lead && wanted[d] < 0)
            return gd_fail(
                a->ctx, GD_E_SHAPE,
                "The expanded size of the tensor (%lld) isn't allowed in a leading, non-existing dimension %d",
                (long long)wanted[d], d);
        sizes[d] = wanted[d] == -1 ? size : wanted[d];
        if (size != 1 && sizes[d] != size) return expand_misfit(a, d, size);
        if (sizes[d] < 0) return expand_misfit(a, d, size);
        /* A repeated dimension stays in place; a new one is laid out as contiguous would, as unsqueeze does. */
        bool same = d >= lead && sizes[d] == size;
        strides[d] = same            ? GD_STRIDES(t)[d - lead]
                     : sizes[d] != 1 ? 0
                     : d == n - 1    ? 1
                                     : sizes[d + 1] * strides[d + 1];
    }
    code = gd_checked_numel(a->ctx, (gd_dtype)t->dtype, n, sizes, &numel);
    return code ? code : give_alias(a, n, sizes, strides, gd_offset(t));
}

/* ---- as_strided ---------------------------------------------------------------------------- */

/* Do sizes, strides and offset stay inside the storage of t? */
static gd_code check_inside(gd_apply *a, const gd_tensor *t, int64_t offset) {
    char size_text[TEXT], stride_text[TEXT];
    const int64_t *sizes = arg_ints(a, 1), *strides = arg_ints(a, 2);
    int n = arg_count(a, 1);
    int64_t last = offset, bytes = (int64_t)gd_dtype_bytes((gd_dtype)t->dtype), need, numel;
    gd_code code = gd_checked_numel(a->ctx, (gd_dtype)t->dtype, n, sizes, &numel);
    if (code || numel == 0) return code;
    for (int d = 0; d < n; d++) {
        int64_t reach;
        if (!gd_mul_i64(sizes[d] - 1, strides[d], &reach) || !gd_add_i64(last, reach, &last))
            return gd_fail(a->ctx, GD_E_TOO_LARGE, "Storage size calculation overflowed with sizes=%s and strides=%s",
                           gd_shape_text(size_text, sizeof size_text, n, sizes),
                           gd_shape_text(stride_text, sizeof stride_text, n, strides));
    }
    if (last < INT64_MAX && gd_mul_i64(last + 1, bytes, &need) && (uint64_t)need <= t->storage->nbytes) return GD_OK;
    return gd_fail(
        a->ctx, GD_E_SHAPE,
        "setStorage: sizes %s, strides %s, storage offset %lld, and itemsize %lld requiring a storage size of %lld are out "
        "of bounds for storage of size %zu",
        gd_shape_text(size_text, sizeof size_text, n, sizes),
        gd_shape_text(stride_text, sizeof stride_text, n, strides), (long long)offset, (long long)bytes,
        (long long)(last < INT64_MAX / bytes ? (last + 1) * bytes : INT64_MAX), t->storage->nbytes);
}

static gd_code check_geometry(gd_apply *a, int64_t offset) {
    char text[TEXT];
    int n = arg_count(a, 1);
    gd_code code = check_rank(a->ctx, n);
    if (code) return code;
    if (n != arg_count(a, 2)) return gd_fail(a->ctx, GD_E_SHAPE, "mismatch in length of strides and shape");
    for (int d = 0; d < n; d++)
        if (arg_ints(a, 2)[d] < 0)
            return gd_fail(a->ctx, GD_E_SHAPE,
                           "as_strided: Negative strides are not supported at the moment, got strides: %s",
                           gd_shape_text(text, sizeof text, n, arg_ints(a, 2)));
    if (offset < 0) return gd_fail(a->ctx, GD_E_SHAPE, "Tensor: invalid storage offset %lld", (long long)offset);
    return check_inside(a, arg_tensor(a, 0), offset);
}

gd_code gd_fw_as_strided(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t own = gd_offset(t);
    int64_t offset = a->args[3].kind == GD_V_NONE ? own : arg_int(a, 3);
    return give(a, DO(a->ctx, _as_strided_view, a->args[0], a->args[1], a->args[2], GD_INT_VALUE(offset),
                      GD_INTS_VALUE(GD_STRIDES(t), t->ndim), GD_INT_VALUE(own)));
}

gd_code gd_fw__as_strided_view(gd_apply *a) {
    const gd_tensor *t = arg_tensor(a, 0);
    const int64_t *sizes = arg_ints(a, 1);
    int64_t strides[GD_MAX_DIMS], offset = arg_int(a, 3),
                                  room = (int64_t)(t->storage->nbytes / gd_dtype_bytes((gd_dtype)t->dtype));
    int n = arg_count(a, 1);
    gd_code code = check_geometry(a, offset);
    if (code) return code;
    bool empty = false;
    for (int d = 0; d < n; d++) empty |= sizes[d] == 0;
    /* Strides and offsets that are never walked are kept small, so that arithmetic on them cannot overflow. */
    for (int d = 0; d < n; d++)
        strides[d] = (empty || sizes[d] == 1) && arg_ints(a, 2)[d] > room ? 1 : arg_ints(a, 2)[d];
    return give_alias(a, n, sizes, strides, offset > room ? room : offset);
}

/* ---- parts of a dimension ------------------------------------------------------------------ */

gd_code gd_fw_select(gd_apply *a) {
    char text[TEXT];
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS], index = arg_int(a, 2);
    int dim, n = 0;
    if (t->ndim == 0) return gd_fail(a->ctx, GD_E_INDEX, "select() cannot be applied to a 0-dim tensor.");
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (code) return code;
    int64_t size = t->sizes[dim];
    if (index < -size || index >= size)
        return gd_fail(a->ctx, GD_E_INDEX, "select(): index %lld out of range for tensor of size %s at dimension %d",
                       (long long)index, gd_shape_text(text, sizeof text, t->ndim, t->sizes), dim);
    if (index < 0) index += size;
    for (int d = 0; d < t->ndim; d++) {
        if (d == dim) continue;
        sizes[n] = t->sizes[d];
        strides[n++] = GD_STRIDES(t)[d];
    }
    return give_alias(a, n, sizes, strides, gd_offset(t) + index * GD_STRIDES(t)[dim]);
}

static int64_t clamp_to(int64_t v, int64_t size) { return v < 0 ? 0 : v > size ? size : v; }

gd_code gd_fw_slice(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS], step = arg_int(a, 4);
    int dim;
    if (t->ndim == 0) return gd_fail(a->ctx, GD_E_INDEX, "slice() cannot be applied to a 0-dim tensor.");
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (code) return code;
    if (step <= 0) return gd_fail(a->ctx, GD_E_SHAPE, "slice step must be positive");
    int64_t size = t->sizes[dim];
    int64_t start = a->args[2].kind == GD_V_NONE ? 0 : arg_int(a, 2),
            end = a->args[3].kind == GD_V_NONE ? size : arg_int(a, 3);
    start = clamp_to(start < 0 ? start + size : start, size);
    end = clamp_to(end < 0 ? end + size : end, size);
    if (end < start) end = start;
    memcpy(sizes, t->sizes, t->ndim * sizeof *sizes);
    memcpy(strides, GD_STRIDES(t), t->ndim * sizeof *strides);
    int64_t offset = gd_offset(t) + start * strides[dim];
    sizes[dim] = (end - start) / step + ((end - start) % step != 0);
    /* A step beyond the size leaves one entry at most: its stride is never walked, so it need not be exact. */
    if (!gd_mul_i64(strides[dim], step, &strides[dim])) strides[dim] = GD_STRIDES(t)[dim];
    return give_alias(a, t->ndim, sizes, strides, offset);
}

gd_code gd_fw_narrow(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0), *at = a->op->param ? arg_tensor(a, 2) : NULL;
    int dim, wrapped;
    if (t->ndim == 0) return gd_fail(a->ctx, GD_E_SHAPE, "narrow() cannot be applied to a 0-dim tensor.");
    if (at && (at->ndim || gd_dtype_is_float((gd_dtype)at->dtype) || at->dtype == GD_BOOL))
        return gd_fail(a->ctx, GD_E_VALUE, "start must be an 0-dim integral Tensor.");
    gd_trace_read(a->ctx, at, "the start of narrow()");
    int64_t start = at ? gd_load_i64((gd_dtype)at->dtype, at->data) : arg_int(a, 2), length = arg_int(a, 3);
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 1), t->ndim, &dim);
    if (code) return code;
    int64_t size = t->sizes[dim];
    if (start != size) {
        code = size > INT32_MAX ? GD_OK : gd_wrap_dim(a->ctx, start, (int)size, &wrapped);
        if (code) return code;
        if (start < 0) start += size ? size : 1;
    }
    if (start < 0 || start > size || length < 0 || length > size - start)
        return gd_fail(a->ctx, GD_E_SHAPE, "start (%lld) + length (%lld) exceeds dimension size (%lld).",
                       (long long)start, (long long)length, (long long)size);
    return give(a, DO(a->ctx, slice, a->args[0], GD_INT_VALUE(dim), GD_INT_VALUE(start), GD_INT_VALUE(start + length),
                      GD_INT_VALUE(1)));
}

gd_code gd_fw_diagonal(gd_apply *a) {
    gd_tensor *t = arg_tensor(a, 0);
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS], offset = arg_int(a, 1), start = gd_offset(t);
    int d1, d2, n = 0;
    gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 2), t->ndim, &d1);
    if (!code) code = gd_wrap_dim(a->ctx, arg_int(a, 3), t->ndim, &d2);
    if (code) return code;
    if (d1 == d2)
        return gd_fail(a->ctx, GD_E_SHAPE, "diagonal dimensions cannot be identical %lld, %lld",
                       (long long)arg_int(a, 2), (long long)arg_int(a, 3));
    int64_t rows = t->sizes[d1], columns = t->sizes[d2], step1 = GD_STRIDES(t)[d1], step2 = GD_STRIDES(t)[d2];
    int64_t down = offset < 0 ? (offset < -rows ? rows : -offset) : 0,
            right = offset > 0 ? (offset > columns ? columns : offset) : 0;
    int64_t count = rows - down < columns - right ? rows - down : columns - right;
    for (int d = 0; d < t->ndim; d++) {
        if (d == d1 || d == d2) continue;
        sizes[n] = t->sizes[d];
        strides[n++] = GD_STRIDES(t)[d];
    }
    sizes[n] = count;
    strides[n++] = step1 + step2;
    if (count > 0) start += down * step1 + right * step2;
    return give_alias(a, n, sizes, strides, start);
}
