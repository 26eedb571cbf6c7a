/* bags.c: embedding_bag: rows of bags.def. Loops are in core/kernels/bags.c. */
#include <string.h>

#include "core/kernels/bags.h"
#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/rules.h"

#define TEXT 256

static const char *const modes[] = {"sum", "mean", "max"};

/* ---- what clients call ------------------------------------------------------------------------------------------ */

static gd_code read_mode(gd_apply *a, int *mode) {
    gd_ctx *c = a->ctx;
    for (*mode = 0; *mode < 3; ++*mode)
        if (strcmp(a->args[6].u.str, modes[*mode]) == 0) break;
    if (*mode == 3) return gd_fail(c, GD_E_VALUE, "mode has to be one of sum, mean or max");
    if (*mode != GD_BAG_MAX) return GD_OK;
    if (a->args[5].u.boolean)
        return gd_fail(c, GD_E_VALUE, "max mode does not support scaling the gradient by the frequency");
    if (a->args[7].u.boolean) return gd_fail(c, GD_E_VALUE, "max mode does not support sparse weights");
    return GD_OK;
}

static gd_code check_each(gd_ctx *c, const gd_tensor *input, const gd_tensor *each) {
    char one[TEXT], two[TEXT];
    if (!each || gd_same_shape(input, each)) return GD_OK;
    return gd_fail(
        c, GD_E_VALUE,
        "embedding_bag: If per_sample_weights (torch.Size(%s)) is not None, then it must have the same shape "
        "as the input (torch.Size(%s))",
        gd_shape_text(one, sizeof one, each->ndim, each->sizes),
        gd_shape_text(two, sizeof two, input->ndim, input->sizes));
}

/* Bags of a matrix are its rows: where they start. */
static gd_tensor *starts_of_rows(gd_ctx *c, const gd_tensor *input) {
    if (input->sizes[1] == 0) return gd_fail(c, GD_E_RUNTIME, "step must be nonzero"), NULL;
    return GX(c, arange_start, I_(0), I_(input->numel), I_(input->sizes[1]), GD_DTYPE_VALUE((gd_dtype)input->dtype));
}

/* Makes a vector and its bags of what input, offsets and factors say. */
static gd_code read_bags(gd_apply *a, gd_tensor **input, gd_tensor **offsets, gd_tensor **each) {
    gd_ctx *c = a->ctx;
    *offsets = gd_maybe_tensor(a, 2);
    if ((*input)->ndim == 2) {
        if (*offsets)
            return gd_fail(c, GD_E_VALUE,
                           "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed "
                           "length sequences. However, found offsets of type <class 'torch.Tensor'>");
        *offsets = starts_of_rows(c, *input);
        *input = GX(c, reshape, T_(*input), SHAPE_(-1));
        if (*each) *each = GX(c, reshape, T_(*each), SHAPE_(-1));
        return *offsets && *input && c->error.code == GD_OK ? GD_OK : gd_failed(c);
    }
    if ((*input)->ndim != 1)
        return gd_fail(c, GD_E_VALUE, "input has to be 1D or 2D Tensor, but got Tensor of dimension %d",
                       (*input)->ndim);
    if (!*offsets) return gd_fail(c, GD_E_VALUE, "offsets has to be a 1D Tensor but got None");
    return (*offsets)->ndim == 1 ? GD_OK : gd_fail(c, GD_E_VALUE, "offsets has to be a 1D Tensor");
}

/* The row that does not count, or -1. */
static gd_code read_padding(gd_apply *a, const gd_tensor *weight, int64_t *padding) {
    *padding = -1;
    if (a->args[10].kind == GD_V_NONE || weight->ndim != 2) return GD_OK;
    const int64_t rows = weight->sizes[0], given = arg_int(a, 10);
    if (given >= rows || given < -rows)
        return gd_fail(a->ctx, GD_E_RUNTIME,
                       "padding_idx must be within the number of embeddings, -%lld through %lld, but got %lld",
                       (long long)rows, (long long)(rows - 1), (long long)given);
    *padding = given < 0 ? given + rows : given;
    return GD_OK;
}

/* The arguments also come in the order of old, weight first. */
gd_code gd_fw_embedding_bag(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *input = arg_tensor(a, 0), *weight = arg_tensor(a, 1), *offsets, *each = gd_maybe_tensor(a, 8);
    if (weight->dtype == GD_INT64 && gd_dtype_is_float((gd_dtype)input->dtype))
        weight = input, input = arg_tensor(a, 1);
    int mode = 0;
    int64_t padding = -1;
    gd_code code = check_each(c, input, each);
    if (!code) code = read_bags(a, &input, &offsets, &each);
    if (!code) code = read_mode(a, &mode);
    if (!code && a->args[3].kind != GD_V_NONE) code = gd_bound_rows(c, weight, input, arg_f64(a, 3), arg_f64(a, 4));
    if (!code && each && mode != GD_BAG_SUM)
        code = gd_fail(c, GD_E_NOT_IMPLEMENTED,
                       "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
                       "mode='sum' (got mode='%s'). Please open a feature request on GitHub.",
                       modes[mode]);
    if (!code) code = read_padding(a, weight, &padding);
    if (code) return code;
    return give_shared(a, GX(c, _embedding_bag, T_(weight), T_(input), T_(offsets), a->args[5], I_(mode), a->args[7],
                             each ? T_(each) : GD_NONE_VALUE, a->args[9], I_(padding)));
}

/* ---- what they record ------------------------------------------------------------------------------------------- */

static gd_code wrong_type(gd_ctx *c, int at, const char *name, const char *types, const gd_tensor *t) {
    return gd_fail(c, GD_E_DTYPE,
                   "Expected tensor for argument #%d '%s' to have one of the following scalar types: %s; but got "
                   "torch.%s instead (while checking arguments for embedding_bag)",
                   at, name, types, gd_dtype_legacy_name((gd_dtype)t->dtype));
}

static bool is_index(const gd_tensor *t) { return t->dtype != GD_BOOL && !gd_dtype_is_float((gd_dtype)t->dtype); }

static gd_code check_types(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_tensor *weight = arg_tensor(a, 0), *index = arg_tensor(a, 1), *offsets = arg_tensor(a, 2);
    const gd_tensor *each = gd_maybe_tensor(a, 6);
    if (!is_index(index)) return wrong_type(c, 1, "indices", "Long, Int", index);
    if (!is_index(offsets)) return wrong_type(c, 1, "offsets", "Long, Int", offsets);
    if (!gd_dtype_is_float((gd_dtype)weight->dtype)) return wrong_type(c, 1, "weight", "Half, Float, Double", weight);
    if (each && each->dtype != weight->dtype)
        return gd_fail(c, GD_E_DTYPE,
                       "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
                       "'per_sample_weights'; but type torch.%s does not equal torch.%s (while checking arguments for "
                       "embedding_bag)",
                       gd_dtype_legacy_name((gd_dtype)weight->dtype), gd_dtype_legacy_name((gd_dtype)each->dtype));
    return GD_OK;
}

static gd_code check_shapes(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_tensor *weight = arg_tensor(a, 0), *index = arg_tensor(a, 1), *offsets = arg_tensor(a, 2);
    const gd_tensor *each = gd_maybe_tensor(a, 6);
    if (weight->ndim != 2)
        return gd_fail(c, GD_E_SHAPE, "weight has to be a 2D Tensor, but got Tensor of dimension %d", weight->ndim);
    if (index->ndim != 1)
        return gd_fail(c, GD_E_SHAPE, "input has to be a 1D or 2D Tensor, but got Tensor of dimension %d", index->ndim);
    if (offsets->ndim != 1)
        return gd_fail(c, GD_E_SHAPE, "offsets has to be a 1D Tensor, but got Tensor of dimension %d", offsets->ndim);
    if (arg_int(a, 4) < 0 || arg_int(a, 4) > 2) return gd_fail(c, GD_E_VALUE, "mode has to be one of sum, mean or max");
    if (arg_int(a, 4) != GD_BAG_SUM && each)
        return gd_fail(c, GD_E_RUNTIME, "embedding_bag: per_sample_weights only supported with mode='sum'");
    if (each && (each->ndim != 1 || each->numel != index->numel))
        return gd_fail(c, GD_E_SHAPE,
                       "embedding_bag: per_sample_weights has to be a 1D Tensor with as many elements as indices");
    if (arg_tensor(a, 2)->numel == 0 && a->args[7].u.boolean)
        return gd_fail(c, GD_E_RUNTIME, "include_last_offset: number of offset should be at least 1");
    return GD_OK;
}

/* Every index must name a row. */
static gd_code check_rows(gd_ctx *c, const int64_t *index, int64_t n, int64_t rows) {
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= rows)
            return gd_fail(c, GD_E_RUNTIME,
                           "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be %lld",
                           (long long)index[i]);
    return GD_OK;
}

/* bag[i]: to which bag index i belongs. */
static gd_code spread_offsets(gd_ctx *c, const int64_t *offset, int64_t bags, bool last, int64_t n, int64_t *bag) {
    const int64_t given = bags + last;
    if (given && offset[0] != 0)
        return gd_fail(
            c, GD_E_RUNTIME,
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
            "However, got %lld",
            (long long)offset[0]);
    if (given && offset[given - 1] > n)
        return gd_fail(c, GD_E_RUNTIME,
                       "offsets[-1] can not be greater than input's length %lld but got offsets[-1] of %lld",
                       (long long)n, (long long)offset[given - 1]);
    for (int64_t b = 1; b < given; b++)
        if (offset[b] < offset[b - 1])
            return gd_fail(c, GD_E_RUNTIME, "embedding_bag: offsets have to be in increasing order");
    for (int64_t b = 0; b < bags; b++) {
        const int64_t end = b + 1 < given ? offset[b + 1] : n;
        for (int64_t i = offset[b]; i < end; i++) bag[i] = b;
    }
    return GD_OK;
}

/* New: whole numbers as contiguous int64. */
static gd_tensor *whole(gd_ctx *c, gd_tensor *t) {
    gd_tensor *wide = gd_as_dtype(c, t, GD_INT64), *flat = wide ? gd_as_contiguous(c, wide) : NULL;
    gd_release(wide);
    return flat;
}

static int64_t *ints(const gd_tensor *t) { return (int64_t *)(void *)t->data; }

/* With include_last_offset the indices behind the last offset belong to no bag. */
static int64_t counted(const gd_tensor *offsets, bool last, int64_t n) {
    if (offsets->numel == 0) return 0;
    return last ? ints(offsets)[offsets->numel - 1] : n;
}

static gd_code make_outputs(gd_apply *a, gd_bags *b, const gd_tensor *index, const gd_tensor *offsets) {
    gd_ctx *c = a->ctx;
    const gd_tensor *weight = arg_tensor(a, 0);
    const bool last = a->args[7].u.boolean;
    const int64_t sizes[] = {offsets->numel - last, weight->sizes[1]};
    *b = (gd_bags){(gd_bag_mode)arg_int(a, 4),
                   weight->sizes[0],
                   sizes[1],
                   index->numel,
                   sizes[0],
                   ints(index),
                   NULL,
                   arg_int(a, 8)};
    gd_code code = gd_apply_reserve(a, 4);
    if (!code) code = check_rows(c, b->index, b->n, b->rows);
    int64_t numel;
    if (!code) code = gd_checked_numel(c, GD_INT64, 2, sizes, &numel);
    if (code) return code;
    a->out[0] = gd_zeros(c, (gd_dtype)weight->dtype, 2, sizes);
    a->out[1] = a->out[0] ? gd_zeros(c, GD_INT64, 1, &b->n) : NULL;
    a->out[2] = a->out[1] ? gd_zeros(c, GD_INT64, 1, sizes) : NULL;
    a->out[3] = a->out[2] ? gd_zeros(c, GD_INT64, b->mode == GD_BAG_MAX ? 2 : 1, sizes) : NULL;
    if (!a->out[3]) return gd_failed(c);
    b->bag = ints(a->out[1]);
    code = spread_offsets(c, ints(offsets), b->bags, last, b->n, ints(a->out[1]));
    b->n = counted(offsets, last, b->n);
    return code;
}

/* Outputs: bags, the bag of each index, how many count in each bag, and of MAX the rows that won (else the counts). */
gd_code gd_fw__embedding_bag(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_bags b = {0};
    gd_code code = check_types(a);
    if (!code) code = check_shapes(a);
    if (code) return code;
    gd_tensor *given = gd_maybe_tensor(a, 6);
    gd_tensor *index = whole(c, arg_tensor(a, 1)), *offsets = index ? whole(c, arg_tensor(a, 2)) : NULL;
    gd_tensor *weight = offsets ? gd_as_contiguous(c, arg_tensor(a, 0)) : NULL;
    gd_tensor *each = weight && given ? gd_as_contiguous(c, given) : NULL;
    code = !weight || (given && !each) ? gd_failed(c) : make_outputs(a, &b, index, offsets);
    if (!code) {
        gd_bags_read((gd_dtype)weight->dtype, &b, weight->data, each ? each->data : NULL, a->out[0]->data,
                     ints(a->out[2]), ints(a->out[3]));
        if (b.mode != GD_BAG_MAX) memcpy(a->out[3]->data, a->out[2]->data, gd_nbytes(a->out[2]));
    }
    gd_release(index);
    gd_release(offsets);
    gd_release(weight);
    gd_release(each);
    return code;
}

/* ---- gradients ------------------------------------------------------------------------------------------------- */

/* Gradient rows have arguments grad, indices, bag of each index, and more; `rows` of the weight matrix. */
static gd_code begin(gd_apply *a, gd_bags *b, int64_t rows, gd_tensor **grad, gd_tensor **index) {
    gd_ctx *c = a->ctx;
    *index = whole(c, arg_tensor(a, 1));
    *grad = *index ? gd_as_contiguous(c, arg_tensor(a, 0)) : NULL;
    if (!*grad) return gd_failed(c);
    b->rows = rows;
    b->index = ints(*index);
    b->n = (*index)->numel;
    b->bag = ints(arg_tensor(a, 2));
    b->bags = (*grad)->sizes[0];
    b->width = (*grad)->sizes[1];
    return check_rows(c, b->index, b->n, rows);
}

/* New: what each row's gradient is divided by, or NULL (*code says whether for want of memory). PyTorch means how often
 * the row occurs, but takes the number of the k-th of all indices in order for the k-th of the rows that occur. */
static gd_tensor *frequencies(gd_ctx *c, const gd_bags *b, bool wanted, gd_code *code) {
    gd_tensor *t = wanted ? gd_zeros(c, GD_INT64, 2, (const int64_t[]){2, b->rows}) : NULL;
    if (wanted && !t) *code = gd_failed(c);
    if (!t) return NULL;
    int64_t *divisor = ints(t), *count = divisor + b->rows, at = -1, end = 0, k = 0;
    for (int64_t i = 0; i < b->n; i++) count[b->index[i]]++;
    for (int64_t row = 0; row < b->rows; row++) {
        if (count[row] == 0) continue;
        while (k >= end) end += count[++at];
        divisor[row] = count[at];
        k++;
    }
    return t;
}

/* Of indices that belong to a bag: those before the bags' end. */
gd_code gd_fw__embedding_bag_dense_backward(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const int64_t sizes[] = {arg_int(a, 5), arg_tensor(a, 0)->sizes[1]};
    gd_tensor *grad = NULL, *index = NULL, *given = gd_maybe_tensor(a, 8);
    gd_bags b = {.mode = (gd_bag_mode)arg_int(a, 7), .padding = arg_int(a, 9)};
    gd_code code = begin(a, &b, sizes[0], &grad, &index);
    gd_tensor *counts = code ? NULL : frequencies(c, &b, a->args[6].u.boolean, &code);
    gd_tensor *each = code || !given ? NULL : gd_as_contiguous(c, given);
    gd_tensor *out = code || (given && !each) ? NULL : gd_zeros(c, (gd_dtype)grad->dtype, 2, sizes);
    if (out) {
        b.n = arg_int(a, 10);
        gd_bags_slope((gd_dtype)out->dtype, &b, grad->data, each ? each->data : NULL, ints(arg_tensor(a, 3)),
                      ints(arg_tensor(a, 4)), counts ? ints(counts) : NULL, out->data);
    }
    gd_release(grad);
    gd_release(index);
    gd_release(counts);
    gd_release(each);
    return code ? code : give(a, out);
}

gd_code gd_fw__embedding_bag_weights_backward(gd_apply *a) {
    gd_ctx *c = a->ctx;
    gd_tensor *grad = NULL, *index = NULL;
    gd_bags b = {.mode = GD_BAG_SUM, .padding = arg_int(a, 4)};
    gd_code code = begin(a, &b, arg_tensor(a, 3)->sizes[0], &grad, &index);
    gd_tensor *weight = code ? NULL : gd_as_contiguous(c, arg_tensor(a, 3));
    gd_tensor *out = weight ? gd_zeros(c, (gd_dtype)grad->dtype, 1, &b.n) : NULL;
    if (out) {
        b.n = arg_int(a, 5);
        gd_bags_slope_each((gd_dtype)out->dtype, &b, grad->data, weight->data, out->data);
    }
    gd_release(grad);
    gd_release(index);
    gd_release(weight);
    return code ? code : give(a, out);
}

/* How many indices belong to a bag. */
static int64_t counted_of(gd_bw *b, const gd_tensor *index) {
    gd_tensor *offsets = gd_bw_tensor(b, 2), *flat = offsets ? whole(b->ctx, offsets) : NULL;
    const int64_t n = flat ? counted(flat, gd_bw_arg(b, 7).u.boolean, index->numel) : 0;
    gd_release(flat);
    return n;
}

void gd_bw__embedding_bag(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *index = gd_bw_tensor(b, 1), *bag = gd_bw_output(b, 1);
    int ndim;
    const int64_t *sizes = gd_bw_sizes(b, 0, &ndim);
    if (!g || !index || !bag || !sizes) return;
    const gd_value padding = gd_bw_arg(b, 8), n = I_(counted_of(b, index));
    if (gd_bw_needs(b, 0) && gd_bw_arg(b, 5).u.boolean) {
        (void)gd_fail(c, GD_E_NOT_IMPLEMENTED, "sparse gradients are not supported");
        return;
    }
    if (gd_bw_needs(b, 0)) {
        gd_tensor *each = gd_bw_tensor(b, 6);
        const gd_value args[] = {T_(g),
                                 T_(index),
                                 T_(bag),
                                 T_(gd_bw_output(b, 2)),
                                 T_(gd_bw_output(b, 3)),
                                 I_(sizes[0]),
                                 gd_bw_arg(b, 3),
                                 gd_bw_arg(b, 4),
                                 each ? T_(each) : GD_NONE_VALUE,
                                 padding,
                                 n};
        gd_bw_set(b, 0, gx_do(c, GD_OP__embedding_bag_dense_backward, args, 11));
    }
    if (gd_bw_needs(b, 6))
        gd_bw_set(
            b, 6,
            GX(c, _embedding_bag_weights_backward, T_(g), T_(index), T_(bag), T_(gd_bw_tensor(b, 0)), padding, n));
}
