/* grid.c: rows of grid.def: reading images at given places, and the places of affine maps. Loops are in
 * core/kernels/grid_simd.c. */
#include <stdio.h>
#include <string.h>

#include "core/kernels/grid.h"
#include "core/kernels/kernels.h"
#include "core/ops/compose.h"
#include "core/ops/families.h"

#define TEXT 256

/* ---- grid_sample ---------------------------------------------------------------------------------------------- */

static int named(const char *text, const char *const *names) {
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) return i;
    return -1;
}

static gd_code read_modes(gd_apply *a, int *mode, int *padding) {
    static const char *const modes[] = {"bilinear", "nearest", "bicubic"};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    *mode = named(a->args[2].u.str, modes);
    if (*mode < 0)
        return gd_fail(a->ctx, GD_E_VALUE,
                       "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: "
                       "'%s'",
                       a->args[2].u.str);
    *padding = named(a->args[3].u.str, paddings);
    if (*padding < 0)
        return gd_fail(a->ctx, GD_E_VALUE,
                       "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
                       "but got: '%s'",
                       a->args[3].u.str);
    return GD_OK;
}

static gd_code check_sampler(gd_ctx *c, const gd_tensor *x, const gd_tensor *grid) {
    char one[TEXT], two[TEXT];
    gd_shape_text(one, sizeof one, x->ndim, x->sizes);
    gd_shape_text(two, sizeof two, grid->ndim, grid->sizes);
    if (x->ndim < 1 || grid->ndim < 1 || x->sizes[0] != grid->sizes[0])
        return gd_fail(c, GD_E_SHAPE,
                       "grid_sampler(): expected grid and input to have same batch size, but got input with sizes %s "
                       "and grid with sizes %s",
                       one, two);
    if (grid->sizes[grid->ndim - 1] != x->ndim - 2)
        return gd_fail(c, GD_E_SHAPE,
                       "grid_sampler(): expected grid to have size %d in last dimension, but got grid with sizes %s",
                       x->ndim - 2, two);
    for (int d = 2; d < x->ndim; d++)
        if (x->sizes[d] <= 0)
            return gd_fail(c, GD_E_SHAPE,
                           "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                           "%s with dimension %d being empty",
                           one, d);
    if ((x->ndim != 4 && x->ndim != 5) || x->ndim != grid->ndim)
        return gd_fail(c, GD_E_SHAPE,
                       "grid_sampler(): expected %s input and grid with same number of dimensions, but got input with "
                       "sizes %s and grid with sizes %s",
                       grid->ndim == 5 ? "5D" : "4D", one, two);
    return GD_OK;
}

static gd_code check_types(gd_ctx *c, const gd_tensor *x, const gd_tensor *grid, int mode) {
    const char *name = gd_dtype_scalar_name((gd_dtype)x->dtype);
    if (x->ndim == 5 && mode == GD_GRID_CUBIC)
        return gd_fail(c, GD_E_RUNTIME, "grid_sampler(): bicubic interpolation only supports 4D input");
    if (!gd_dtype_is_float((gd_dtype)x->dtype) && x->ndim == 4)
        return gd_fail(c, GD_E_DTYPE, "grid_sampler_2d_cpu not implemented for %s", name);
    if (!gd_dtype_is_float((gd_dtype)x->dtype))
        return gd_fail(c, GD_E_DTYPE, "\"grid_sampler3d_cpu\" not implemented for '%s'", name);
    if (grid->dtype != x->dtype)
        return gd_fail(c, GD_E_DTYPE, "expected scalar type %s but found %s", name,
                       gd_dtype_scalar_name((gd_dtype)grid->dtype));
    return GD_OK;
}

gd_code gd_fw_grid_sample(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *x = arg_tensor(a, 0), *grid = arg_tensor(a, 1);
    int mode = 0, padding = 0;
    gd_code code = read_modes(a, &mode, &padding);
    if (!code) code = check_sampler(c, x, grid);
    if (!code) code = check_types(c, x, grid, mode);
    if (code) return code;
    bool aligned = a->args[4].kind == GD_V_BOOL && a->args[4].u.boolean;
    const gd_value args[] = {T_(x), T_(grid), I_(mode), I_(padding), B_(aligned)};
    return give_shared(a, gx_do(c, x->ndim == 4 ? GD_OP__grid_sampler_2d : GD_OP__grid_sampler_3d, args, 5));
}

/* Reads the settings at `first` + 2 and what the tensors say. */
static gd_grid grid_of(const gd_apply *a, int first) {
    const gd_tensor *x = arg_tensor(a, first), *grid = arg_tensor(a, first + 1);
    gd_grid g = {.n = x->ndim - 2,
                 .mode = (gd_grid_mode)arg_int(a, first + 2),
                 .padding = (gd_grid_padding)arg_int(a, first + 3),
                 .aligned = a->args[first + 4].u.boolean,
                 .size = {1, 1, 1},
                 .channels = x->sizes[1],
                 .points = 1};
    for (int d = 0; d < g.n; d++) {
        g.size[d] = x->sizes[x->ndim - 1 - d];
        g.points *= grid->sizes[1 + d];
    }
    return g;
}

static int64_t volume(const gd_grid *g) { return g->size[0] * g->size[1] * g->size[2]; }
static char *sample_of(const gd_tensor *t, int64_t batch, int64_t numel) {
    return t->data + (size_t)(batch * numel) * gd_dtype_bytes((gd_dtype)t->dtype);
}

gd_code gd_fw__grid_sampler(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_grid g = grid_of(a, 0);
    gd_tensor *x = gd_as_contiguous(c, arg_tensor(a, 0));
    gd_tensor *grid = x ? gd_as_contiguous(c, arg_tensor(a, 1)) : NULL;
    int64_t sizes[5], numel;
    gd_code code = grid ? GD_OK : gd_failed(c);
    if (!code) {
        memcpy(sizes, x->sizes, 2 * sizeof *sizes);
        memcpy(sizes + 2, grid->sizes + 1, (size_t)g.n * sizeof *sizes);
        code = gd_checked_numel(c, (gd_dtype)x->dtype, g.n + 2, sizes, &numel);
    }
    gd_tensor *out = code ? NULL : gd_empty(c, (gd_dtype)x->dtype, g.n + 2, sizes);
    gd_grid_read read = gd_grid_reader((gd_dtype)arg_tensor(a, 0)->dtype);
    for (int64_t i = 0; out && i < sizes[0]; i++)
        read(&g, sample_of(x, i, g.channels * volume(&g)), sample_of(grid, i, g.points * g.n),
             sample_of(out, i, g.channels * g.points));
    gd_release(x);
    gd_release(grid);
    return code ? code : give(a, out);
}

/* Gradients of input (if wanted: zeros where not) and grid. */
gd_code gd_fw__grid_sampler_backward(gd_apply *a) {
    gd_ctx *c = a->ctx;
    const gd_grid g = grid_of(a, 1);
    const bool wanted = a->args[6].u.boolean;
    gd_code code = gd_apply_reserve(a, 2);
    if (code) return code;
    gd_tensor *grad = gd_as_contiguous(c, arg_tensor(a, 0));
    gd_tensor *x = grad ? gd_as_contiguous(c, arg_tensor(a, 1)) : NULL;
    gd_tensor *grid = x ? gd_as_contiguous(c, arg_tensor(a, 2)) : NULL;
    const gd_dtype dtype = (gd_dtype)arg_tensor(a, 1)->dtype;
    a->out[0] = !grid ? NULL : wanted ? gd_zeros(c, dtype, x->ndim, x->sizes) : gd_zeros(c, dtype, 0, NULL);
    a->out[1] = a->out[0] ? gd_empty_like(c, grid, dtype) : NULL;
    gd_grid_slope slope = gd_grid_sloper(dtype);
    for (int64_t i = 0; a->out[1] && i < x->sizes[0]; i++)
        slope(&g, sample_of(x, i, g.channels * volume(&g)), sample_of(grid, i, g.points * g.n),
              sample_of(grad, i, g.channels * g.points),
              wanted ? sample_of(a->out[0], i, g.channels * volume(&g)) : NULL,
              sample_of(a->out[1], i, g.points * g.n));
    gd_release(grad);
    gd_release(x);
    gd_release(grid);
    return a->out[1] ? GD_OK : gd_failed(c);
}

void gd_bw__grid_sampler(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *x = gd_bw_tensor(b, 0), *grid = gd_bw_tensor(b, 1);
    if (!b->grads[0] || !x || !grid) return;
    const gd_value args[] = {T_(b->grads[0]),      T_(x), T_(grid), gd_bw_arg(b, 2), gd_bw_arg(b, 3), gd_bw_arg(b, 4),
                             B_(gd_bw_needs(b, 0))};
    gd_result r = {0};
    if (gd_do_all(c, x->ndim == 4 ? GD_OP__grid_sampler_2d_backward : GD_OP__grid_sampler_3d_backward, args, 7, &r))
        return;
    if (gd_bw_needs(b, 0)) gd_bw_set(b, 0, r.outputs[0]);
    if (gd_bw_needs(b, 1)) gd_bw_set(b, 1, r.outputs[1]);
    gd_result_clear(&r);
}

/* ---- affine_grid ------------------------------------------------------------------------------------------------ */

static gd_code wrong_theta(gd_apply *a, const char *kind, const char *shape) {
    char size[TEXT], got[TEXT];
    const gd_tensor *t = arg_tensor(a, 0);
    return gd_fail(a->ctx, GD_E_VALUE,
                   "Expected a batch of %s affine matrices of shape %s for size %s. Got torch.Size(%s).", kind, shape,
                   gd_shape_text(size, sizeof size, arg_count(a, 1), arg_ints(a, 1)),
                   gd_shape_text(got, sizeof got, t->ndim, t->sizes));
}

static gd_code check_affine(gd_apply *a) {
    char text[TEXT];
    gd_ctx *c = a->ctx;
    const gd_tensor *t = arg_tensor(a, 0);
    const int n = arg_count(a, 1) - 2;
    bool positive = true;
    if (!gd_dtype_is_float((gd_dtype)t->dtype))
        return gd_fail(c, GD_E_VALUE, "Expected theta to have floating point type, but got torch.%s",
                       gd_dtype_name((gd_dtype)t->dtype));
    gd_shape_text(text, sizeof text, arg_count(a, 1) < 32 ? arg_count(a, 1) : 32, arg_ints(a, 1));
    if (n != 2 && n != 3)
        return gd_fail(c, GD_E_NOT_IMPLEMENTED,
                       "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got "
                       "size %s.",
                       text);
    if (t->ndim != 3 || t->sizes[1] != n || t->sizes[2] != n + 1)
        return n == 2 ? wrong_theta(a, "2D", "Nx2x3") : wrong_theta(a, "3D", "Nx3x4");
    for (int d = 0; d < n + 2; d++) positive = positive && arg_ints(a, 1)[d] > 0;
    return positive ? GD_OK : gd_fail(c, GD_E_VALUE, "Expected non-zero, positive output size. Got %s", text);
}

gd_code gd_fw_affine_grid(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    bool aligned = a->args[2].kind == GD_V_BOOL && a->args[2].u.boolean;
    gd_code code = check_affine(a);
    return code ? code : give_shared(a, GX(c, affine_grid_generator, a->args[0], a->args[1], B_(aligned)));
}

/* `steps` places from -1 to 1, or of pixels' centres when the borders are there. */
static gd_tensor *places(gd_ctx *c, int64_t steps, bool aligned, gd_dtype dtype) {
    if (steps <= 1) return GX(c, zeros, IS_(&steps, 1), GD_DTYPE_VALUE(dtype));
    gd_tensor *t = GX(c, linspace, I_(-1), I_(1), I_(steps), GD_DTYPE_VALUE(dtype));
    return aligned ? t : gx_div(c, gx_mul_s(c, t, (double)(steps - 1)), gx_number(c, (double)steps));
}

/* Points of all pixels (x, y, [z,] 1), as rows of one matrix. */
static gd_tensor *base_grid(gd_ctx *c, const int64_t *size, int n, bool aligned, gd_dtype dtype) {
    gd_tensor *list[4];
    for (int at = n - 1; at >= 0; at--) {
        int64_t shape[3] = {1, 1, 1};
        const int d = n - 1 - at;
        shape[at] = size[at];
        gd_tensor *line = GX(c, reshape, T_(places(c, size[at], aligned, dtype)), IS_(shape, n));
        list[d] = GX(c, expand, T_(line), IS_(size, n));
        if (!list[d]) return NULL;
    }
    list[n] = GX(c, ones, IS_(size, n), GD_DTYPE_VALUE(dtype));
    if (!list[n]) return NULL;
    return GX(c, reshape, T_(GX(c, stack, TS_(list, n + 1), I_(-1))), SHAPE_(-1, n + 1));
}

static gd_code check_generator(gd_apply *a, int64_t *points) {
    gd_ctx *c = a->ctx;
    const gd_tensor *t = arg_tensor(a, 0);
    const int n = arg_count(a, 1) - 2;
    const int64_t *size = arg_ints(a, 1);
    if (n != 2 && n != 3)
        return gd_fail(c, GD_E_RUNTIME, "AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.");
    int64_t shape[] = {size[0], 1, n + 1};
    for (int d = 0; d < n; d++)
        if (size[2 + d] < 0 || !gd_mul_i64(shape[1], size[2 + d], &shape[1]))
            return gd_fail(c, GD_E_SHAPE, "Trying to create tensor with negative dimension %lld",
                           (long long)size[2 + d]);
    *points = shape[1];
    if (t->ndim != 3) return gd_fail(c, GD_E_SHAPE, "batch2 must be a 3D tensor");
    if (t->sizes[0] != size[0] || t->sizes[2] != n + 1)
        return gd_fail(c, GD_E_SHAPE,
                       "Expected size for first two dimensions of batch2 tensor to be: [%lld, %d] but got: [%lld, "
                       "%lld].",
                       (long long)size[0], n + 1, (long long)t->sizes[0], (long long)t->sizes[2]);
    return gd_checked_numel(c, (gd_dtype)t->dtype, 3, shape, &shape[0]);
}

gd_code gd_fw_affine_grid_generator(gd_apply *a) {
    gd_ctx *c = gd_composing(a);
    gd_tensor *theta = arg_tensor(a, 0);
    const int n = arg_count(a, 1) - 2;
    const int64_t *size = arg_ints(a, 1);
    int64_t points = 0, shape[5];
    gd_code code = check_generator(a, &points);
    if (code) return code;
    gd_grad_mode mode = gd_compose_unrecorded(c);
    gd_tensor *base = base_grid(c, size + 2, n, a->args[2].u.boolean, (gd_dtype)theta->dtype);
    base = GX(c, expand, T_(base), SHAPE_(size[0], points, n + 1));
    gd_tensor *grid = GX(c, bmm, T_(base), T_(GX(c, transpose, T_(theta), I_(1), I_(2))));
    shape[0] = size[0];
    memcpy(shape + 1, size + 2, (size_t)n * sizeof *shape);
    shape[n + 1] = theta->sizes[1];
    grid = GX(c, reshape, T_(grid), IS_(shape, n + 2));
    c->mode = mode;
    return give_shared(a, grid);
}

/* The base grid, transposed, times the gradient; then transposed. */
void gd_bw_affine_grid_generator(gd_bw *b) {
    gd_ctx *c = b->ctx;
    gd_tensor *g = b->grads[0];
    const gd_value v = gd_bw_arg(b, 1);
    const int n = (int)v.n - 2;
    if (!g) return;
    gd_tensor *base = base_grid(c, v.u.ints + 2, n, gd_bw_arg(b, 2).u.boolean, gd_bw_dtype(b, 0));
    base = GX(c, expand, T_(base), SHAPE_(v.u.ints[0], base ? base->sizes[0] : 0, n + 1));
    gd_tensor *flat = GX(c, reshape, T_(g), SHAPE_(v.u.ints[0], base ? base->sizes[1] : 0, g->sizes[g->ndim - 1]));
    gd_tensor *r = GX(c, bmm, T_(GX(c, transpose, T_(base), I_(1), I_(2))), T_(flat));
    gd_bw_set(b, 0, GX(c, transpose, T_(r), I_(1), I_(2)));
}
