/* compile_pointwise.c: pointwise expressions: what they simplify to, without a change of any bit of a number, and
 * whether they are known already. (Where a result is not a number, its sign may change.) */
#include <math.h>
#include <string.h>

#include "core/plan/compiler.h"

/* ---- operands ------------------------------------------------------------------------------------- */

static int32_t convert_scalar(gd_compiler *c, const gd_cvalue *v, gd_dtype dtype) {
    _Alignas(8) char element[8];
    char *data[2] = {element, v->bytes};
    const int64_t strides[2] = {0, 0};
    if (v->dtype == dtype) return gd_c_scalar_constant(c, dtype, v->bytes);
    gd_cast_loop(dtype, v->dtype)(data, strides, 1, NULL);
    return gd_c_scalar_constant(c, dtype, element);
}

/* A constant of another dtype. */
static int32_t convert_constant(gd_compiler *c, int32_t value, gd_dtype dtype) {
    const gd_cvalue *v = &c->values[value];
    gd_tensor t = {.refs = 1,
                   .dtype = (uint8_t)v->dtype,
                   .ndim = (uint8_t)v->ndim,
                   .storage = v->storage,
                   .data = v->bytes,
                   .numel = v->numel,
                   .sizes = (int64_t *)v->sizes};
    gd_tensor *converted = gd_as_dtype(c->ctx, &t, dtype);
    if (!converted) c->failed = true;
    int32_t made = converted && gd_c_keep_storage(c, converted->storage) ? gd_c_constant(c, converted) : -1;
    gd_release(converted);
    return made;
}

int32_t gd_c_cast(gd_compiler *c, int32_t value, gd_dtype dtype) {
    const gd_cvalue v = c->values[value];
    if (v.dtype == dtype) return value;
    if (v.kind == GD_C_CONSTANT) return v.uniform ? convert_scalar(c, &v, dtype) : convert_constant(c, value, dtype);
    int64_t shape[2 * GD_MAX_DIMS];
    memcpy(shape, v.sizes, 2 * (size_t)v.ndim * sizeof *shape);
    if (!gd_c_is_dense(v.ndim, shape, shape + v.ndim)) gd_contiguous_strides(v.ndim, shape, shape + v.ndim);
    const gd_pointwise_recipe r = {.loop = gd_cast_loop(dtype, v.dtype),
                                   .kernel = GD_C_CAST,
                                   .compute = v.dtype,
                                   .result = dtype,
                                   .nin = 1,
                                   .in = {value},
                                   .ndim = v.ndim,
                                   .sizes = shape};
    return gd_c_pointwise(c, &r);
}

/* Numbers become 0-dim constants of the dtype that is computed in, all else is converted. */
static bool settle_operands(gd_compiler *c, gd_pointwise_recipe *r) {
    for (int k = 0; k < r->nin; k++) {
        const gd_cvalue *v = &c->values[r->in[k]];
        gd_dtype dtype = r->condition && k == 0 ? v->dtype : r->compute;
        if (v->kind == GD_C_CONSTANT && v->uniform)
            r->in[k] = convert_scalar(c, v, dtype);
        else if (v->dtype != dtype)
            r->in[k] = gd_c_cast(c, r->in[k], dtype);
        if (r->in[k] < 0) return false;
    }
    return true;
}

/* ---- one element many times ----------------------------------------------------------------------- */

static int64_t numel_of(const gd_pointwise_recipe *r) {
    int64_t n = 1;
    for (int d = 0; d < r->ndim; d++) n *= r->sizes[d];
    return n;
}

static bool all_scalar(const gd_compiler *c, const gd_pointwise_recipe *r) {
    for (int k = 0; k < r->nin; k++)
        if (!gd_c_is_scalar(&c->values[r->in[k]])) return false;
    return true;
}

/* The one element of a value, as a 0-dim view. */
static int32_t element_of(gd_compiler *c, int32_t value) {
    const gd_cvalue *v = &c->values[value];
    if (v->ndim == 0) return value;
    gd_c_key_start(c, 'e');
    gd_c_key(c, v->root);
    gd_c_key(c, v->offset);
    int32_t found = gd_c_known(c);
    if (found >= 0 || c->failed) return found;
    found = gd_c_view(c, value, 0, NULL, NULL, v->offset);
    if (found >= 0) gd_c_remember(c, found);
    return found;
}

/* Computes the element once and shows it many times. */
static int32_t compute_once(gd_compiler *c, const gd_pointwise_recipe *r) {
    gd_pointwise_recipe once = *r;
    static const int64_t still[GD_MAX_DIMS];
    once.ndim = 0;
    for (int k = 0; k < r->nin; k++) {
        once.in[k] = element_of(c, r->in[k]);
        if (once.in[k] < 0) return -1;
    }
    int32_t value = gd_c_pointwise(c, &once);
    return value < 0 ? -1 : gd_c_view(c, value, r->ndim, r->sizes, still, c->values[value].offset);
}

/* ---- identities ------------------------------------------------------------------------------------- */

/* Is operand k the constant x, with its sign? */
static bool is_number(const gd_compiler *c, const gd_pointwise_recipe *r, int k, double x) {
    const gd_cvalue *v = &c->values[r->in[k]];
    if (v->kind != GD_C_CONSTANT || v->numel != 1) return false;
    if (!gd_dtype_is_float(v->dtype)) return gd_load_i64(v->dtype, v->bytes) == (int64_t)x;
    double y = gd_load_f64(v->dtype, v->bytes);
    return y == x && signbit(y) == signbit(x);
}

/* Operand k as the result, if it has the result's place in memory. */
static int32_t as_result(const gd_compiler *c, const gd_pointwise_recipe *r, int k) {
    const gd_cvalue *v = &c->values[r->in[k]];
    bool same = v->dtype == r->result && gd_c_same_geometry(v, r->ndim, r->sizes, r->sizes + r->ndim);
    return same ? r->in[k] : -1;
}

/* The operand that the expression is equal to, or -1. */
static int32_t identity(const gd_compiler *c, const gd_pointwise_recipe *r) {
    bool real = gd_dtype_is_float(r->compute);
    switch (r->kernel) {
    case GD_K_COPY: return as_result(c, r, 0);
    case GD_K_MUL:
        if (is_number(c, r, 1, 1)) return as_result(c, r, 0);
        return is_number(c, r, 0, 1) ? as_result(c, r, 1) : -1;
    case GD_K_DIV: return is_number(c, r, 1, 1) ? as_result(c, r, 0) : -1;
    case GD_K_ADD: /* 0 + -0 is 0, so only -0 changes nothing */
        if (is_number(c, r, 1, real ? -0.0 : 0)) return as_result(c, r, 0);
        return is_number(c, r, 0, real ? -0.0 : 0) ? as_result(c, r, 1) : -1;
    case GD_K_SUB: return is_number(c, r, 1, 0) ? as_result(c, r, 0) : -1;
    default: return -1;
    }
}

/* ---- signs ------------------------------------------------------------------------------------------- */

/* What operand k is the negative of; -1: nothing. */
static int32_t negated(const gd_compiler *c, const gd_pointwise_recipe *r, int k) {
    const gd_cvalue *v = &c->values[r->in[k]];
    if (v->kind != GD_C_RESULT) return -1;
    const gd_cnode *node = &c->nodes[v->source];
    return node->kind == GD_N_POINTWISE && node->kernel == GD_K_NEG ? node->in[0] : -1;
}

static void use_kernel(gd_pointwise_recipe *r, gd_kernel k) {
    r->kernel = (int)k;
    r->loop = gd_pointwise_loop(k, r->compute);
}

/* -c for a number; -1: it is none, or failed. */
static int32_t negative_constant(gd_compiler *c, int32_t value) {
    const gd_cvalue *v = &c->values[value];
    if (v->kind != GD_C_CONSTANT || !v->uniform || !gd_dtype_is_float(v->dtype)) return -1;
    _Alignas(8) char element[8];
    gd_store_f64(v->dtype, element, -gd_load_f64(v->dtype, v->bytes));
    return gd_c_scalar_constant(c, v->dtype, element);
}

/* a + -b, a - -b, -a + b. */
static void resolve_sum(gd_compiler *c, gd_pointwise_recipe *r) {
    int32_t a = negated(c, r, 0), b = negated(c, r, 1);
    if (b >= 0) {
        r->in[1] = b;
        use_kernel(r, r->kernel == GD_K_ADD ? GD_K_SUB : GD_K_ADD);
    } else if (a >= 0 && r->kernel == GD_K_ADD) {
        r->in[0] = r->in[1];
        r->in[1] = a;
        use_kernel(r, GD_K_SUB);
    }
}

/* -a * -b, -a * 3. */
static void resolve_product(gd_compiler *c, gd_pointwise_recipe *r) {
    int32_t a = negated(c, r, 0), b = negated(c, r, 1);
    int32_t opposite = a >= 0 && b < 0 ? negative_constant(c, r->in[1]) : -1;
    if (a >= 0 && b >= 0) {
        r->in[0] = a;
        r->in[1] = b;
    } else if (opposite >= 0) {
        r->in[0] = a;
        r->in[1] = opposite;
    }
}

/* a * b * x: signs go into x, and a factor of 1 away. `scale` is room for x. */
static void resolve_scaled(gd_compiler *c, gd_pointwise_recipe *r, char *scale) {
    double x = gd_load_f64(r->compute, r->extra);
    for (int k = 0; k < 2; k++) {
        int32_t plain = negated(c, r, k);
        if (plain < 0) continue;
        r->in[k] = plain;
        x = -x;
    }
    gd_store_f64(r->compute, scale, x);
    r->extra = scale;
    int one = is_number(c, r, 0, 1) ? 0 : is_number(c, r, 1, 1) ? 1 : -1;
    if (one < 0 && x != 1) return;
    if (one >= 0) { /* 1 * b * x is b * x */
        int32_t number = gd_c_scalar_constant(c, r->compute, scale);
        if (number < 0) return;
        r->in[0] = r->in[1 - one];
        r->in[1] = number;
    }
    r->extra = NULL;
    r->extra_bytes = 0;
    use_kernel(r, GD_K_MUL);
}

static void resolve_signs(gd_compiler *c, gd_pointwise_recipe *r, char *scale) {
    if (!gd_dtype_is_float(r->compute)) return;
    if (r->kernel == GD_K_ADD || r->kernel == GD_K_SUB) resolve_sum(c, r);
    if (r->kernel == GD_K_MUL || r->kernel == GD_K_DIV) resolve_product(c, r);
    if (r->kernel == GD_K_SCALED_MUL) resolve_scaled(c, r, scale);
}

/* ---- nodes -------------------------------------------------------------------------------------------- */

static void make_key(gd_compiler *c, const gd_pointwise_recipe *r) {
    bool swap = (r->kernel == GD_K_ADD || r->kernel == GD_K_MUL) && r->in[0] > r->in[1];
    gd_c_key_start(c, 'p');
    gd_c_key(c, (int64_t)(uintptr_t)r->loop);
    gd_c_key(c, (int64_t)r->compute << 32 | (int64_t)r->result);
    for (int k = 0; k < r->nin; k++) gd_c_key(c, r->in[swap ? 1 - k : k]);
    gd_c_key_bytes(c, r->extra, r->extra_bytes);
    gd_c_key_bytes(c, r->sizes, 2 * (size_t)r->ndim * sizeof *r->sizes);
}

static int32_t make_node(gd_compiler *c, const gd_pointwise_recipe *r) {
    gd_cnode node = {.kind = GD_N_POINTWISE,
                     .loop = r->loop,
                     .kernel = r->kernel,
                     .compute = r->compute,
                     .extra_bytes = r->extra_bytes,
                     .nin = r->nin};
    int32_t *in = gd_c_new(c, (size_t)r->nin, sizeof *in);
    char *extra = gd_c_keep(c, 1, r->extra_bytes);
    if (!in || !extra) return -1;
    memcpy(in, r->in, (size_t)r->nin * sizeof *in);
    if (r->extra_bytes) memcpy(extra, r->extra, r->extra_bytes);
    node.in = in;
    node.extra = r->extra_bytes ? extra : NULL;
    int32_t index = gd_c_node(c, &node);
    return gd_c_result(c, index, r->result, r->ndim, r->sizes, r->sizes + r->ndim);
}

int32_t gd_c_pointwise(gd_compiler *c, const gd_pointwise_recipe *recipe) {
    gd_pointwise_recipe r = *recipe;
    _Alignas(8) char scale[8];
    if (c->failed || !settle_operands(c, &r)) return -1;
    if (numel_of(&r) > 1 && all_scalar(c, &r)) return compute_once(c, &r);
    resolve_signs(c, &r, scale);
    if (r.kernel == GD_K_NEG && negated(c, &r, 0) >= 0) {
        r.in[0] = negated(c, &r, 0);
        use_kernel(&r, GD_K_COPY);
    }
    int32_t value = identity(c, &r);
    if (value >= 0) return value;
    make_key(c, &r);
    value = gd_c_known(c);
    if (value >= 0 || c->failed) return value;
    value = make_node(c, &r);
    if (value < 0) return -1;
    make_key(c, &r); /* the node may have used the room */
    gd_c_remember(c, value);
    return value;
}
