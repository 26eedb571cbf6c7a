/* resample.c: average pools and interpolation. The rows that clients call read
 * and check their arguments as PyTorch does; one map (_resample) computes them
 * all. Derivatives are in resample_rules.c, loops in core/kernels/resample.c.
 */
#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/kernels/resample.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"
#include "core/ops/spatial.h"

#define TEXT 256

/* ---- the map
 * ---------------------------------------------------------------------------------------------------
 */

/* New: memory for n taps. */
static gd_tensor *tap_memory(gd_ctx *c, int64_t n) {
    const int64_t words = (int64_t)(sizeof(gd_tap) / sizeof(int64_t)), sizes[] = {n, words};
    return gd_empty(c, GD_INT64, 2, sizes);
}

static gd_resample_dim dim_of(const gd_apply *a, int d, int64_t in, int64_t out) {
    const int64_t *settings = arg_ints(a, 3);
    int n = arg_count(a, 2);
    gd_resample_dim r = {.kind = (gd_resampling)arg_int(a, 1), .in = in, .out = out};
    if (r.kind == GD_AVERAGE) {
        r.kernel = settings[d], r.stride = settings[n + d], r.padding = settings[2 * n + d];
        r.count_padding = settings[3 * n] != 0;
        if (settings[3 * n + 1]) r.divisor = d ? 1 : (double)settings[3 * n + 1];
    } else if (r.kind >= GD_NEAREST) {
        r.align_corners = settings[0] != 0;
        r.scale = a->args[4].u.floats[d];
    }
    return r;
}

/* y's dimension d = x's mapped, or x's = y's mapped back. */
static gd_code map_values(gd_apply *a, const gd_tensor *x, gd_tensor *y, int d, int spatial) {
    bool adjoint = a->op->param == 1;
    int64_t outer = 1, inner = 1, from = x->sizes[d], to = y->sizes[d], out = adjoint ? from : to,
            in = adjoint ? to : from;
    gd_tensor *memory = tap_memory(a->ctx, out);
    if (!memory) return gd_failed(a->ctx);
    for (int k = 0; k < d; k++) outer *= x->sizes[k];
    for (int k = d + 1; k < x->ndim; k++) inner *= x->sizes[k];
    gd_tap *taps = (gd_tap *)(void *)memory->data;
    gd_resample_dim r = dim_of(a, spatial, in, out);
    gd_resample_taps(&r, (gd_dtype)x->dtype, taps);
    if (adjoint)
        gd_resample_adjoint((gd_dtype)x->dtype, taps, outer, in, out, inner, y->data, x->data);
    else
        gd_resample_apply((gd_dtype)x->dtype, taps, outer, in, out, inner, x->data, y->data);
    gd_release(memory);
    return GD_OK;
}

/* New: x (taken) with a dimension mapped to size `to`. */
static gd_tensor *map_dim(gd_apply *a, gd_tensor *x, int spatial, int64_t to) {
    int d = x->ndim - arg_count(a, 2) + spatial;
    int64_t sizes[GD_MAX_DIMS];
    memcpy(sizes, x->sizes, (size_t)x->ndim * sizeof *sizes);
    sizes[d] = to;
    gd_tensor *y = gd_empty(a->ctx, (gd_dtype)x->dtype, x->ndim, sizes);
    if (y && y->numel && x->numel && map_values(a, x, y, d, spatial)) {
        gd_release(y);
        y = NULL;
    }
    gd_release(x);
    return y;
}

/* Dimensions that shrink come first: nothing in between is larger than the
 * input and the output. */
gd_code gd_fw__resample(gd_apply *a) {
    const gd_tensor *self = arg_tensor(a, 0);
    gd_tensor *x = gd_as_contiguous(a->ctx, arg_tensor(a, 0));
    int n = arg_count(a, 2);
    const int64_t *to = arg_ints(a, 2);
    for (int grows = 0; grows < 2; grows++)
        for (int d = 0; x && d < n; d++)
            if ((to[d] > self->sizes[self->ndim - n + d]) == (grows == 1)) x = map_dim(a, x, d, to[d]);
    return give(a, x);
}

/* ---- averages of windows
 * ----------------------------------------------------------------------------------------
 */

static const char *const op_names[][4] = {{"", "avg_pool1d", "avg_pool2d", "avg_pool3d"},
                                          {"", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}};

static gd_code check_line(gd_ctx *c, const char *op, const gd_tensor *t) {
    if (t->ndim == 2 || t->ndim == 3) return GD_OK;
    return gd_fail(c, GD_E_SHAPE,
                   "Expected 2 to 3 dimensions, but got %d-dimensional tensor "
                   "for argument #1 'self' (while checking arguments for %s)",
                   t->ndim, op);
}

static gd_value floats(const double *v, int n) {
    return (gd_value){.kind = GD_V_FLOATS, .n = (uint32_t)n, .u.floats = v};
}

/* The row `two` or `three` of x; lines are images of one row. */
static gd_tensor *averaged(gd_ctx *c, gd_tensor *x, int n, gd_op_id two, gd_op_id three, gd_value settings,
                           gd_resampling kind, const int64_t *size) {
    static const double none[GD_SPATIAL];
    const int64_t flat[] = {1, size[0]};
    gd_value args[] = {T_(n == 1 ? GX(c, unsqueeze, T_(x), I_(-2)) : x), I_(kind),
                       n == 1 ? GD_INTS_VALUE(flat, 2) : GD_INTS_VALUE(size, n), settings,
                       floats(none, n == 1 ? 2 : n)};
    gd_tensor *y = gx_do(c, n == 3 ? three : two, args, 5);
    return n == 1 ? GX(c, squeeze_dim, T_(y), I_(-2)) : y;
}

static gd_code read_average(gd_apply *a, int n, gd_window *w) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0);
    const char *op = op_names[0][n];
    gd_code code = gd_window_read(c, op, n, &a->args[1], &a->args[2], &a->args[3], NULL, w);
    if (!code) code = n == 1 ? check_line(c, op, x) : gd_check_image(c, op, n, x);
    if (!code) code = gd_check_floats(c, n == 3 ? "avg_pool3d_out_frame" : "avg_pool2d_out_frame", x);
    return code ? code : gd_window_shape(c, w, x, a->args[4].u.boolean);
}

gd_code gd_fw_avg_pool(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int n = a->op->param, m = n == 1 ? 2 : n, at = m - n;
    gd_window w;
    gd_code code = read_average(a, n, &w);
    if (code) return code;
    int64_t settings[3 * GD_SPATIAL + 2] = {1, 0, 1, 0, 0, 0}; /* of the line's other dimension */
    for (int d = 0; d < n; d++) {
        settings[at + d] = w.kernel[d];
        settings[m + at + d] = w.stride[d];
        settings[2 * m + at + d] = w.padding[d];
    }
    settings[3 * m] = a->args[5].u.boolean;
    bool overrides = n > 1 && a->args[6].kind == GD_V_INT;
    if (overrides && arg_int(a, 6) == 0) return gd_fail(c, GD_E_RUNTIME, "divisor must be not zero");
    settings[3 * m + 1] = overrides ? arg_int(a, 6) : 0;
    return give_shared(a, averaged(c, arg_tensor(a, 0), n, GD_OP__avg_pool2d, GD_OP__avg_pool3d,
                                   GD_INTS_VALUE(settings, 3 * m + 2), GD_AVERAGE, w.out));
}

static gd_code adaptive_size(gd_apply *a, const char *op, int n, int64_t *size) {
    gd_ctx *c = a->ctx;
    const gd_tensor *x = arg_tensor(a, 0);
    if (!gd_spread_ints(&a->args[1], n, size))
        return gd_fail(c, GD_E_RUNTIME, "%s: internal error: output_size.size() must be %d", op, n);
    for (int d = 0; d < n; d++) {
        if (size[d] == INT64_MIN) size[d] = x->sizes[x->ndim - n + d];
        if (size[d] < 0)
            return gd_fail(c, GD_E_RUNTIME, "%s: elements of output_size must be greater than or equal to 0", op);
    }
    return GD_OK;
}

static gd_code check_adaptive(gd_ctx *c, const char *op, int n, const gd_tensor *x) {
    char text[TEXT];
    gd_code code = n == 1 ? check_line(c, op, x) : GD_OK;
    if (code) return code;
    if (x->ndim != n + 1 && x->ndim != n + 2)
        return gd_fail(c, GD_E_SHAPE, "%s(): Expected %dD or %dD tensor, but got %s", op, n + 1, n + 2,
                       gd_shape_text(text, sizeof text, x->ndim, x->sizes));
    for (int d = 1; d <= n; d++)
        if (x->sizes[x->ndim - d] == 0)
            return gd_fail(c, GD_E_SHAPE,
                           "%s(): Expected input to have non-zero size for non-batch "
                           "dimensions, but input has sizes "
                           "%s with dimension %d being empty",
                           op, gd_shape_text(text, sizeof text, x->ndim, x->sizes), x->ndim - d);
    return GD_OK;
}

static gd_tensor *adaptive(gd_ctx *c, gd_tensor *x, int n, const int64_t *size) {
    static const int64_t dims[] = {-1, -2, -3};
    bool whole = n > 1;
    for (int d = 0; d < n; d++) whole = whole && size[d] == 1;
    if (whole) return GX(c, mean_dim, T_(x), GD_INTS_VALUE(dims, n), B_(true)); /* as PyTorch */
    return averaged(c, x, n, GD_OP__adaptive_avg_pool2d, GD_OP__adaptive_avg_pool3d, GD_INTS_VALUE(dims, 0),
                    GD_ADAPTIVE, size);
}

gd_code gd_fw_adaptive_avg_pool(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    int n = a->op->param;
    int64_t size[GD_SPATIAL];
    const char *op = op_names[1][n];
    gd_code code = check_adaptive(c, op, n, arg_tensor(a, 0));
    if (!code) code = adaptive_size(a, op, n, size);
    if (!code) code = gd_check_floats(c, n == 3 ? "adaptive_avg_pool3d_cpu" : "adaptive_avg_pool2d", arg_tensor(a, 0));
    return code ? code : give_shared(a, adaptive(c, arg_tensor(a, 0), n, size));
}

/* ---- interpolation
 * ----------------------------------------------------------------------------------------------
 */

/* What the arguments of interpolate come to. */
typedef struct resizing {
    int n;
    const char *mode;
    bool aligned;
    int64_t size[GD_SPATIAL];
    double scales[GD_SPATIAL];
} resizing;

/* The rows for one, two and three dimensions; GD_OP_COUNT: there is none. */
static const struct mode {
    const char *name;
    gd_resampling kind;
    gd_op_id rows[GD_SPATIAL];
} modes[] = {
    {"nearest", GD_NEAREST, {GD_OP__upsample_nearest1d, GD_OP__upsample_nearest2d, GD_OP__upsample_nearest3d}},
    {"nearest-exact",
     GD_NEAREST_EXACT,
     {GD_OP__upsample_nearest_exact1d, GD_OP__upsample_nearest_exact2d, GD_OP__upsample_nearest_exact3d}},
    {"linear", GD_LINEAR, {GD_OP__upsample_linear1d, GD_OP_COUNT, GD_OP_COUNT}},
    {"bilinear", GD_LINEAR, {GD_OP_COUNT, GD_OP__upsample_bilinear2d, GD_OP_COUNT}},
    {"trilinear", GD_LINEAR, {GD_OP_COUNT, GD_OP_COUNT, GD_OP__upsample_trilinear3d}},
    {"bicubic", GD_CUBIC, {GD_OP_COUNT, GD_OP__upsample_bicubic2d, GD_OP_COUNT}},
    {"area", GD_ADAPTIVE, {GD_OP_COUNT, GD_OP_COUNT, GD_OP_COUNT}},
};

static gd_code read_size(gd_apply *a, resizing *r) {
    char from[TEXT], to[TEXT];
    const gd_value *size = &a->args[1];
    const gd_tensor *x = arg_tensor(a, 0);
    if (size->kind == GD_V_INTS && size->n != (uint32_t)r->n)
        return gd_fail(a->ctx, GD_E_VALUE,
                       "Input and output must have the same number of spatial "
                       "dimensions, but got input with spatial "
                       "dimensions of %s and output size of %s. Please provide "
                       "input tensor in (N, C, d1, d2, ...,dK) "
                       "format and output size in (o1, o2, ...,oK) format.",
                       gd_shape_text(from, sizeof from, r->n, x->sizes + 2),
                       gd_shape_text(to, sizeof to, (int)(size->n < 32 ? size->n : 32), size->u.ints));
    for (int d = 0; d < r->n; d++) r->size[d] = size->kind == GD_V_INTS ? size->u.ints[d] : size->u.integer;
    return GD_OK;
}

/* Sizes from scales: floor(size times scale), in double as PyTorch. */
static gd_code read_scales(gd_apply *a, resizing *r) {
    char from[TEXT];
    const gd_value *scale = &a->args[2];
    const gd_tensor *x = arg_tensor(a, 0);
    if (scale->kind == GD_V_FLOATS && scale->n != (uint32_t)r->n)
        return gd_fail(a->ctx, GD_E_VALUE,
                       "Input and scale_factor must have the same number of spatial "
                       "dimensions, but got input with "
                       "spatial dimensions of %s and scale_factor of shape %u. Please provide "
                       "input tensor in (N, C, "
                       "d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.",
                       gd_shape_text(from, sizeof from, r->n, x->sizes + 2), scale->n);
    for (int d = 0; d < r->n; d++) {
        r->scales[d] = scale->kind == GD_V_FLOATS ? scale->u.floats[d] : arg_f64(a, 2);
        double size = floor((double)x->sizes[2 + d] * r->scales[d]);
        if (!(size >= -0x1p62 && size <= 0x1p62))
            return gd_fail(a->ctx, GD_E_VALUE, "interpolate: scale_factor %g is out of range", r->scales[d]);
        r->size[d] = (int64_t)size;
    }
    return GD_OK;
}

static gd_code check_sizes(gd_ctx *c, const resizing *r, const gd_tensor *x) {
    char from[TEXT], to[TEXT];
    bool good = true;
    for (int d = 0; d < r->n; d++) good = good && x->sizes[2 + d] > 0 && r->size[d] > 0;
    if (!good)
        return gd_fail(c, GD_E_RUNTIME,
                       "Input and output sizes should be greater than 0, but got "
                       "input %s and output %s",
                       gd_shape_text(from, sizeof from, r->n, x->sizes + 2),
                       gd_shape_text(to, sizeof to, r->n, r->size));
    if (x->sizes[1] == 0)
        return gd_fail(c, GD_E_RUNTIME, "Non-empty %dD data tensor expected but got a tensor with sizes %s", r->n + 2,
                       gd_shape_text(from, sizeof from, x->ndim, x->sizes));
    return GD_OK;
}

static gd_code wrong_mode(gd_ctx *c, const gd_tensor *x, const char *mode) {
    static const struct {
        const char *name;
        int ndim;
    } needs[] = {{"linear", 3}, {"bilinear", 4}, {"trilinear", 5}};
    for (int i = 0; i < 3; i++)
        if (strcmp(mode, needs[i].name) == 0 && x->ndim >= 3 && x->ndim <= 5)
            return gd_fail(c, GD_E_NOT_IMPLEMENTED, "Got %dD input, but %s mode needs %dD input", x->ndim, mode,
                           needs[i].ndim);
    return gd_fail(c, GD_E_NOT_IMPLEMENTED,
                   "Input Error: Only 3D, 4D and 5D input Tensors supported (got %dD) for "
                   "the modes: nearest | linear | "
                   "bilinear | bicubic | trilinear | area | nearest-exact (got %s)",
                   x->ndim, mode);
}

static gd_code resize(gd_apply *a, const resizing *r, const struct mode *m) {
    gd_ctx *c = a->ctx;
    gd_tensor *x = arg_tensor(a, 0);
    const int64_t settings[] = {r->aligned};
    if (m->kind == GD_ADAPTIVE) {
        gd_code code = check_adaptive(c, op_names[1][r->n], r->n, x);
        for (int d = 0; d < r->n && !code; d++)
            if (r->size[d] < 0)
                code = gd_fail(c, GD_E_RUNTIME, "%s: elements of output_size must be greater than or equal to 0",
                               op_names[1][r->n]);
        return code ? code : give_shared(a, adaptive(c, x, r->n, r->size));
    }
    gd_code code = check_sizes(c, r, x);
    if (code) return code;
    const gd_value args[] = {T_(x), I_(m->kind), GD_INTS_VALUE(r->size, r->n), GD_INTS_VALUE(settings, 1),
                             floats(r->scales, r->n)};
    return give_shared(a, gx_do(c, m->rows[r->n - 1], args, 5));
}

/* Reads size, scale and their flags; param 0: interpolate, 1: upsample_nearest,
 * 2: upsample_bilinear. */
static gd_code read_resizing(gd_apply *a, resizing *r) {
    gd_ctx *c = a->ctx;
    int param = a->op->param;
    bool sized = a->args[1].kind != GD_V_NONE, scaled = a->args[2].kind != GD_V_NONE;
    bool recomputes = param == 0 && a->args[5].kind == GD_V_BOOL && a->args[5].u.boolean;
    r->mode = param == 0 ? a->args[3].u.str : param == 1 ? "nearest" : "bilinear";
    r->aligned = param == 2 || (param == 0 && a->args[4].kind == GD_V_BOOL && a->args[4].u.boolean);
    bool plain = strcmp(r->mode, "area") == 0 || strncmp(r->mode, "nearest", 7) == 0;
    if (param == 0 && plain && a->args[4].kind == GD_V_BOOL)
        return gd_fail(c, GD_E_VALUE,
                       "align_corners option can only be set with the "
                       "interpolating modes: linear | bilinear | bicubic "
                       "| trilinear");
    if (sized && scaled) return gd_fail(c, GD_E_VALUE, "only one of size or scale_factor should be defined");
    if (!sized && !scaled) return gd_fail(c, GD_E_VALUE, "either size or scale_factor should be defined");
    r->n = arg_tensor(a, 0)->ndim - 2;
    if (r->n < 1 || r->n > GD_SPATIAL) return wrong_mode(c, arg_tensor(a, 0), r->mode);
    gd_code code = sized ? read_size(a, r) : read_scales(a, r);
    if (!code && recomputes && sized)
        return gd_fail(c, GD_E_VALUE, "recompute_scale_factor is not meaningful with an explicit size.");
    if (recomputes || sized) memset(r->scales, 0, sizeof r->scales);
    return code;
}

gd_code gd_fw_interpolate(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0);
    resizing r = {0};
    gd_code code = read_resizing(a, &r);
    if (code) return code;
    if (a->op->param == 0 && a->args[6].u.boolean)
        return gd_fail(c, GD_E_NOT_IMPLEMENTED, "interpolate with antialias is not implemented");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(r.mode, modes[i].name) != 0) continue;
        if (modes[i].kind != GD_ADAPTIVE && modes[i].rows[r.n - 1] == GD_OP_COUNT) break;
        code = gd_check_floats(c, "compute_indices_weights", x);
        return code ? code : resize(a, &r, &modes[i]);
    }
    return wrong_mode(c, x, r.mode);
}
