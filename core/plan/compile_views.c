/* compile_views.c: views, as geometries within their roots' memory. */
#include <stdlib.h>
#include <string.h>

#include "core/ops/narrow.h"
#include "core/plan/compiler.h"

/* ---- applying a row ------------------------------------------------------------------------------- */

typedef struct gd_shown {
    gd_phantom phantom;
    gd_apply a;
} gd_shown;

static bool apply(gd_compiler *c, const gd_op *op, int32_t of, gd_value *args, int nargs, gd_shown *s) {
    gd_c_phantom(c, of, &s->phantom);
    args[0] = GD_TENSOR_VALUE(&s->phantom.tensor);
    s->a = (gd_apply){.ctx = c->ctx, .op = op, .args = args, .nargs = nargs};
    s->a.out = s->a.few;
    if (gd_forward(&s->a)) c->failed = true;
    return !c->failed;
}

static void drop(gd_shown *s) {
    for (int i = 0; i < s->a.nout; i++) gd_release(s->a.out[i]);
    if (s->a.out != s->a.few) free(s->a.out);
    free(s->a.ints);
}

static int32_t view_of(gd_compiler *c, int32_t of, const gd_shown *s, int i) {
    const gd_tensor *t = s->a.out[i];
    const char *start = s->phantom.storage.bytes;
    return gd_c_view(c, of, t->ndim, t->sizes, GD_STRIDES(t), (int64_t)((uintptr_t)t->data - (uintptr_t)start));
}

int32_t gd_c_apply_view(gd_compiler *c, gd_op_id id, int32_t of, gd_value *args, int nargs) {
    gd_shown s;
    int32_t view = -1;
    if (apply(c, &gd_ops[id], of, args, nargs, &s)) view = view_of(c, of, &s, 0);
    drop(&s);
    return view;
}

/* ---- steps ------------------------------------------------------------------------------------------ */

/* Rows that name strides, which mean something in the traced layout only. */
static bool names_strides(const gd_op *op) {
    return op->id == GD_OP__reshape_alias || op->id == GD_OP__as_strided_view;
}

/* A copy of `of` that lies in memory as it did in the traced run. */
static int32_t lay_out_as_traced(gd_compiler *c, int32_t of, const gd_tensor *traced) {
    int64_t shape[2 * GD_MAX_DIMS];
    const gd_cvalue *v = &c->values[of];
    memcpy(shape, traced->sizes, (size_t)traced->ndim * sizeof *shape);
    memcpy(shape + traced->ndim, GD_STRIDES(traced), (size_t)traced->ndim * sizeof *shape);
    if (gd_c_same_geometry(v, traced->ndim, shape, shape + traced->ndim)) return of;
    if (!gd_c_is_dense(traced->ndim, shape, shape + traced->ndim)) {
        gd_fail(c->ctx, GD_E_STATE, "strides are named for a tensor that is laid out otherwise now");
        c->failed = true;
        return -1;
    }
    gd_cnode node = {.kind = GD_N_FILL, .nin = 1};
    int32_t *in = gd_c_new(c, 1, sizeof *in), *parts = gd_c_new(c, 1, sizeof *parts);
    if (!in || !parts) return -1;
    *in = of;
    node.in = in;
    node.parts = parts;
    gd_dtype dtype = v->dtype;
    int32_t made = gd_c_result(c, gd_c_node(c, &node), dtype, traced->ndim, shape, shape + traced->ndim);
    *parts = made;
    return made;
}

void gd_c_view_step(gd_compiler *c, const gd_step *step) {
    gd_value args[GD_MAX_ARGS];
    gd_shown s;
    int32_t of = gd_c_value_of(c, step->in[0]);
    if (of >= 0 && names_strides(step->op)) of = lay_out_as_traced(c, of, gd_trace_at(c->trace, step->in[0])->tensor);
    if (of < 0) return;
    memcpy(args, step->args, (size_t)step->nargs * sizeof *args);
    if (apply(c, step->op, of, args, step->nargs, &s) && s.a.nout == step->nout) {
        for (int i = 0; i < step->nout; i++) c->map[step->out + i] = view_of(c, of, &s, i);
    } else if (!c->failed) {
        gd_fail(c->ctx, GD_E_STATE, "%s() answered another number of views", step->op->name);
        c->failed = true;
    }
    drop(&s);
}
