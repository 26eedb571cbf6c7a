/* channel_dropout.c: dropout of whole channels, and alpha dropout: compositions of other rows. */
#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/nn.h"

/* ---- dropout -------------------------------------------------------------------------------------------- */

/* 1 with probability 1 - p, else 0: one number an element, or one a channel. */
static gd_tensor *kept(gd_ctx *c, const gd_tensor *x, double p, bool channels) {
    int64_t sizes[GD_MAX_DIMS];
    for (int d = 0; d < x->ndim; d++) sizes[d] = channels && d >= 2 ? 1 : x->sizes[d];
    gd_tensor *noise = gd_pool_add(c, gd_empty(c, (gd_dtype)x->dtype, x->ndim, sizes));
    if (!noise || gd_do_inplace(c, GD_OP_bernoulli_, (const gd_value[]){T_(noise), F_(1 - p)}, 2)) return NULL;
    return noise;
}

static bool change(gd_ctx *c, gd_op_id id, gd_tensor *t, gd_tensor *by) {
    return t && by && !gd_do_inplace(c, id, (const gd_value[]){T_(t), T_(by)}, 2);
}

/* x times noise, in place if asked, plus what may be added. */
static gd_tensor *times(gd_ctx *c, gd_tensor *x, gd_tensor *noise, gd_tensor *plus, bool inplace) {
    if (!noise) return NULL;
    if (inplace && !change(c, GD_OP_mul, x, noise)) return NULL;
    gd_tensor *out = inplace ? x : gx_mul(c, x, noise);
    return plus && !change(c, GD_OP_add, out, plus) ? NULL : out;
}

/* Self-Normalizing Neural Networks, Klambauer and others 2017: a x noise + b, with the saturation -alpha. */
static gd_tensor *alpha_drop(gd_ctx *c, gd_tensor *x, double p, bool channels, bool inplace) {
    const double alpha = 1.7580993408473766, a = 1 / sqrt((alpha * alpha * p + 1) * (1 - p));
    gd_tensor *noise = kept(c, x, p, channels), *b = gx_add_s(c, noise, -1);
    if (!change(c, GD_OP_mul, b, gx_number(c, alpha * a)) || !change(c, GD_OP_add, b, gx_number(c, alpha * a * p)) ||
        !change(c, GD_OP_mul, noise, gx_number(c, a)))
        return NULL;
    return times(c, x, noise, b, inplace);
}

static gd_tensor *channel_drop(gd_ctx *c, gd_tensor *x, double p, bool inplace) {
    gd_tensor *noise = kept(c, x, p, true);
    return change(c, GD_OP_div, noise, gx_number(c, 1 - p)) ? times(c, x, noise, NULL, inplace) : NULL;
}

/* param: 0 alpha, 1 alpha of channels, 2 and 3 channels of images and volumes. */
gd_code gd_fw_channel_dropout(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *out;
    double p = arg_f64(a, 1);
    int kind = a->op->param;
    bool inplace = a->args[3].u.boolean, batch = kind == 3 && x->ndim != 5;
    if (!(p >= 0 && p <= 1))
        return gd_fail(c, GD_E_VALUE, "dropout probability has to be between 0 and 1, but got %g", p);
    bool idle = p == 0 || !a->args[2].u.boolean || x->numel == 0;
    if (!idle && p < 1 && kind > 0 && x->ndim + batch < 2)
        return gd_fail(c, GD_E_RUNTIME, "Feature dropout requires at least 2 dimensions in the input");
    if (batch && x->ndim == GD_MAX_DIMS) return gd_fail(c, GD_E_TOO_LARGE, "dropout3d: too many dimensions");
    if (batch) x = GX(c, unsqueeze, T_(x), I_(0));
    if (!x) return gd_failed(c);
    if (idle)
        out = x;
    else if (p == 1)
        out = times(c, x, gd_pool_add(c, gd_zeros(c, (gd_dtype)x->dtype, 0, NULL)), NULL, inplace);
    else
        out = kind < 2 ? alpha_drop(c, x, p, kind == 1, inplace) : channel_drop(c, x, p, inplace);
    if (!out) return gd_failed(c);
    if (inplace) return give_shared(a, arg_tensor(a, 0));
    return give_shared(a, batch ? GX(c, squeeze_dim, T_(out), I_(0)) : out);
}
