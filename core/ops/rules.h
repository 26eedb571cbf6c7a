/* rules.h: the expressions derivative rules are written in.
 *
 * Every helper applies a row of the op table through gd_do, so a rule is recorded under create_graph and
 * second derivatives come free. Results are temporaries of the context's pool: never release them.
 * A NULL operand gives NULL (no gradient), and so does an error, which the engine finds afterwards; so rules
 * read as formulas, without checks. Broadcasting is undone by the engine, not here.
 */
#ifndef GD_RULES_H
#define GD_RULES_H

#include "core/autograd/autograd.h"

static inline gd_tensor *gx_do(gd_ctx *ctx, gd_op_id id, const gd_value *args, int nargs) {
    for (int i = 0; i < nargs; i++)
        if (args[i].kind == GD_V_TENSOR && !args[i].u.tensor) return NULL;
    if (ctx->error.code != GD_OK) return NULL;
    return gd_pool_add(ctx, gd_do(ctx, id, args, nargs));
}
#define GX(ctx, id, ...)                                                                                               \
    gx_do((ctx), GD_OP_##id, (const gd_value[]){__VA_ARGS__},                                                          \
          (int)(sizeof((const gd_value[]){__VA_ARGS__}) / sizeof(gd_value)))
#define T_(t) GD_TENSOR_VALUE(t)
#define I_(i) GD_INT_VALUE(i)
#define F_(f) GD_FLOAT_VALUE(f)
#define B_(b) GD_BOOL_VALUE(b)

static inline gd_tensor *gx_add(gd_ctx *c, gd_tensor *a, gd_tensor *b) { return GX(c, add, T_(a), T_(b)); }
static inline gd_tensor *gx_sub(gd_ctx *c, gd_tensor *a, gd_tensor *b) { return GX(c, sub, T_(a), T_(b)); }
static inline gd_tensor *gx_mul(gd_ctx *c, gd_tensor *a, gd_tensor *b) { return GX(c, mul, T_(a), T_(b)); }
static inline gd_tensor *gx_div(gd_ctx *c, gd_tensor *a, gd_tensor *b) { return GX(c, div, T_(a), T_(b)); }
static inline gd_tensor *gx_neg(gd_ctx *c, gd_tensor *a) { return GX(c, neg, T_(a)); }
/* A number as wrapped 0-dim tensor (Python scalar: does not promote). */
static inline gd_tensor *gx_number(gd_ctx *c, double v) {
    if (c->error.code != GD_OK) return NULL;
    gd_tensor *t = gd_scalar_f64(c, v, GD_FLOAT64);
    if (t) t->flags |= GD_F_WRAPPED_NUMBER;
    return gd_pool_add(c, t);
}
static inline gd_tensor *gx_add_s(gd_ctx *c, gd_tensor *a, double v) { return gx_add(c, a, gx_number(c, v)); }
static inline gd_tensor *gx_mul_s(gd_ctx *c, gd_tensor *a, double v) { return gx_mul(c, a, gx_number(c, v)); }
/* condition ? a : b, a and b tensors (wrapped numbers allowed). */
static inline gd_tensor *gx_where(gd_ctx *c, gd_tensor *cond, gd_tensor *a, gd_tensor *b) {
    return GX(c, where, T_(cond), T_(a), T_(b));
}

#endif
