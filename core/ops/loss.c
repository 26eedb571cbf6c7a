/* loss.c: losses written as formulas over other rows, in PyTorch's order. The
 * older losses are in nn_loss.c, derivatives of what records itself in
 * loss_rules.c. */
#include <math.h>
#include <string.h>

#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"
#include "core/ops/spatial.h"
#include "core/plan/trace.h"

#define TEXT 256

static gd_tensor *reduced(gd_ctx *c, gd_tensor *t, gd_reduction r) {
    return r == GD_REDUCE_NONE ? t : r == GD_REDUCE_MEAN ? GX(c, mean, T_(t)) : GX(c, sum, T_(t));
}

static gd_tensor *number_minus(gd_ctx *c, double v, gd_tensor *t) { return gx_sub(c, gx_number(c, v), t); }
static gd_tensor *at_least_zero(gd_ctx *c, gd_tensor *t) { return GX(c, clamp_min, T_(t), I_(0)); }
static gd_tensor *is(gd_ctx *c, gd_tensor *t, double v) { return GX(c, eq, T_(t), T_(gx_number(c, v))); }
static gd_tensor *is_not(gd_ctx *c, gd_tensor *t, double v) { return GX(c, ne, T_(t), T_(gx_number(c, v))); }

/* ---- differences
 * ------------------------------------------------------------------------------------------------
 */

/* Both tensors in their common shape, through a row with two settings. */
static gd_code spread_loss(gd_apply *a, gd_op_id row, gd_reduction r, double setting) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1);
    int64_t sizes[GD_MAX_DIMS];
    int ndim;
    gd_code code = gd_broadcast_shape(c, x->ndim, x->sizes, y->ndim, y->sizes, sizes, &ndim);
    if (!code) code = gd_check_floats(c, row == GD_OP__huber_loss ? "huber_cpu" : "smooth_l1_cpu", x);
    if (code) return code;
    if (!gd_same_shape(x, y)) {
        x = GX(c, expand, T_(x), IS_(sizes, ndim));
        y = GX(c, expand, T_(y), IS_(sizes, ndim));
    }
    return give_shared(a, gx_do(c, row, (const gd_value[]){T_(x), T_(y), I_(r), F_(setting)}, 4));
}

gd_code gd_fw_smooth_l1_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    double beta = arg_f64(a, 5);
    gd_code code = gd_read_reduction(a, 2, 3, 4, &r);
    if (code) return code;
    if (!(beta >= 0)) return gd_fail(c, GD_E_RUNTIME, "smooth_l1_loss does not support negative values for beta.");
    return spread_loss(a, GD_OP__smooth_l1_loss, r, beta);
}

gd_code gd_fw_huber_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    double delta = arg_f64(a, 3);
    gd_code code = gd_read_loss_name(a, 2, &r);
    if (code) return code;
    if (!(delta > 0)) return gd_fail(c, GD_E_RUNTIME, "huber_loss does not support non-positive values for delta.");
    return spread_loss(a, GD_OP__huber_loss, r, delta);
}

/* d^2 / (2 beta) below beta, |d| - beta / 2 above. */
gd_code gd_fw__smooth_l1_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    double beta = arg_f64(a, 3);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *z = GX(c, abs, T_(gx_sub(c, arg_tensor(a, 0), arg_tensor(a, 1))));
    gd_tensor *low = gx_div(c, gx_mul_s(c, gx_mul(c, z, z), 0.5), gx_number(c, beta > 0 ? beta : 1));
    gd_tensor *loss = gx_where(c, GX(c, lt, T_(z), T_(gx_number(c, beta))), low, gx_add_s(c, z, -0.5 * beta));
    loss = reduced(c, loss, (gd_reduction)arg_int(a, 2));
    c->mode = mode;
    return give_shared(a, loss);
}

/* d^2 / 2 up to delta, delta (|d| - delta / 2) above. */
gd_code gd_fw__huber_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    double delta = arg_f64(a, 3);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *z = GX(c, abs, T_(gx_sub(c, arg_tensor(a, 0), arg_tensor(a, 1))));
    gd_tensor *high = gx_mul_s(c, gx_add_s(c, z, -0.5 * delta), delta);
    gd_tensor *low = gx_mul_s(c, gx_mul(c, z, z), 0.5);
    gd_tensor *loss = gx_where(c, GX(c, le, T_(z), T_(gx_number(c, delta))), low, high);
    loss = reduced(c, loss, (gd_reduction)arg_int(a, 2));
    c->mode = mode;
    return give_shared(a, loss);
}

/* ---- targets 1 and -1
 * -------------------------------------------------------------------------------------------
 */

gd_code gd_fw__soft_margin_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *z = GX(c, exp, T_(gx_mul(c, gx_neg(c, arg_tensor(a, 1)), arg_tensor(a, 0))));
    gd_tensor *loss = reduced(c, GX(c, log1p, T_(z)), (gd_reduction)arg_int(a, 2));
    c->mode = mode;
    return give_shared(a, loss);
}

gd_code gd_fw_soft_margin_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_code code = gd_read_reduction(a, 2, 3, 4, &r);
    if (!code) code = gd_check_floats(c, "exp", arg_tensor(a, 0));
    return code ? code : give_shared(a, GX(c, _soft_margin_loss, a->args[0], a->args[1], I_(r)));
}

gd_code gd_fw_margin_ranking_loss(gd_apply *a) {
    char one[TEXT], two[TEXT], three[TEXT];
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1), *t = arg_tensor(a, 2);
    gd_code code = gd_read_reduction(a, 4, 5, 6, &r);
    if (code) return code;
    if (x->ndim != y->ndim || x->ndim != t->ndim)
        return gd_fail(c, GD_E_RUNTIME,
                       "margin_ranking_loss : All input tensors should have same dimension "
                       "but got sizes: input1: "
                       "torch.Size(%s), input2: torch.Size(%s), target: torch.Size(%s) ",
                       gd_shape_text(one, sizeof one, x->ndim, x->sizes),
                       gd_shape_text(two, sizeof two, y->ndim, y->sizes),
                       gd_shape_text(three, sizeof three, t->ndim, t->sizes));
    gd_tensor *loss = gx_add_s(c, gx_mul(c, gx_neg(c, t), gx_sub(c, x, y)), arg_f64(a, 3));
    return give_shared(a, reduced(c, at_least_zero(c, loss), r));
}

gd_code gd_fw_hinge_embedding_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *t = arg_tensor(a, 1);
    gd_code code = gd_read_reduction(a, 3, 4, 5, &r);
    if (code) return code;
    gd_tensor *zeros = GX(c, zeros_like, T_(x)), *lack = at_least_zero(c, number_minus(c, arg_f64(a, 2), x));
    gd_tensor *unlike = gx_where(c, is_not(c, t, 1), lack, zeros), *like = gx_where(c, is_not(c, t, -1), x, zeros);
    return give_shared(a, reduced(c, gx_add(c, unlike, like), r));
}

static gd_code check_cosine(gd_ctx *c, const gd_tensor *x, const gd_tensor *y, const gd_tensor *t) {
    char one[TEXT], two[TEXT];
    if (t->ndim > 1) return gd_fail(c, GD_E_RUNTIME, "0D or 1D target tensor expected, multi-target not supported");
    if (x->ndim == t->ndim + 1 && (t->ndim == 0 || y->ndim == 2)) return GD_OK;
    return gd_fail(c, GD_E_RUNTIME,
                   "%dD target tensor expects %dD input tensors, but found "
                   "inputs with sizes %s and %s.",
                   t->ndim, t->ndim + 1, gd_shape_text(one, sizeof one, x->ndim, x->sizes),
                   gd_shape_text(two, sizeof two, y->ndim, y->sizes));
}

/* Sum of x y along the last dimension. */
static gd_tensor *product(gd_ctx *c, gd_tensor *x, gd_tensor *y, int dim) {
    const int64_t dims[] = {dim};
    return GX(c, sum_dim, T_(gx_mul(c, x, y)), IS_(dims, 1));
}

gd_code gd_fw_cosine_embedding_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *y = arg_tensor(a, 1), *t = arg_tensor(a, 2);
    gd_code code = gd_read_reduction(a, 4, 5, 6, &r);
    if (!code) code = check_cosine(c, x, y, t);
    if (code) return code;
    gd_tensor *own = gx_add_s(c, product(c, x, x, t->ndim), 1e-12),
              *other = gx_add_s(c, product(c, y, y, t->ndim), 1e-12);
    gd_tensor *cosine = gx_div(c, product(c, x, y, t->ndim), GX(c, sqrt, T_(gx_mul(c, own, other))));
    gd_tensor *zeros = GX(c, zeros_like, T_(cosine));
    gd_tensor *above = at_least_zero(c, gx_add_s(c, cosine, -arg_f64(a, 3)));
    gd_tensor *like = gx_where(c, is(c, t, 1), number_minus(c, 1, cosine), zeros);
    return give_shared(a, reduced(c, gx_add(c, like, gx_where(c, is(c, t, -1), above, zeros)), r));
}

/* ---- distances
 * --------------------------------------------------------------------------------------------------
 */

static gd_tensor *distance(gd_apply *a, gd_tensor *x, gd_tensor *y) {
    gd_ctx *c = a->ctx;
    gd_tensor *d = gx_add_s(c, gx_sub(c, x, y), arg_f64(a, 5));
    if (!d) return NULL;
    const int64_t dim[] = {d->ndim - 1};
    return GX(c, norm, T_(d), a->args[4], IS_(dim, 1), B_(false));
}

gd_code gd_fw_triplet_margin_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *p = arg_tensor(a, 1), *n = arg_tensor(a, 2);
    gd_code code = gd_read_reduction(a, 7, 8, 9, &r);
    if (code) return code;
    if (x->ndim != p->ndim || x->ndim != n->ndim)
        return gd_fail(c, GD_E_RUNTIME,
                       "All inputs should have same dimension but got anchor: %dD, "
                       "positive: %dD and negative: %dD",
                       x->ndim, p->ndim, n->ndim);
    if (x->ndim == 0) return gd_fail(c, GD_E_RUNTIME, "triplet_margin_loss: inputs of one or more dimensions expected");
    gd_tensor *near = distance(a, x, p), *far = distance(a, x, n);
    if (a->args[6].u.boolean) far = GX(c, minimum, T_(far), T_(distance(a, p, n)));
    gd_tensor *loss = gx_sub(c, gx_add_s(c, near, arg_f64(a, 3)), far);
    return give_shared(a, reduced(c, at_least_zero(c, loss), r));
}

static gd_tensor *pairwise(gd_ctx *c, gd_tensor *x, gd_tensor *y) {
    return GX(c, pairwise_distance, T_(x), T_(y), F_(2), F_(1e-6), B_(false));
}

gd_code gd_fw_triplet_distance_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *p = arg_tensor(a, 1), *n = arg_tensor(a, 2);
    gd_code code = gd_read_loss_name(a, 6, &r);
    if (code) return code;
    if (a->args[3].kind != GD_V_NONE) return gd_fail(c, GD_E_ARGUMENT, "'Tensor' object is not callable");
    gd_tensor *near = pairwise(c, x, p), *far = pairwise(c, x, n);
    if (a->args[5].u.boolean) far = GX(c, minimum, T_(far), T_(pairwise(c, p, n)));
    gd_tensor *loss = gx_add_s(c, gx_sub(c, near, far), arg_f64(a, 4));
    return give_shared(a, reduced(c, GX(c, clamp, T_(loss), F_(0), GD_NONE_VALUE), r));
}

/* ---- likelihoods
 * ------------------------------------------------------------------------------------------------
 */

/* The variances in a shape that fits the input's: the last dimension may be
 * missing or 1. */
static gd_code fit_variance(gd_ctx *c, const gd_tensor *x, gd_tensor **var) {
    gd_tensor *v = *var;
    if (gd_same_shape(x, v)) return GD_OK;
    size_t lead = x->ndim > 0 ? (size_t)(x->ndim - 1) * sizeof *x->sizes : 0;
    if (x->ndim > 0 && v->ndim == x->ndim - 1 && !memcmp(x->sizes, v->sizes, lead)) {
        *var = GX(c, unsqueeze, T_(v), I_(-1));
        return *var ? GD_OK : gd_failed(c);
    }
    if (x->ndim > 0 && v->ndim == x->ndim && !memcmp(x->sizes, v->sizes, lead) && v->sizes[v->ndim - 1] == 1)
        return GD_OK;
    return gd_fail(c, GD_E_VALUE, "var is of incorrect size");
}

static gd_code check_variance(gd_ctx *c, gd_tensor *var) {
    gd_tensor *negative = GX(c, any, T_(GX(c, lt, T_(var), T_(gx_number(c, 0)))));
    if (!negative) return gd_failed(c);
    gd_trace_expect(c, negative);
    if (gd_load_i64((gd_dtype)negative->dtype, negative->data))
        return gd_fail(c, GD_E_VALUE, "var has negative entry/entries");
    return GD_OK;
}

gd_code gd_fw_gaussian_nll_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *var = arg_tensor(a, 2);
    gd_code code = fit_variance(c, x, &var);
    if (!code && gd_read_loss_name(a, 5, &r)) return gd_fail(c, GD_E_VALUE, "%s is not valid", a->args[5].u.str);
    if (!code) code = check_variance(c, var);
    if (code) return code;
    var = GX(c, clone, T_(var));
    if (!var) return gd_failed(c);
    gd_grad_mode mode = gd_compose_unrecorded(c);
    code = gd_do_inplace(c, GD_OP_clamp_min, (const gd_value[]){T_(var), a->args[4]}, 2);
    c->mode = mode;
    if (code) return code;
    gd_tensor *square = GX(c, pow_scalar, T_(gx_sub(c, x, arg_tensor(a, 1))), I_(2));
    gd_tensor *loss = gx_mul_s(c, gx_add(c, GX(c, log, T_(var)), gx_div(c, square, var)), 0.5);
    if (a->args[3].u.boolean) loss = gx_add_s(c, loss, 0.5 * log(2 * M_PI));
    return give_shared(a, reduced(c, loss, r));
}

/* Stirling's approximation of log(target!), 0 for targets up to 1. */
static gd_tensor *stirling(gd_ctx *c, gd_tensor *t) {
    gd_tensor *tail = gx_mul_s(c, GX(c, log, T_(gx_mul_s(c, t, 2 * M_PI))), 0.5);
    gd_tensor *s = gx_add(c, gx_sub(c, gx_mul(c, t, GX(c, log, T_(t))), t), tail);
    return GX(c, masked_fill, T_(s), T_(GX(c, le, T_(t), T_(gx_number(c, 1)))), I_(0));
}

gd_code gd_fw_poisson_nll_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *t = arg_tensor(a, 1);
    gd_code code = gd_read_reduction(a, 4, 6, 7, &r);
    if (code) return code;
    gd_tensor *loss = a->args[2].u.boolean ? gx_sub(c, GX(c, exp, T_(x)), gx_mul(c, t, x))
                                           : gx_sub(c, x, gx_mul(c, t, GX(c, log, T_(gx_add_s(c, x, arg_f64(a, 5))))));
    if (a->args[3].u.boolean) loss = gx_add(c, loss, stirling(c, t));
    return give_shared(a, reduced(c, loss, r));
}

gd_code gd_fw_kl_div(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r = GD_REDUCE_SUM;
    gd_tensor *x = arg_tensor(a, 0), *t = arg_tensor(a, 1);
    bool batch = strcmp(a->args[4].u.str, "batchmean") == 0;
    bool flags = a->args[2].kind == GD_V_BOOL || a->args[3].kind == GD_V_BOOL;
    gd_code code = batch && !flags ? GD_OK : gd_read_reduction(a, 2, 3, 4, &r);
    if (code) return code;
    gd_tensor *loss = a->args[5].u.boolean ? gx_mul(c, GX(c, exp, T_(t)), gx_sub(c, t, x))
                                           : gx_sub(c, GX(c, xlogy, T_(t), T_(t)), gx_mul(c, t, x));
    loss = reduced(c, loss, r);
    if (batch && x->ndim) loss = gx_div(c, loss, gx_number(c, (double)x->sizes[0]));
    return give_shared(a, loss);
}

/* log(sigmoid(x)) = -softplus(-x); the threshold is where softplus is x to the
 * last bit. */
static gd_tensor *log_sigmoid(gd_ctx *c, gd_tensor *x) {
    return gx_neg(c, GX(c, softplus, T_(gx_neg(c, x)), I_(1), I_(60)));
}

gd_code gd_fw_multilabel_soft_margin_loss(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_reduction r;
    gd_tensor *x = arg_tensor(a, 0), *t = arg_tensor(a, 1);
    gd_code code = gd_read_reduction(a, 3, 4, 5, &r);
    if (!code) code = gd_check_floats(c, "log_sigmoid_cpu", x);
    if (code) return code;
    if (x->ndim == 0) return gd_fail(c, GD_E_INDEX, "Dimension specified as -1 but tensor has no dimensions");
    const int64_t last[] = {x->ndim - 1};
    gd_tensor *off = gx_mul(c, GX(c, rsub_scalar, T_(t), I_(1)), log_sigmoid(c, gx_neg(c, x)));
    gd_tensor *loss = gx_neg(c, gx_add(c, gx_mul(c, t, log_sigmoid(c, x)), off));
    if (a->args[2].kind == GD_V_TENSOR) loss = gx_mul(c, loss, arg_tensor(a, 2));
    loss = gx_div(c, GX(c, sum_dim, T_(loss), IS_(last, 1)), gx_number(c, (double)x->sizes[x->ndim - 1]));
    return give_shared(a, reduced(c, loss, r));
}
