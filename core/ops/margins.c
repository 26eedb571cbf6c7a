/* margins.c: losses that ask the scores of right classes to lie a margin above the others; rows of loss.def. Each has
 * one pass for its value and one for its gradient, of which PyTorch has no derivative. */
#include <math.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/rules.h"
#include "core/ops/spatial.h"

#define TEXT 256

/* Scores of `rows` samples and what is said of their classes, contiguous. */
typedef struct margins {
    gd_tensor *x, *target, *extra; /* extra: weight, or is_target */
    int64_t rows, classes;
    gd_dtype dtype;
    double p, margin;
    gd_tensor *buffer;     /* three lines of doubles: */
    double *line, *wanted; /* a row's scores, and which of its classes are labels */
    double *slope;
} margins;

static void margins_clear(margins *m) {
    gd_release(m->x);
    gd_release(m->target);
    gd_release(m->extra);
    gd_release(m->buffer);
}

static gd_code no_matrix(gd_ctx *c, const gd_tensor *x) {
    char text[TEXT];
    return gd_fail(c, GD_E_SHAPE, "Expected non-empty vector or matrix with optional 0-dim batch size, but got: %s",
                   gd_shape_text(text, sizeof text, x->ndim, x->sizes));
}

static bool is_matrix(const gd_tensor *x) {
    return x->ndim == 0 || (x->ndim == 1 && x->sizes[0] != 0) || (x->ndim == 2 && x->sizes[1] != 0);
}

static gd_code begin(gd_ctx *c, margins *m, gd_tensor *x, gd_tensor *target, gd_tensor *extra) {
    *m = (margins){.rows = x->ndim == 2 ? x->sizes[0] : 1, .classes = x->ndim ? x->sizes[x->ndim - 1] : 1};
    m->dtype = (gd_dtype)x->dtype;
    m->x = gd_as_contiguous(c, x);
    m->target = m->x ? gd_as_contiguous(c, target) : NULL;
    if (extra && m->target) m->extra = gd_as_contiguous(c, extra);
    m->buffer = m->target ? gd_empty(c, GD_FLOAT64, 2, (const int64_t[]){3, m->classes}) : NULL;
    if (m->buffer && (!extra || m->extra)) {
        m->line = (double *)(void *)m->buffer->data;
        m->wanted = m->line + m->classes;
        m->slope = m->wanted + m->classes;
        return GD_OK;
    }
    margins_clear(m);
    return gd_failed(c);
}

static gd_code wrong_type(gd_ctx *c, const gd_tensor *t, gd_dtype want) {
    return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s", gd_dtype_scalar_name(want),
                   gd_dtype_scalar_name((gd_dtype)t->dtype));
}

/* n elements from the first on, as doubles. */
static void widen(const gd_tensor *t, int64_t first, int64_t n, double *out) {
    if (t->dtype == GD_FLOAT32)
        for (int64_t i = 0; i < n; i++) out[i] = (double)((const float *)(const void *)t->data)[first + i];
    else
        for (int64_t i = 0; i < n; i++) out[i] = ((const double *)(const void *)t->data)[first + i];
}

static int64_t label(const margins *m, int64_t i) { return ((const int64_t *)(const void *)m->target->data)[i]; }

/* ---- one class ------------------------------------------------------------------------------------------------ */

static gd_code check_multi_margin(gd_ctx *c, const gd_tensor *x, const gd_tensor *target, const gd_tensor *weight) {
    char text[TEXT];
    int64_t rows = x->ndim == 2 ? x->sizes[0] : 1;
    if (!is_matrix(x)) return no_matrix(c, x);
    if (target->ndim > 1 || target->numel != rows)
        return gd_fail(c, GD_E_SHAPE, "inconsistent target size, got: %s",
                       gd_shape_text(text, sizeof text, target->ndim, target->sizes));
    gd_code code = gd_check_floats(c, "multi_margin_loss_cpu_kernel", x);
    if (code) return code;
    if (weight && weight->numel != (x->ndim ? x->sizes[x->ndim - 1] : 1))
        return gd_fail(c, GD_E_SHAPE, "inconsistent weight size, got: %s",
                       gd_shape_text(text, sizeof text, weight->ndim, weight->sizes));
    if (target->dtype != GD_INT64) return wrong_type(c, target, GD_INT64);
    return weight && weight->dtype != x->dtype ? wrong_type(c, weight, (gd_dtype)x->dtype) : GD_OK;
}

static gd_code begin_multi_margin(gd_apply *a, int first, margins *m) {
    gd_ctx *c = a->ctx;
    gd_tensor *weight = gd_maybe_tensor(a, first + 4);
    gd_code code = check_multi_margin(c, arg_tensor(a, first), arg_tensor(a, first + 1), weight);
    if (!code) code = begin(c, m, arg_tensor(a, first), arg_tensor(a, first + 1), weight);
    if (code) return code;
    m->p = arg_f64(a, first + 2);
    m->margin = arg_f64(a, first + 3);
    for (int64_t i = 0; i < m->rows; i++)
        if (label(m, i) < 0 || label(m, i) >= m->classes) {
            margins_clear(m);
            return gd_fail(c, GD_E_RUNTIME, "target out of range");
        }
    return GD_OK;
}

static double weight_of(const margins *m, int64_t class) {
    return m->extra ? gd_load_f64(m->dtype, m->extra->data + (size_t) class * gd_dtype_bytes(m->dtype)) : 1;
}

/* Sum over other classes d of weight[t] max(0, margin - x[t] + x[d])^p, over the number of classes. */
static double multi_margin_row(const margins *m, int64_t row) {
    int64_t t = label(m, row);
    widen(m->x, row * m->classes, m->classes, m->line);
    double sum = 0, top = m->margin - m->line[t], w = weight_of(m, t);
    m->line[t] = -INFINITY;
    for (int64_t d = 0; d < m->classes; d++) {
        double z = top + m->line[d] > 0 ? top + m->line[d] : 0;
        sum += m->p == 1 ? z : z * z;
    }
    return sum * w / (double)m->classes;
}

/* The losses of all rows, reduced; apart ones only for a matrix. */
static gd_tensor *reduced_rows(gd_ctx *c, const margins *m, bool apart, gd_reduction reduction,
                               double (*row)(const margins *, int64_t)) {
    double sum = 0;
    gd_tensor *each = apart ? gd_empty(c, m->dtype, 1, &m->rows) : NULL;
    if (apart && !each) return NULL;
    for (int64_t i = 0; i < m->rows; i++) {
        double loss = row(m, i);
        sum += loss;
        if (apart) gd_store_f64(m->dtype, each->data + (size_t)i * gd_dtype_bytes(m->dtype), loss);
    }
    if (apart) return each;
    return gd_scalar_f64(c, reduction == GD_REDUCE_MEAN && m->rows ? sum / (double)m->rows : sum, m->dtype);
}

gd_code gd_fw__multi_margin_loss(gd_apply *a) {
    margins m;
    gd_reduction reduction = (gd_reduction)arg_int(a, 5);
    gd_code code = begin_multi_margin(a, 0, &m);
    if (code) return code;
    bool apart = reduction == GD_REDUCE_NONE && arg_tensor(a, 1)->ndim > 0;
    gd_tensor *out = reduced_rows(a->ctx, &m, apart, reduction, multi_margin_row);
    margins_clear(&m);
    return give(a, out);
}

gd_code gd_fw_multi_margin_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    double p = arg_f64(a, 2);
    gd_tensor *weight = gd_maybe_tensor(a, 4);
    gd_code code = gd_read_reduction(a, 5, 6, 7, &r);
    if (code) return code;
    if (p != 1 && p != 2) return gd_fail(c, GD_E_VALUE, "only p == 1 and p == 2 supported");
    if (weight && weight->ndim != 1) return gd_fail(c, GD_E_VALUE, "weight must be one-dimensional");
    return give_shared(a, GX(c, _multi_margin_loss, a->args[0], a->args[1], a->args[2], a->args[3], a->args[4], I_(r)));
}

/* What a row's loss counts in the result: one cotangent for all, or one each. */
static double cotangent(const gd_tensor *g, int64_t row, gd_reduction reduction, int64_t rows) {
    size_t at = g->ndim ? (size_t)(row * GD_STRIDES(g)[0]) * gd_dtype_bytes((gd_dtype)g->dtype) : 0;
    double v = gd_load_f64((gd_dtype)g->dtype, g->data + at);
    return reduction == GD_REDUCE_MEAN ? v / (double)rows : v;
}

static void multi_margin_slope(const margins *m, int64_t row, double g, double *out) {
    int64_t t = label(m, row);
    widen(m->x, row * m->classes, m->classes, m->line);
    double top = m->margin - m->line[t], w = weight_of(m, t) / (double)m->classes, sum = 0;
    for (int64_t d = 0; d < m->classes; d++) {
        double z = top + m->line[d], slope = d == t || !(z > 0) ? 0 : (m->p == 1 ? w : 2 * w * z);
        out[d] = slope * g;
        sum += slope;
    }
    out[t] = -sum * g;
}

/* New: the slopes of all rows. */
static gd_tensor *all_slopes(gd_ctx *c, const margins *m, const gd_tensor *g, gd_reduction reduction,
                             void (*row)(const margins *, int64_t, double, double *)) {
    gd_tensor *out = gd_empty_like(c, m->x, m->dtype);
    for (int64_t i = 0; out && i < m->rows; i++) {
        row(m, i, cotangent(g, i, reduction, m->rows), m->slope);
        for (int64_t d = 0; d < m->classes && m->dtype == GD_FLOAT32; d++)
            ((float *)(void *)out->data)[i * m->classes + d] = (float)m->slope[d];
        for (int64_t d = 0; d < m->classes && m->dtype == GD_FLOAT64; d++)
            ((double *)(void *)out->data)[i * m->classes + d] = m->slope[d];
    }
    return out;
}

gd_code gd_fw__multi_margin_gradient(gd_apply *a) {
    margins m;
    gd_code code = begin_multi_margin(a, 1, &m);
    if (code) return code;
    gd_tensor *out = all_slopes(a->ctx, &m, arg_tensor(a, 0), (gd_reduction)arg_int(a, 6), multi_margin_slope);
    margins_clear(&m);
    return give(a, out);
}

void gd_bw__multi_margin_loss(gd_bw *b) {
    gd_tensor *weight = gd_bw_tensor(b, 4);
    gd_bw_set(b, 0,
              GX(b->ctx, _multi_margin_gradient, T_(b->grads[0]), T_(gd_bw_tensor(b, 0)), T_(gd_bw_tensor(b, 1)),
                 gd_bw_arg(b, 2), gd_bw_arg(b, 3), weight ? T_(weight) : GD_NONE_VALUE, gd_bw_arg(b, 5)));
}

/* ---- several classes -------------------------------------------------------------------------------------------- */

static gd_code check_multilabel(gd_ctx *c, const gd_tensor *x, const gd_tensor *target) {
    char text[TEXT];
    bool same = x->ndim == 2 ? gd_same_shape(x, target) : target->ndim <= 1 && target->numel == x->numel;
    if (!is_matrix(x)) return no_matrix(c, x);
    if (!same)
        return gd_fail(c, GD_E_SHAPE, "inconsistent size %s for argument #2 'target'",
                       gd_shape_text(text, sizeof text, target->ndim, target->sizes));
    if (target->dtype != GD_INT64 && gd_dtype_is_float((gd_dtype)x->dtype)) return wrong_type(c, target, GD_INT64);
    return gd_check_floats(c, "multilabel_margin_loss_forward_out_frame", x);
}

static gd_code check_labels(gd_ctx *c, const margins *m) {
    for (int64_t i = 0; i < m->target->numel; i++)
        if (label(m, i) < -1 || label(m, i) >= m->classes)
            return gd_fail(c, GD_E_RUNTIME, "argument #2 'target' is out of range");
    return GD_OK;
}

/* The row's scores, and 1 for each class among its labels, which end at the first -1. */
static void read_row(const margins *m, int64_t row) {
    widen(m->x, row * m->classes, m->classes, m->line);
    widen(m->extra, row * m->classes, m->classes, m->wanted);
}

static void mark_labels(const margins *m) {
    size_t width = gd_dtype_bytes(m->dtype);
    for (int64_t row = 0; row < m->rows; row++)
        for (int64_t k = 0; k < m->classes && label(m, row * m->classes + k) >= 0; k++)
            gd_store_f64(m->dtype, m->extra->data + (size_t)(row * m->classes + label(m, row * m->classes + k)) * width,
                         1);
}

/* Sum over labels t and other classes d of max(0, 1 - x[t] + x[d]), over the number of classes. */
static double multilabel_row(const margins *m, int64_t row) {
    int64_t first = row * m->classes;
    double sum = 0;
    read_row(m, row);
    for (int64_t k = 0; k < m->classes && label(m, first + k) >= 0; k++) {
        double top = 1 - m->line[label(m, first + k)];
        for (int64_t d = 0; d < m->classes; d++) {
            double z = top + m->line[d];
            sum += m->wanted[d] == 0 && z > 0 ? z : 0;
        }
    }
    return sum / (double)m->classes;
}

static void multilabel_slope(const margins *m, int64_t row, double g, double *out) {
    int64_t first = row * m->classes;
    double step = g / (double)m->classes;
    read_row(m, row);
    for (int64_t d = 0; d < m->classes; d++) out[d] = 0;
    for (int64_t k = 0; k < m->classes && label(m, first + k) >= 0; k++) {
        int64_t t = label(m, first + k);
        double top = 1 - m->line[t], taken = 0;
        for (int64_t d = 0; d < m->classes; d++) {
            const double part = m->wanted[d] == 0 && top + m->line[d] > 0 ? step : 0;
            out[d] += part;
            taken += part;
        }
        out[t] -= taken;
    }
}

gd_code gd_fw__multilabel_margin_loss(gd_apply *a) {
    gd_ctx *c = a->ctx;
    margins m;
    gd_tensor *x = arg_tensor(a, 0), *target = arg_tensor(a, 1);
    gd_reduction reduction = (gd_reduction)arg_int(a, 2);
    gd_code code = check_multilabel(c, x, target);
    if (!code) code = gd_apply_reserve(a, 2);
    if (!code) code = begin(c, &m, x, target, NULL);
    if (code) return code;
    code = check_labels(c, &m);
    m.extra = code ? NULL : gd_zeros(c, m.dtype, target->ndim, target->sizes);
    if (m.extra) {
        mark_labels(&m);
        a->out[1] = gd_retain(m.extra);
        a->out[0] = reduced_rows(c, &m, reduction == GD_REDUCE_NONE && target->ndim == 2, reduction, multilabel_row);
    }
    margins_clear(&m);
    return code ? code : a->out[0] ? GD_OK : gd_failed(c);
}

gd_code gd_fw_multilabel_margin_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_code code = gd_read_reduction(a, 2, 3, 4, &r);
    return code ? code : give_shared(a, GX(c, _multilabel_margin_loss, a->args[0], a->args[1], I_(r)));
}

gd_code gd_fw__multilabel_margin_gradient(gd_apply *a) {
    margins m;
    gd_ctx *c = a->ctx;
    gd_code code = check_multilabel(c, arg_tensor(a, 1), arg_tensor(a, 2));
    if (!code) code = begin(c, &m, arg_tensor(a, 1), arg_tensor(a, 2), arg_tensor(a, 4));
    if (code) return code;
    gd_tensor *out = all_slopes(c, &m, arg_tensor(a, 0), (gd_reduction)arg_int(a, 3), multilabel_slope);
    margins_clear(&m);
    return give(a, out);
}

void gd_bw__multilabel_margin_loss(gd_bw *b) {
    gd_bw_set(b, 0,
              GX(b->ctx, _multilabel_margin_gradient, T_(b->grads[0]), T_(gd_bw_tensor(b, 0)), T_(gd_bw_tensor(b, 1)),
                 gd_bw_arg(b, 2), T_(gd_bw_output(b, 1))));
}
