/* arrange.c: rows that broadcast, stack, tile, turn and cut tensors. All but few are formulas over other rows, in the
 * order in which PyTorch composes them, so that graphs look the same. Derivatives of the rest are in arrange_rules.c.
 */
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/plan/trace.h"

#define TEXT 512

static gd_tensor *const *list_of(const gd_apply *a, int i) { return a->args[i].u.tensors; }
static gd_tensor *reshaped(gd_ctx *c, gd_tensor *t, gd_value shape) { return GX(c, reshape, T_(t), shape); }

static gd_code too_many_dims(gd_ctx *c) {
    return gd_fail(c, GD_E_TOO_LARGE, "a tensor has at most %d dimensions", GD_MAX_DIMS);
}

/* ---- broadcasting ------------------------------------------------------------------------------------------ */

gd_code gd_fw_broadcast_to(gd_apply *a) { return give(a, DO(a->ctx, expand, a->args[0], a->args[1])); }

gd_code gd_fw_broadcast_tensors(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int64_t sizes[GD_MAX_DIMS], wider[GD_MAX_DIMS];
    int n = arg_count(a, 0), ndim = 0;
    for (int i = 0; i < n; i++) {
        const gd_tensor *t = list_of(a, 0)[i];
        gd_code code = gd_broadcast_shape(c, ndim, sizes, t->ndim, t->sizes, wider, &ndim);
        if (code) return code;
        memcpy(sizes, wider, (size_t)ndim * sizeof *sizes);
    }
    gd_code code = gd_apply_reserve(a, n);
    for (int i = 0; i < n && !code; i++) code = give_one(a, i, GX(c, expand, T_(list_of(a, 0)[i]), IS_(sizes, ndim)));
    return code;
}

/* The grids of n vectors into `out`, borrowed from the pool. */
static gd_code grids(gd_ctx *c, gd_tensor *const *tensors, int n, gd_tensor **out) {
    int64_t shape[GD_MAX_DIMS], one[GD_MAX_DIMS];
    if (n > GD_MAX_DIMS) return too_many_dims(c);
    for (int i = 0; i < n; i++) {
        shape[i] = tensors[i]->ndim ? tensors[i]->sizes[0] : 1;
        one[i] = 1;
    }
    for (int i = 0; i < n; i++) {
        one[i] = tensors[i]->numel;
        out[i] = GX(c, expand, T_(GX(c, view, T_(tensors[i]), IS_(one, n))), IS_(shape, n));
        one[i] = 1;
        if (!out[i]) return gd_failed(c);
    }
    return GD_OK;
}

static gd_code check_grid(gd_ctx *c, gd_tensor *const *tensors, int n) {
    char text[TEXT];
    if (n == 0) return gd_fail(c, GD_E_SHAPE, "meshgrid expects a non-empty TensorList");
    for (int i = 0; i < n; i++)
        if (tensors[i]->ndim > 1)
            return gd_fail(c, GD_E_SHAPE, "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: %s",
                           gd_shape_text(text, sizeof text, tensors[i]->ndim, tensors[i]->sizes));
    for (int i = 1; i < n; i++)
        if (tensors[i]->dtype != tensors[0]->dtype)
            return gd_fail(c, GD_E_DTYPE, "torch.meshgrid expects all tensors to have the same dtype");
    return GD_OK;
}

gd_code gd_fw_meshgrid(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *out[GD_MAX_DIMS];
    int n = arg_count(a, 0);
    const char *indexing = a->args[1].kind == GD_V_STR ? a->args[1].u.str : "ij";
    gd_code code = check_grid(c, list_of(a, 0), n);
    if (code) return code;
    bool columns = strcmp(indexing, "xy") == 0;
    if (!columns && strcmp(indexing, "ij") != 0)
        return gd_fail(c, GD_E_VALUE, "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: %s",
                       indexing);
    if (n > GD_MAX_DIMS) return too_many_dims(c);
    gd_tensor *list[GD_MAX_DIMS] = {0};
    for (int i = 0; i < n; i++) list[i] = list_of(a, 0)[i];
    columns = columns && n > 1;
    if (columns) list[0] = list_of(a, 0)[1], list[1] = list_of(a, 0)[0];
    code = grids(c, list, n, out);
    if (!code) code = gd_apply_reserve(a, n);
    for (int i = 0; i < n && !code; i++) {
        gd_tensor *t = out[columns && i < 2 ? 1 - i : i];
        code = give_one(a, i, t);
    }
    return code;
}

gd_code gd_fw_cartesian_prod(gd_apply *a) {
    char text[TEXT];
    gd_ctx *c = gd_composing(a);
    gd_tensor *out[GD_MAX_DIMS];
    int n = arg_count(a, 0);
    for (int i = 0; i < n; i++) {
        const gd_tensor *t = list_of(a, 0)[i];
        if (t->ndim != 1)
            return gd_fail(c, GD_E_SHAPE, "Expect a 1D vector, but got shape %s",
                           gd_shape_text(text, sizeof text, t->ndim, t->sizes));
    }
    if (n == 1) return give_shared(a, list_of(a, 0)[0]);
    gd_code code = check_grid(c, list_of(a, 0), n);
    if (!code) code = grids(c, list_of(a, 0), n, out);
    for (int i = 0; i < n && !code; i++) out[i] = GX(c, flatten, T_(out[i]));
    return code ? code : give_shared(a, GX(c, stack, TS_(out, n), I_(1)));
}

/* True where r indices of n entries ascend (strictly, unless entries may come twice). */
static gd_tensor *ascending(gd_ctx *c, int64_t n, int r, bool twice) {
    int64_t one[GD_MAX_DIMS], shape[GD_MAX_DIMS];
    gd_tensor *range = GX(c, arange, I_(n)), *mask = NULL;
    for (int i = 0; i < r; i++) one[i] = 1, shape[i] = n;
    if (r == 1) return GX(c, ge, T_(range), T_(gx_number(c, 0)));
    for (int i = 0; i + 1 < r; i++) {
        one[i] = n;
        gd_tensor *low = reshaped(c, range, IS_(one, r));
        one[i] = 1;
        one[i + 1] = n;
        gd_tensor *high = reshaped(c, range, IS_(one, r));
        one[i + 1] = 1;
        gd_tensor *pair = twice ? GX(c, le, T_(low), T_(high)) : GX(c, lt, T_(low), T_(high));
        mask = mask ? GX(c, logical_and, T_(mask), T_(pair)) : pair;
    }
    return GX(c, expand, T_(mask), IS_(shape, r));
}

gd_code gd_fw_combinations(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *self = arg_tensor(a, 0), *same[GD_MAX_DIMS], *out[GD_MAX_DIMS];
    int64_t r = arg_int(a, 1), none = 0;
    if (self->ndim != 1)
        return gd_fail(c, GD_E_SHAPE, "Expect a 1D vector, but got shape %s",
                       gd_shape_text((char[TEXT]){0}, TEXT, self->ndim, self->sizes));
    if (r < 0) return gd_fail(c, GD_E_VALUE, "Expect a non-negative number, but got %lld", (long long)r);
    if (r == 0) return give(a, gd_zeros(c, (gd_dtype)self->dtype, 1, &none));
    if (r > GD_MAX_DIMS) return too_many_dims(c);
    for (int i = 0; i < (int)r; i++) same[i] = self;
    gd_code code = grids(c, same, (int)r, out);
    if (code) return code;
    gd_tensor *mask = ascending(c, self->numel, (int)r, a->args[2].u.boolean);
    for (int i = 0; i < (int)r; i++) out[i] = GX(c, masked_select, T_(out[i]), T_(mask));
    return out[r - 1] ? give_shared(a, GX(c, stack, TS_(out, r), I_(1))) : gd_failed(c);
}

/* ---- block_diag -------------------------------------------------------------------------------------------- */

static int64_t block_rows(const gd_tensor *t) { return t->ndim == 2 ? t->sizes[0] : 1; }
static int64_t block_columns(const gd_tensor *t) { return t->ndim == 0 ? 1 : t->sizes[t->ndim - 1]; }

static gd_code block_sizes(gd_apply *a, int64_t *sizes) {
    sizes[0] = arg_count(a, 0) ? 0 : 1;
    sizes[1] = 0;
    for (int i = 0; i < arg_count(a, 0); i++) {
        const gd_tensor *t = list_of(a, 0)[i];
        if (t->ndim > 2)
            return gd_fail(
                a->ctx, GD_E_SHAPE,
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input %d has %d dimensions", i,
                t->ndim);
        if (!gd_add_i64(sizes[0], block_rows(t), &sizes[0]) || !gd_add_i64(sizes[1], block_columns(t), &sizes[1]))
            return gd_fail(a->ctx, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    }
    return GD_OK;
}

gd_code gd_fw_block_diag(gd_apply *a) {
    gd_ctx *c = a->ctx;
    int64_t sizes[2], row = 0, column = 0;
    gd_code code = block_sizes(a, sizes);
    if (code) return code;
    gd_dtype dtype = arg_count(a, 0) ? gd_result_type(list_of(a, 0), arg_count(a, 0)) : GD_FLOAT32;
    gd_tensor *out = gd_zeros(c, dtype, 2, sizes);
    for (int i = 0; out && i < arg_count(a, 0); i++) {
        const gd_tensor *t = list_of(a, 0)[i];
        const int64_t block[] = {block_rows(t), block_columns(t)};
        gd_tensor *part = gd_alias(c, out, 2, block, GD_STRIDES(out), row * GD_STRIDES(out)[0] + column);
        if (!part) {
            gd_release(out);
            return gd_failed(c);
        }
        gd_copy_values(part, t);
        gd_release(part);
        row += block[0];
        column += block[1];
    }
    return give(a, out);
}

/* ---- turning ----------------------------------------------------------------------------------------------- */

gd_code gd_fw_flip_one(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int dim = a->op->param;
    if (arg_tensor(a, 0)->ndim <= dim) return gd_fail(c, GD_E_SHAPE, "Input must be >= %d-d.", dim + 1);
    return give_shared(a, GX(c, flip, a->args[0], SHAPE_(dim)));
}

static gd_code check_rot90(gd_apply *a, int *plane) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    const int64_t *dims = arg_ints(a, 2);
    if (arg_count(a, 2) != 2)
        return gd_fail(c, GD_E_SHAPE, "expected total rotation dims == 2, but got dims = %d", arg_count(a, 2));
    if (t->ndim < 2) return gd_fail(c, GD_E_SHAPE, "expected total dims >= 2, but got total dims = %d", t->ndim);
    for (int i = 0; i < 2; i++)
        if (dims[i] >= t->ndim || dims[i] < -t->ndim)
            return gd_fail(c, GD_E_SHAPE, "Rotation dim%d out of range, dim%d = %lld", i, i, (long long)dims[i]);
    for (int i = 0; i < 2; i++) plane[i] = (int)(dims[i] < 0 ? dims[i] + t->ndim : dims[i]);
    if (plane[0] == plane[1])
        return gd_fail(c, GD_E_SHAPE, "expected rotation dims to be different, but got dim0 = %lld and dim1 = %lld",
                       (long long)dims[0], (long long)dims[1]);
    return GD_OK;
}

/* New: t with two dimensions swapped in what the tensor says of its memory; t is nobody else's. */
static gd_tensor *swapped(gd_ctx *c, gd_tensor *t, const int *plane) {
    int64_t sizes[GD_MAX_DIMS], strides[GD_MAX_DIMS];
    if (!t) return NULL;
    memcpy(sizes, t->sizes, (size_t)t->ndim * sizeof *sizes);
    memcpy(strides, GD_STRIDES(t), (size_t)t->ndim * sizeof *strides);
    sizes[plane[0]] = t->sizes[plane[1]], sizes[plane[1]] = t->sizes[plane[0]];
    strides[plane[0]] = GD_STRIDES(t)[plane[1]], strides[plane[1]] = GD_STRIDES(t)[plane[0]];
    return gd_alias(c, t, t->ndim, sizes, strides, gd_offset(t));
}

gd_code gd_fw_rot90(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int plane[2];
    gd_code code = check_rot90(a, plane);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *self = arg_tensor(a, 0), *out;
    int64_t k = arg_int(a, 1) % 4;
    if (k < 0) k += 4;
    if (k == 0)
        out = gd_retain(GX(c, clone, T_(self)));
    else if (k == 2)
        out = gd_retain(GX(c, flip, T_(self), SHAPE_(plane[0], plane[1])));
    else
        out = swapped(c, GX(c, flip, T_(self), SHAPE_(plane[k == 1 ? 1 : 0])), plane);
    c->mode = mode;
    return give(a, out);
}

gd_code gd_fw_adjoint(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    if (a->op->param && t->ndim != 2 && t->ndim != 0)
        return gd_fail(c, GD_E_SHAPE, "tensor.H is only supported on matrices (2-D tensors). Got %d-D tensor.%s",
                       t->ndim, t->ndim > 2 ? " For batches of matrices, consider using tensor.mH" : "");
    if (t->ndim == 1)
        return gd_fail(c, GD_E_SHAPE,
                       "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D "
                       "tensor.");
    if (t->ndim == 0) return give_shared(a, t);
    return give_shared(a, GX(c, transpose, T_(t), I_(-2), I_(-1)));
}

/* ---- cutting ----------------------------------------------------------------------------------------------- */

static gd_code cut_dim(gd_apply *a, int64_t wanted, int *dim) {
    gd_tensor *t = arg_tensor(a, 0);
    if (t->ndim == 0)
        return gd_fail(a->ctx, GD_E_SHAPE,
                       "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
    return gd_wrap_dim(a->ctx, wanted, t->ndim, dim);
}

static gd_code cut_evenly(gd_apply *a, int64_t sections, int dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    if (sections <= 0)
        return gd_fail(c, GD_E_SHAPE, "number of sections must be larger than 0, got %lld", (long long)sections);
    if (sections > 1 << 20) return gd_fail(c, GD_E_TOO_LARGE, "too many pieces: %lld", (long long)sections);
    int64_t least = t->sizes[dim] / sections, more = t->sizes[dim] % sections, at = 0;
    gd_code code = gd_apply_reserve(a, (int)sections);
    for (int i = 0; i < (int)sections && !code; i++) {
        int64_t end = at + least + (i < more);
        code = give_one(a, i, GX(c, slice, T_(t), I_(dim), I_(at), I_(end), I_(1)));
        at = end;
    }
    return code;
}

static gd_code cut_before(gd_apply *a, const int64_t *places, int n, int dim) {
    gd_ctx *c = a->ctx;
    gd_tensor *t = arg_tensor(a, 0);
    int64_t at = 0;
    gd_code code = gd_apply_reserve(a, n + 1);
    for (int i = 0; i <= n && !code; i++) {
        int64_t end = i < n ? places[i] : t->sizes[dim];
        code = give_one(a, i, GX(c, slice, T_(t), I_(dim), I_(at), I_(end), I_(1)));
        at = end;
    }
    return code;
}

gd_code gd_fw_tensor_split(gd_apply *a) {
    int dim;
    gd_composing(a);
    gd_code code = cut_dim(a, arg_int(a, 2), &dim);
    return code ? code : cut_evenly(a, arg_int(a, 1), dim);
}

gd_code gd_fw_tensor_split_indices(gd_apply *a) {
    int dim;
    gd_composing(a);
    gd_code code = cut_dim(a, arg_int(a, 2), &dim);
    return code ? code : cut_before(a, arg_ints(a, 1), arg_count(a, 1), dim);
}

gd_code gd_fw_tensor_split_tensor(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *places = arg_tensor(a, 1);
    int dim;
    if (places->dtype != GD_INT64)
        return gd_fail(c, GD_E_DTYPE,
                       "tensor_split expected tensor_indices_or_sections to have dtype of long, but got %s",
                       gd_dtype_scalar_name((gd_dtype)places->dtype));
    if (places->ndim > 1)
        return gd_fail(c, GD_E_SHAPE,
                       "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional "
                       "tensor, but got a tensor with %d dims",
                       places->ndim);
    gd_code code = cut_dim(a, arg_int(a, 2), &dim);
    gd_trace_read(c, places, "the places of tensor_split()");
    gd_tensor *flat = code ? NULL : gd_pool_add(c, gd_as_contiguous(c, places));
    if (!flat) return code ? code : gd_failed(c);
    const int64_t *v = (const int64_t *)(const void *)flat->data;
    return places->ndim ? cut_before(a, v, (int)flat->numel, dim) : cut_evenly(a, v[0], dim);
}

/* hsplit (param 1), vsplit (0), dsplit (2). */
gd_code gd_fw_split_axis(gd_apply *a) {
    static const char letters[] = "vhd";
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    int axis = a->op->param, least = axis == 1 ? 1 : axis == 0 ? 2 : 3, dim = axis == 1 && t->ndim == 1 ? 0 : axis;
    if (t->ndim < least)
        return gd_fail(
            c, GD_E_SHAPE,
            "torch.%csplit requires a tensor with at least %d dimension%s, but got a tensor with %d dimensions!",
            letters[axis], least, least == 1 ? "" : "s", t->ndim);
    if (a->args[1].kind == GD_V_INTS) return cut_before(a, arg_ints(a, 1), arg_count(a, 1), dim);
    int64_t sections = arg_int(a, 1);
    if (sections == 0 || t->sizes[dim] % sections != 0)
        return gd_fail(c, GD_E_SHAPE,
                       "torch.%csplit attempted to split along dimension %d, but the size of the dimension %lld is not "
                       "divisible by the split_size %lld!",
                       letters[axis], dim, (long long)t->sizes[dim], (long long)sections);
    return cut_evenly(a, sections, dim);
}

/* ---- stacking ---------------------------------------------------------------------------------------------- */

gd_code gd_fw_ravel(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    return give_shared(a, GX(c, view, T_(GX(c, contiguous, a->args[0])), SHAPE_(-1)));
}

static gd_tensor *with_dims(gd_ctx *c, gd_tensor *t, int least) {
    if (t->ndim >= least) return t;
    if (t->ndim == 0) return reshaped(c, t, IS_(((const int64_t[]){1, 1, 1}), least));
    if (t->ndim == 1 && least == 2) return GX(c, unsqueeze, T_(t), I_(0));
    if (t->ndim == 1) t = GX(c, unsqueeze, T_(t), I_(0));
    return GX(c, unsqueeze, T_(t), I_(-1));
}

gd_code gd_fw_atleast(gd_apply *a) {
    return give_shared(a, with_dims(gd_composing(a), arg_tensor(a, 0), a->op->param));
}

gd_code gd_fw_atleast_list(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_code code = gd_apply_reserve(a, arg_count(a, 0));
    for (int i = 0; i < arg_count(a, 0) && !code; i++)
        code = give_one(a, i, with_dims(c, list_of(a, 0)[i], a->op->param));
    return code;
}

/* hstack (param 1), vstack (2), dstack (3): joined along the last of so many dimensions at least. */
gd_code gd_fw_stack_axis(gd_apply *a) {
    static const char letters[] = "?hvd";
    gd_ctx *c = gd_composing(a);
    int n = arg_count(a, 0), least = a->op->param;
    if (n == 0) return gd_fail(c, GD_E_SHAPE, "%cstack expects a non-empty TensorList", letters[least]);
    gd_tensor **list = gd_pointers(c, n), *out = NULL;
    for (int i = 0; list && i < n; i++) list[i] = with_dims(c, list_of(a, 0)[i], least);
    if (list && !c->error.code) {
        int dim = least == 1 ? list[0]->ndim > 1 : least == 2 ? 0 : 2;
        out = GX(c, cat, TS_(list, n), I_(dim));
    }
    free(list);
    return give_shared(a, out);
}

gd_code gd_fw_column_stack(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int n = arg_count(a, 0);
    if (n == 0) return gd_fail(c, GD_E_SHAPE, "column_stack expects a non-empty TensorList");
    gd_tensor **list = gd_pointers(c, n), *out = NULL;
    for (int i = 0; list && i < n; i++) {
        gd_tensor *t = list_of(a, 0)[i];
        list[i] = t->ndim <= 1 ? reshaped(c, t, SHAPE_(t->numel, 1)) : t;
    }
    if (list && !c->error.code) out = GX(c, cat, TS_(list, n), I_(1));
    free(list);
    return give_shared(a, out);
}

gd_code gd_fw_tile(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int64_t repeats[GD_MAX_DIMS];
    int n = arg_count(a, 1), rank = arg_tensor(a, 0)->ndim;
    if (n >= rank) return give_shared(a, GX(c, repeat, a->args[0], a->args[1]));
    for (int d = 0; d < rank; d++) repeats[d] = d < rank - n ? 1 : arg_ints(a, 1)[d - (rank - n)];
    return give_shared(a, GX(c, repeat, a->args[0], IS_(repeats, rank)));
}

/* ---- diagonals --------------------------------------------------------------------------------------------- */

gd_code gd_fw_diagflat(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *line = GX(c, view, T_(GX(c, contiguous, a->args[0])), SHAPE_(-1));
    return give_shared(a, GX(c, diag, T_(line), a->args[1]));
}

static gd_code embed_dims(gd_apply *a, int *plane) {
    gd_tensor *t = arg_tensor(a, 0);
    if (t->ndim == GD_MAX_DIMS) return too_many_dims(a->ctx);
    for (int i = 0; i < 2; i++) {
        gd_code code = gd_wrap_dim(a->ctx, arg_int(a, 2 + i), t->ndim + 1, &plane[i]);
        if (code) return code;
    }
    if (plane[0] == plane[1])
        return gd_fail(a->ctx, GD_E_SHAPE, "diagonal dimensions cannot be identical %lld, %lld",
                       (long long)arg_int(a, 2), (long long)arg_int(a, 3));
    return gd_wrap_dim(a->ctx, -1, t->ndim, &(int){0});
}

gd_code gd_fw_diag_embed(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0), *part;
    int64_t offset = arg_int(a, 1), sizes[GD_MAX_DIMS], length;
    int plane[2], from = 0;
    gd_code code = embed_dims(a, plane);
    if (code) return code;
    if (t->ndim == 0) return gd_fail(c, GD_E_INDEX, "Dimension specified as -1 but tensor has no dimensions");
    if (offset == INT64_MIN || !gd_add_i64(t->sizes[t->ndim - 1], offset < 0 ? -offset : offset, &length))
        return gd_fail(c, GD_E_TOO_LARGE, "numel: integer multiplication overflow");
    for (int d = 0; d <= t->ndim; d++) sizes[d] = d == plane[0] || d == plane[1] ? length : t->sizes[from++];
    gd_tensor *out = gd_zeros(c, (gd_dtype)t->dtype, t->ndim + 1, sizes);
    if (!out) return gd_failed(c);
    part = GX(c, diagonal, T_(out), I_(offset), I_(plane[0]), I_(plane[1]));
    if (part)
        gd_copy_values(part, t);
    else
        out = then_release(NULL, out);
    /* The view goes with the pool; out must not count as its base for the client. */
    return give(a, out);
}

/* ---- repeating --------------------------------------------------------------------------------------------- */

/* New: each place i repeats[i] times, as a vector; `n` places, and one number may stand for all. */
static gd_tensor *places(gd_ctx *c, gd_tensor *repeats, int64_t n, const gd_value *output_size) {
    gd_trace_read(c, repeats, "the repeats of repeat_interleave()");
    gd_tensor *flat = gd_as_dtype(c, repeats, GD_INT64), *whole = flat ? gd_as_contiguous(c, flat) : NULL, *out = NULL;
    gd_release(flat);
    if (!whole) return NULL;
    const int64_t *times = (const int64_t *)(const void *)whole->data;
    int64_t total = 0, *to;
    gd_code code = GD_OK;
    for (int64_t i = 0; i < n && !code; i++) {
        int64_t k = times[whole->numel == 1 ? 0 : i];
        if (k < 0)
            code = gd_fail(c, GD_E_RUNTIME, "repeats can not be negative");
        else if (!gd_add_i64(total, k, &total))
            code = gd_fail(c, GD_E_TOO_LARGE, "repeat_interleave: too many entries");
    }
    if (!code && output_size->kind == GD_V_INT && output_size->u.integer != total)
        code = gd_fail(c, GD_E_RUNTIME, "allocated size does not match required size");
    if (!code) out = gd_empty(c, GD_INT64, 1, &total);
    to = out ? (int64_t *)(void *)out->data : NULL;
    for (int64_t i = 0; out && i < n; i++)
        for (int64_t k = times[whole->numel == 1 ? 0 : i]; k > 0; k--) *to++ = i;
    gd_release(whole);
    return out;
}

gd_code gd_fw_repeat_interleave_indices(gd_apply *a) {
    gd_tensor *repeats = arg_tensor(a, 0);
    if (repeats->ndim != 1) return gd_fail(a->ctx, GD_E_SHAPE, "repeat_interleave only accept 1D vector as repeat");
    if (repeats->dtype != GD_INT64 && repeats->dtype != GD_INT32)
        return gd_fail(a->ctx, GD_E_DTYPE, "repeats has to be Long or Int tensor");
    return give(a, places(a->ctx, repeats, repeats->numel, &a->args[1]));
}

gd_code gd_fw_repeat_interleave(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *self = arg_tensor(a, 0), *repeats;
    int dim = 0;
    if (a->op->param) {
        repeats = arg_tensor(a, 1);
        if (repeats->dtype != GD_INT64 && repeats->dtype != GD_INT32)
            return gd_fail(c, GD_E_DTYPE, "repeats has to be Long or Int tensor");
        if (repeats->ndim > 1) return gd_fail(c, GD_E_SHAPE, "repeats must be 0-dim or 1-dim tensor");
    } else {
        if (arg_int(a, 1) < 0) return gd_fail(c, GD_E_RUNTIME, "repeats can not be negative");
        repeats = gd_pool_add(c, gd_scalar_i64(c, arg_int(a, 1), GD_INT64));
    }
    if (a->args[2].kind == GD_V_NONE) self = GX(c, flatten, T_(self));
    if (!self || !repeats) return gd_failed(c);
    gd_code code = gd_wrap_dim(c, a->args[2].kind == GD_V_NONE ? 0 : arg_int(a, 2), self->ndim, &dim);
    if (code) return code;
    int64_t size = self->ndim ? self->sizes[dim] : 1;
    if (repeats->numel != 1 && repeats->numel != size)
        return gd_fail(c, GD_E_SHAPE, "repeats must have the same size as input along dim");
    gd_tensor *index = gd_pool_add(c, places(c, repeats, size, &a->args[3]));
    return give_shared(a, GX(c, index_select, T_(self), I_(dim), T_(index)));
}

gd_code gd_fw_narrow_copy(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *self = gd_pool_add(c, gd_data(c, arg_tensor(a, 0)));
    gd_tensor *out = GX(c, clone, T_(GX(c, narrow, T_(self), a->args[1], a->args[2], a->args[3])));
    c->mode = mode;
    return give_shared(a, out);
}

/* ---- summing back ------------------------------------------------------------------------------------------ */

gd_code gd_fw_sum_to_size(gd_apply *a) {
    char have[TEXT], want[TEXT];
    gd_ctx *c = gd_composing(a);
    gd_tensor *t = arg_tensor(a, 0);
    const int64_t *sizes = arg_ints(a, 1);
    int64_t kept[GD_MAX_DIMS];
    int n = arg_count(a, 1), nkept = 0, first = t->ndim - n;
    bool fits = first >= 0;
    for (int d = 0; d < n && fits; d++) fits = sizes[d] == 1 || sizes[d] == t->sizes[d + first];
    if (!fits)
        return gd_fail(c, GD_E_SHAPE, "size {%s} is not expandable to size {%s}.",
                       gd_shape_text(want, sizeof want, n, sizes), gd_shape_text(have, sizeof have, t->ndim, t->sizes));
    if (n == 0) return give_shared(a, GX(c, sum, T_(t)));
    for (int d = 0; d < first; d++) kept[nkept++] = d;
    for (int d = 0; d < n; d++)
        if (sizes[d] == 1 && t->sizes[d + first] != 1) kept[nkept++] = d + first;
    if (nkept) t = GX(c, sum_dim, T_(t), IS_(kept, nkept), B_(true));
    if (first > 0) t = GX(c, view, T_(t), a->args[1]);
    return give_shared(a, t);
}
