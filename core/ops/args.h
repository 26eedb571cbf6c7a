/* args.h: short names for what forward functions of the shape, index and linear algebra rows read and write. */
#ifndef GD_ARGS_H
#define GD_ARGS_H

#include "core/ops/op.h"

static inline gd_tensor *arg_tensor(const gd_apply *a, int i) { return a->args[i].u.tensor; }
static inline int64_t arg_int(const gd_apply *a, int i) { return a->args[i].u.integer; }
static inline const int64_t *arg_ints(const gd_apply *a, int i) { return a->args[i].u.ints; }
static inline int arg_count(const gd_apply *a, int i) { return (int)a->args[i].n; }

/* A Scalar argument as double. */
static inline double arg_f64(const gd_apply *a, int i) {
    const gd_value *v = &a->args[i];
    return v->kind == GD_V_FLOAT ? v->u.real : v->kind == GD_V_BOOL ? (double)v->u.boolean : (double)v->u.integer;
}

/* The context's code after a helper answered NULL: never GD_OK. */
static inline gd_code gd_failed(const gd_ctx *c) { return c->error.code != GD_OK ? c->error.code : GD_E_MEMORY; }

/* Makes t (taken) the only output; fails if it is NULL. */
static inline gd_code give(gd_apply *a, gd_tensor *t) {
    if (!t) return gd_failed(a->ctx);
    a->out[0] = t;
    a->nout = 1;
    return GD_OK;
}

/* Applies row `id` to arguments that are released if they are temporaries of the caller: here they are borrowed. New.
 */
#define DO(ctx, id, ...)                                                                                               \
    gd_do((ctx), GD_OP_##id, (const gd_value[]){__VA_ARGS__},                                                          \
          (int)(sizeof((const gd_value[]){__VA_ARGS__}) / sizeof(gd_value)))

/* Rows with GD_OUT_READY write self themselves: may they, or do elements of self share memory? */
static inline gd_code check_written(const gd_apply *a, const gd_tensor *self) {
    if (!a->nout || a->out[0] != self) return GD_OK;
    for (int d = 0; d < self->ndim; d++)
        if (self->sizes[d] > 1 && GD_STRIDES(self)[d] == 0)
            return gd_fail(
                a->ctx, GD_E_RUNTIME,
                "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
                "Please clone() the tensor before performing the operation.");
    return GD_OK;
}

/* Releases `used` and passes `t` on: for chains of temporaries. */
static inline gd_tensor *then_release(gd_tensor *t, gd_tensor *used) {
    gd_release(used);
    return t;
}

/* ---- shared between shape.c, join.c and the index rows (defined in shape.c) ---- */
/* Strides of a view of `t` with the given sizes (same number of elements); false if only a copy would do. */
bool gd_view_strides(const gd_tensor *t, int ndim, const int64_t *sizes, int64_t *strides);
/* The shape `wanted` with its -1 filled in, into out (GD_MAX_DIMS). GD_E_SHAPE with PyTorch's texts. */
GD_MUST_CHECK gd_code gd_infer_shape(gd_ctx *ctx, const gd_tensor *t, const int64_t *wanted, int n, int64_t *out);

#endif
