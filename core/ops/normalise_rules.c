/* normalise_rules.c: derivatives of the rows of normalise.def, as formulas over ops (rules.h). */
#include <string.h>

#include "core/ops/compose.h"
#include "core/ops/families.h"

/* What is normalised: x over some dimensions, with statistics of a shape that broadcasts. */
typedef struct view {
    gd_tensor *x, *mean, *rstd, *normal;
    const int64_t *dims;
    int ndims;
} view;

static gd_tensor *averaged(gd_ctx *c, const view *v, gd_tensor *t) {
    return GX(c, mean_dim, T_(t), IS_(v->dims, v->ndims), B_(true));
}

/* Fills in normal = (x - mean) rstd. Graphs of the backward pass compute the statistics anew, as they depend on x. */
static void normalise(gd_bw *b, view *v, double eps) {
    gd_ctx *c = b->ctx;
    if (b->create_graph) v->mean = averaged(c, v, v->x);
    gd_tensor *centred = gx_sub(c, v->x, v->mean);
    if (b->create_graph) v->rstd = GX(c, rsqrt, T_(gx_add_s(c, averaged(c, v, gx_mul(c, centred, centred)), eps)));
    v->normal = gx_mul(c, centred, v->rstd);
}

/* rstd (g - mean(g) - normal mean(g normal)), for the cotangent g of normal. */
static gd_tensor *through(gd_ctx *c, const view *v, gd_tensor *g) {
    gd_tensor *along = gx_mul(c, v->normal, averaged(c, v, gx_mul(c, g, v->normal)));
    return gx_mul(c, v->rstd, gx_sub(c, gx_sub(c, g, averaged(c, v, g)), along));
}

static gd_tensor *as_shape(gd_ctx *c, gd_tensor *t, int ndim, const int64_t *sizes) {
    return GX(c, reshape, T_(t), IS_(sizes, ndim));
}

/* The cotangent, in graphs of the backward pass tied to x: as PyTorch's own op there, all gradients hang on x. */
#define TIED(row, g, x) (b->create_graph ? GX(c, row, T_(g), T_(x)) : (g))

static bool wants(gd_bw *b, int argument) { return gd_bw_needs(b, argument); }

/* The gradient in one pass. A graph of the backward pass has the formula, and where rows of one element leave nothing
 * but rounding, that of the one pass. */
static gd_tensor *layer_slope(gd_bw *b, const view *v, gd_tensor *g, gd_tensor *w) {
    gd_ctx *c = b->ctx;
    gd_tensor *mean = gd_bw_output(b, 1), *rstd = gd_bw_output(b, 2);
    gd_tensor *formula = b->create_graph ? through(c, v, w ? gx_mul(c, g, w) : g) : NULL;
    if (b->create_graph && (!mean || mean->numel != v->x->numel)) return formula;
    gd_tensor *once = GX(c, _layer_norm_input, T_(g), T_(v->x), w ? T_(w) : GD_NONE_VALUE, T_(mean), T_(rstd));
    if (!b->create_graph) return once;
    return gx_add(c, formula, GX(c, detach, T_(gx_sub(c, once, formula))));
}

static int64_t rows_of(const gd_tensor *x, int last) {
    int64_t n = 1;
    for (int d = 0; d < x->ndim - last; d++) n *= x->sizes[d];
    return n;
}

/* normal, with the values of the forward pass: of rows of one element nothing but rounding is left. */
static gd_tensor *rounded_as_forward(gd_bw *b, gd_tensor *x, gd_tensor *normal) {
    gd_ctx *c = b->ctx;
    gd_tensor *flat = GX(c, detach, T_(x));
    gd_tensor *once = GX(c, _layer_norm, T_(flat), gd_bw_arg(b, 1), GD_NONE_VALUE, GD_NONE_VALUE, gd_bw_arg(b, 4));
    return gx_add(c, normal, GX(c, detach, T_(gx_sub(c, once, normal))));
}

/* The engine sums the gradients of weight and bias to their shapes. */
void gd_bw__layer_norm(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *w = gd_bw_tensor(b, 2);
    int last = (int)gd_bw_arg(b, 1).n;
    int64_t dims[GD_MAX_DIMS];
    if (!g || !x) return;
    g = TIED(_layer_norm_gradient, g, x);
    for (int i = 0; i < last; i++) dims[i] = x->ndim - last + i;
    view v = {x, gd_bw_output(b, 1), gd_bw_output(b, 2), NULL, dims, last};
    if (b->create_graph || wants(b, 2)) normalise(b, &v, gd_bw_arg(b, 4).u.real);
    if (v.normal && last && v.x->numel == rows_of(x, last)) v.normal = rounded_as_forward(b, v.x, v.normal);
    if (wants(b, 0)) gd_bw_set(b, 0, layer_slope(b, &v, g, w));
    if (wants(b, 2)) gd_bw_set(b, 2, gx_mul(c, g, v.normal));
    if (wants(b, 3)) gd_bw_set(b, 3, g);
}

/* t summed over all dimensions but that of channels. */
static gd_tensor *of_channels(gd_ctx *c, gd_tensor *t) {
    int64_t dims[GD_MAX_DIMS] = {0};
    if (!t) return NULL;
    for (int d = 2; d < t->ndim; d++) dims[d - 1] = d;
    return GX(c, sum_dim, T_(t), IS_(dims, t->ndim - 1), B_(false));
}

/* A weight of each channel in a shape that broadcasts. */
static gd_tensor *spread_channels(gd_ctx *c, gd_tensor *t, const gd_tensor *x) {
    int64_t sizes[GD_MAX_DIMS];
    if (!t) return NULL;
    for (int d = 0; d < x->ndim; d++) sizes[d] = d == 1 ? x->sizes[1] : 1;
    return as_shape(c, t, x->ndim, sizes);
}

void gd_bw__group_norm(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *w = gd_bw_tensor(b, 1);
    int64_t samples = gd_bw_arg(b, 3).u.integer, channels = gd_bw_arg(b, 4).u.integer;
    int64_t groups = gd_bw_arg(b, 6).u.integer, inner = gd_bw_arg(b, 5).u.integer;
    if (!g || !x) return;
    const int64_t each[] = {samples, groups, channels / groups * inner}, dims[] = {2};
    view v = {as_shape(c, x, 3, each), gd_bw_output(b, 1), gd_bw_output(b, 2), NULL, dims, 1};
    v.mean = GX(c, unsqueeze, T_(v.mean), I_(-1));
    v.rstd = GX(c, unsqueeze, T_(v.rstd), I_(-1));
    normalise(b, &v, gd_bw_arg(b, 7).u.real);
    gd_tensor *weighed = w ? gx_mul(c, g, spread_channels(c, w, x)) : g;
    if (wants(b, 0)) gd_bw_set(b, 0, as_shape(c, through(c, &v, as_shape(c, weighed, 3, each)), x->ndim, x->sizes));
    if (wants(b, 1)) gd_bw_set(b, 1, of_channels(c, gx_mul(c, g, as_shape(c, v.normal, x->ndim, x->sizes))));
    if (wants(b, 2)) gd_bw_set(b, 2, of_channels(c, g));
}

/* The statistics of a batch while training, or those that ran before, which do not depend on x. */
static void read_batch(gd_bw *b, view *v, double eps) {
    gd_ctx *c = b->ctx;
    if (gd_bw_arg(b, 5).u.boolean) {
        v->mean = spread_channels(c, gd_bw_output(b, 1), v->x);
        v->rstd = spread_channels(c, gd_bw_output(b, 2), v->x);
        normalise(b, v, eps);
        return;
    }
    v->mean = spread_channels(c, gd_bw_tensor(b, 3), v->x);
    v->rstd = GX(c, rsqrt, T_(gx_add_s(c, spread_channels(c, gd_bw_tensor(b, 4), v->x), eps)));
    v->normal = gx_mul(c, gx_sub(c, v->x, v->mean), v->rstd);
}

void gd_bw__batch_norm(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0], *x = gd_bw_tensor(b, 0), *w = gd_bw_tensor(b, 1);
    int64_t dims[GD_MAX_DIMS] = {0};
    if (!g || !x) return;
    g = TIED(_batch_norm_gradient, g, x);
    for (int d = 2; d < x->ndim; d++) dims[d - 1] = d;
    view v = {x, NULL, NULL, NULL, dims, x->ndim - 1};
    read_batch(b, &v, gd_bw_arg(b, 7).u.real);
    gd_tensor *weighed = w ? gx_mul(c, g, spread_channels(c, w, x)) : g;
    bool training = gd_bw_arg(b, 5).u.boolean;
    if (wants(b, 0)) gd_bw_set(b, 0, training ? through(c, &v, weighed) : gx_mul(c, weighed, v.rstd));
    if (wants(b, 1)) gd_bw_set(b, 1, of_channels(c, gx_mul(c, g, v.normal)));
    if (wants(b, 2)) gd_bw_set(b, 2, of_channels(c, g));
}
