/* ctc.c: ctc_loss; rows of ctc.def. The recursions are in core/kernels/ctc.c. */
#include <math.h>
#include <string.h>

#include "core/kernels/ctc.h"
#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/rules.h"
#include "core/plan/trace.h"

#define TEXT 256
#define WHERE "(while checking arguments for ctc_loss_cpu)"

/* ---- what clients call ------------------------------------------------------------------------------------------ */

/* The loss of each sample, reduced; `lengths` of each sample's labels. */
static gd_code loss_of(gd_apply *a, gd_value input_lengths, gd_value target_lengths) {
    gd_ctx *c = a->ctx;
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0);
    const bool batched = x->ndim == 3, zeroes = a->args[6].u.boolean;
    gd_code code = gd_read_loss_name(a, 5, &r);
    if (code) return code;
    if (!batched) x = GX(c, unsqueeze, T_(x), I_(1));
    gd_tensor *targets = GX(c, to_dtype, a->args[1], GD_DTYPE_VALUE(GD_INT64));
    gd_tensor *loss = GX(c, _ctc_loss, T_(x), T_(targets), input_lengths, target_lengths, a->args[4], B_(zeroes));
    if (loss && zeroes) {
        gd_tensor *none = gd_pool_add(c, gd_zeros(c, (gd_dtype)loss->dtype, 0, NULL));
        loss = gx_where(c, GX(c, eq, T_(loss), T_(gx_number(c, INFINITY))), none, loss);
    }
    if (r == GD_REDUCE_SUM) return give_shared(a, GX(c, sum, T_(loss)));
    if (r == GD_REDUCE_NONE) return give_shared(a, batched ? loss : GX(c, squeeze_dim, T_(loss), I_(0)));
    if (!loss) return gd_failed(c);
    gd_tensor *lengths = gd_pool_add(c, gd_empty(c, (gd_dtype)loss->dtype, 1, (const int64_t[]){target_lengths.n}));
    for (uint32_t i = 0; lengths && i < target_lengths.n; i++)
        gd_store_f64((gd_dtype)loss->dtype, lengths->data + i * gd_dtype_bytes((gd_dtype)loss->dtype),
                     fmax((double)target_lengths.u.ints[i], 1));
    return give_shared(a, GX(c, mean, T_(gx_div(c, loss, lengths))));
}

gd_code gd_fw_ctc_loss(gd_apply *a) {
    (void)gd_composing(a);
    return loss_of(a, a->args[2], a->args[3]);
}

/* New reference: whole numbers as contiguous int64. */
static gd_tensor *lengths_of(gd_ctx *c, gd_tensor *t) {
    gd_trace_read(c, t, "ctc_loss()");
    gd_tensor *wide = gd_as_dtype(c, t, GD_INT64);
    gd_tensor *flat = wide ? gd_as_contiguous(c, wide) : NULL;
    gd_release(wide);
    return flat;
}

static bool is_integral(const gd_tensor *t) { return t->dtype != GD_BOOL && !gd_dtype_is_float((gd_dtype)t->dtype); }

gd_code gd_fw_ctc_loss_tensors(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    if (!is_integral(arg_tensor(a, 2))) return gd_fail(c, GD_E_RUNTIME, "input_lengths must be integral");
    if (!is_integral(arg_tensor(a, 3))) return gd_fail(c, GD_E_RUNTIME, "target_lengths must be integral");
    gd_tensor *in = lengths_of(c, arg_tensor(a, 2)), *target = in ? lengths_of(c, arg_tensor(a, 3)) : NULL;
    gd_code code = target ? GD_OK : gd_failed(c);
    if (!code && (in->numel > INT32_MAX || target->numel > INT32_MAX))
        code = gd_fail(c, GD_E_TOO_LARGE, "ctc_loss: too many lengths");
    if (!code)
        code = loss_of(a, IS_((const int64_t *)(const void *)in->data, in->numel),
                       IS_((const int64_t *)(const void *)target->data, target->numel));
    gd_release(in);
    gd_release(target);
    return code;
}

/* ---- what it records ------------------------------------------------------------------------------------------ */

static gd_code check_batch(gd_apply *a, int first) {
    gd_ctx *c = a->ctx;
    const gd_tensor *x = arg_tensor(a, first), *targets = arg_tensor(a, first + 1);
    if (!gd_dtype_is_float((gd_dtype)x->dtype))
        return gd_fail(c, GD_E_DTYPE, "\"ctc_loss_cpu\" not implemented for '%s'",
                       gd_dtype_scalar_name((gd_dtype)x->dtype));
    if (x->ndim != 3)
        return gd_fail(
            c, GD_E_SHAPE,
            "Expected 3-dimensional tensor, but got %d-dimensional tensor for argument #1 'log_probs' " WHERE, x->ndim);
    if (targets->ndim != 1 && targets->ndim != 2)
        return gd_fail(c, GD_E_SHAPE,
                       "Expected 1 to 2 dimensions, but got %d-dimensional tensor for argument #2 'targets' " WHERE,
                       targets->ndim);
    if (arg_int(a, first + 4) < 0 || arg_int(a, first + 4) >= x->sizes[2])
        return gd_fail(c, GD_E_RUNTIME, "blank must be in label range");
    if (arg_count(a, first + 2) != x->sizes[1])
        return gd_fail(c, GD_E_RUNTIME, "input_lengths must be of size batch_size");
    if (arg_count(a, first + 3) != x->sizes[1])
        return gd_fail(c, GD_E_RUNTIME, "target_lengths must be of size batch_size");
    if (x->sizes[0] == 0) return gd_fail(c, GD_E_SHAPE, "start (0) + length (1) exceeds dimension size (0).");
    return GD_OK;
}

/* Labels must be there for each sample: end to end in one row, or each in its own. *longest: of a sample. */
static gd_code check_lengths(gd_apply *a, int first, int64_t *longest) {
    gd_ctx *c = a->ctx;
    const gd_tensor *x = arg_tensor(a, first), *targets = arg_tensor(a, first + 1);
    const int64_t *steps = arg_ints(a, first + 2), *lengths = arg_ints(a, first + 3);
    int64_t total = 0;
    *longest = 0;
    for (int64_t i = 0; i < x->sizes[1]; i++) {
        if (lengths[i] < 0 || !gd_add_i64(total, lengths[i], &total))
            return gd_fail(c, GD_E_RUNTIME,
                           "Expected target_lengths to have value at least 0, but got value %lld " WHERE,
                           (long long)lengths[i]);
        if (lengths[i] > *longest) *longest = lengths[i];
    }
    const bool flat = targets->ndim == 1;
    if (targets->sizes[0] != (flat ? total : x->sizes[1]))
        return gd_fail(
            c, GD_E_SHAPE,
            "Expected tensor to have size %lld at dimension 0, but got size %lld for argument #2 'targets' " WHERE,
            (long long)(flat ? total : x->sizes[1]), (long long)targets->sizes[0]);
    if (!flat && targets->sizes[1] < *longest)
        return gd_fail(
            c, GD_E_SHAPE,
            "Expected tensor to have size at least %lld at dimension 1, but got size %lld for argument #2 'targets' " WHERE,
            (long long)*longest, (long long)targets->sizes[1]);
    for (int64_t i = 0; i < x->sizes[1]; i++)
        if (steps[i] < 0 || steps[i] > x->sizes[0])
            return gd_fail(
                c, GD_E_RUNTIME, "Expected input_lengths to have value at %s %lld, but got value %lld " WHERE,
                steps[i] < 0 ? "least" : "most", (long long)(steps[i] < 0 ? 0 : x->sizes[0]), (long long)steps[i]);
    return GD_OK;
}

static gd_code check_labels(gd_ctx *c, const gd_ctc *s) {
    for (int64_t i = 0; i < s->length; i++)
        if (s->labels[i] < 0 || s->labels[i] >= s->classes)
            return gd_fail(c, GD_E_INDEX, "ctc_loss: target %lld is out of bounds.", (long long)s->labels[i]);
    return GD_OK;
}

/* The tensors of a batch, contiguous. */
typedef struct batch {
    gd_tensor *x, *targets;
    const int64_t *steps, *lengths;
    int64_t blank, width, at; /* at: of the next sample's labels, where all are in one row */
} batch;

static gd_code batch_begin(gd_apply *a, int first, batch *b) {
    gd_ctx *c = a->ctx;
    int64_t longest = 0;
    gd_code code = check_batch(a, first);
    if (!code) code = check_lengths(a, first, &longest);
    if (code) return code;
    b->x = gd_as_contiguous(c, arg_tensor(a, first));
    b->targets = b->x ? gd_as_contiguous(c, arg_tensor(a, first + 1)) : NULL;
    b->steps = arg_ints(a, first + 2);
    b->lengths = arg_ints(a, first + 3);
    b->blank = arg_int(a, first + 4);
    b->at = 0;
    if (!gd_mul_i64(longest, 2, &b->width) || !gd_add_i64(b->width, 1, &b->width))
        return gd_fail(c, GD_E_TOO_LARGE, "ctc_loss: too many labels");
    return b->targets ? GD_OK : gd_failed(c);
}

static void batch_end(batch *b) {
    gd_release(b->x);
    gd_release(b->targets);
}

static gd_ctc sample(batch *b, int64_t i) {
    const int64_t *labels = (const int64_t *)(const void *)b->targets->data;
    labels += b->targets->ndim == 1 ? b->at : i * b->targets->sizes[1];
    b->at += b->lengths[i];
    return (gd_ctc){b->steps[i],    b->lengths[i], labels, b->blank, b->x->sizes[1] * b->x->sizes[2],
                    b->x->sizes[2], b->width};
}

static char *element(const gd_tensor *t, int64_t i) { return t->data + (size_t)i * gd_dtype_bytes((gd_dtype)t->dtype); }

gd_code gd_fw__ctc_loss(gd_apply *a) {
    gd_ctx *c = a->ctx;
    batch b = {0};
    gd_code code = gd_apply_reserve(a, 2);
    if (!code) code = batch_begin(a, 0, &b);
    const gd_tensor *x = arg_tensor(a, 0);
    const gd_dtype dtype = (gd_dtype)x->dtype;
    int64_t sizes[] = {x->ndim == 3 ? x->sizes[1] : 0, x->ndim == 3 ? x->sizes[0] : 0, b.width}, numel;
    if (!code) code = gd_checked_numel(c, dtype, 3, sizes, &numel);
    if (!code) a->out[0] = gd_empty(c, dtype, 1, sizes);
    if (!code && a->out[0]) a->out[1] = gd_zeros(c, dtype, 3, sizes);
    if (!code && !a->out[1]) code = gd_failed(c);
    for (int64_t i = 0; !code && i < sizes[0]; i++) {
        gd_ctc s = sample(&b, i);
        code = check_labels(c, &s);
        if (code) break;
        double loss = s.steps > 0    ? gd_ctc_forward(dtype, &s, element(b.x, i * s.classes),
                                                      element(a->out[1], i * sizes[1] * b.width))
                      : s.length > 0 ? INFINITY
                                     : -0.0;
        gd_store_f64(dtype, element(a->out[0], i), loss);
    }
    batch_end(&b);
    return code;
}

/* Zero beyond a sample's steps, and, with zero_infinity, of samples whose loss is infinite. */
static void sample_gradient(gd_apply *a, const gd_ctc *s, const batch *b, int64_t i, gd_tensor *beta, gd_tensor *out) {
    const gd_tensor *g = arg_tensor(a, 0), *loss = arg_tensor(a, 6), *alpha = arg_tensor(a, 7);
    const gd_dtype dtype = (gd_dtype)out->dtype;
    const double v = gd_load_f64(dtype, element(loss, i)), scale = gd_load_f64(dtype, element(g, i * GD_STRIDES(g)[0]));
    if (s->steps == 0 || (a->args[8].u.boolean && v == INFINITY)) return;
    for (int64_t t = 0; t < s->steps; t++)
        for (int64_t k = 0; k < s->classes; k++)
            gd_store_f64(dtype, element(out, t * s->step + i * s->classes + k), -INFINITY);
    gd_ctc_backward(dtype, s, element(b->x, i * s->classes), element(alpha, i * alpha->sizes[1] * b->width), v, scale,
                    beta->data, element(out, i * s->classes));
}

gd_code gd_fw__ctc_loss_backward(gd_apply *a) {
    gd_ctx *c = a->ctx;
    batch b = {0};
    gd_code code = batch_begin(a, 1, &b);
    const gd_dtype dtype = (gd_dtype)arg_tensor(a, 1)->dtype;
    gd_tensor *out = code ? NULL : gd_zeros(c, dtype, 3, b.x->sizes);
    gd_tensor *beta = out ? gd_empty(c, dtype, 2, (const int64_t[]){2, b.width}) : NULL;
    if (!code && !beta) code = gd_failed(c);
    for (int64_t i = 0; !code && i < b.x->sizes[1]; i++) {
        gd_ctc s = sample(&b, i);
        code = check_labels(c, &s);
        if (!code) sample_gradient(a, &s, &b, i, beta, out);
    }
    gd_release(beta);
    batch_end(&b);
    return code ? gd_release(out), code : give(a, out);
}

void gd_bw__ctc_loss(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _ctc_loss_backward, T_(b->grads[0]), T_(gd_bw_tensor(b, 0)), T_(gd_bw_tensor(b, 1)),
                 gd_bw_arg(b, 2), gd_bw_arg(b, 3), gd_bw_arg(b, 4), T_(gd_bw_output(b, 0)), T_(gd_bw_output(b, 1)),
                 gd_bw_arg(b, 5)));
}
