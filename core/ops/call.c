/* call.c: applies rows of the op table: directly (gd_do), in place, or as a client calls them by name (gd_call).
 * What a row computes and how it is differentiated is elsewhere; here is the order of things. */
#include <stdlib.h>
#include <string.h>

#include "core/autograd/autograd.h"
#include "core/kernels/kernels.h"
#include "core/ops/bind.h"
#include "core/ops/dispatch.h"
#include "core/ops/narrow.h"
#include "core/plan/trace.h"

/* ---- one application ------------------------------------------------------------------------- */

/* Starts an application; `full` holds the arguments if defaults must be filled in. */
static inline void start(gd_apply *a, gd_ctx *ctx, const gd_op *op, const gd_value *args, int nargs, gd_value *full) {
    a->ctx = ctx;
    a->op = op;
    a->args = args;
    a->nargs = nargs;
    a->out = a->few;
    a->nout = 0;
    for (int i = 0; i < GD_INLINE_OUTPUTS; i++) a->few[i] = NULL;
    a->has_value = a->list = false;
    a->ints = NULL;
    if (nargs >= op->nparams) return;
    for (int i = 0; i < nargs; i++) full[i] = args[i];
    for (int i = nargs; i < op->nparams; i++) full[i] = op->params[i].value;
    a->args = full;
    a->nargs = op->nparams;
}

static void drop(gd_apply *a) {
    for (int i = 0; i < a->nout; i++) gd_release(a->out[i]);
    if (a->out != a->few) free(a->out);
    free(a->ints);
    a->out = a->few;
    a->nout = 0;
    a->ints = NULL;
}

gd_code gd_apply_reserve(gd_apply *a, int n) {
    if (n <= GD_INLINE_OUTPUTS) {
        a->nout = n;
        return GD_OK;
    }
    gd_tensor **out = calloc((size_t)n, sizeof *out);
    if (!out) return gd_fail_memory(a->ctx);
    a->out = out;
    a->nout = n;
    return GD_OK;
}

static bool is_argument(const gd_apply *a, const gd_tensor *t) {
    for (int i = 0; i < a->nargs; i++)
        if (a->args[i].kind == GD_V_TENSOR && a->args[i].u.tensor == t) return true;
    return false;
}

/* What inference mode makes are inference tensors; a view is one only if its base is. */
static void flag_inference(gd_apply *a) {
    for (int i = 0; i < a->nout; i++)
        if (a->out[i] && !is_argument(a, a->out[i])) a->out[i]->flags |= GD_F_INFERENCE;
}

/* After a forward that is no composite: view marks, then the graph. */
static gd_code finish(gd_apply *a) {
    const gd_op *op = a->op;
    if (op->flags & GD_VIEW) {
        gd_code code = gd_mark_views(a);
        if (code) return code;
    } else if (a->ctx->mode == GD_MODE_INFERENCE) {
        flag_inference(a);
    }
    if (op->backward && gd_should_record(a->ctx, op, a->args, a->nargs)) return gd_record(a);
    return GD_OK;
}

static gd_code run_traced(gd_apply *a) {
    bool composite = (a->op->flags & GD_COMPOSITE) != 0;
    if (!composite) gd_trace_enter(a->ctx);
    gd_code code = gd_forward(a);
    if (!composite) gd_trace_leave(a->ctx);
    if (!code && !composite) code = finish(a);
    if (!code && !composite) code = gd_trace_applied(a);
    if (code && !composite) gd_trace_failed(a);
    if (code) drop(a);
    return code;
}

static gd_code run(gd_apply *a) {
    if (__builtin_expect(a->ctx->trace != NULL, 0)) return run_traced(a);
    gd_code code = gd_forward(a);
    if (!code && !(a->op->flags & GD_COMPOSITE)) code = finish(a);
    if (code) drop(a);
    return code;
}

/* ---- in place --------------------------------------------------------------------------------- */

gd_code gd_check_not_overlapping(gd_ctx *ctx, const gd_tensor *t) {
    for (int d = 0; d < t->ndim; d++)
        if (t->sizes[d] > 1 && GD_STRIDES(t)[d] == 0)
            return gd_fail(ctx, GD_E_RUNTIME,
                           "unsupported operation: more than one element of the written-to tensor refers to a single "
                           "memory location. Please clone() the tensor before performing the operation.");
    return GD_OK;
}

gd_code gd_store_over(gd_ctx *ctx, gd_tensor *self, const gd_tensor *r) {
    if (!gd_same_shape(self, r)) {
        char own[256], wanted[256];
        return gd_fail(ctx, GD_E_SHAPE, "output with shape %s doesn't match the broadcast shape %s",
                       gd_shape_text(own, sizeof own, self->ndim, self->sizes),
                       gd_shape_text(wanted, sizeof wanted, r->ndim, r->sizes));
    }
    if (!gd_can_cast((gd_dtype)r->dtype, (gd_dtype)self->dtype))
        return gd_fail(ctx, GD_E_DTYPE, "result type %s can't be cast to the desired output type %s",
                       gd_dtype_scalar_name((gd_dtype)r->dtype), gd_dtype_scalar_name((gd_dtype)self->dtype));
    if (r != self) gd_copy_values(self, r);
    return GD_OK;
}

/* The result of the plain op, computed aside, is to replace self's values. */
static gd_code store_result(gd_apply *a, gd_tensor *self) {
    gd_tensor *r = a->nout > 0 ? a->out[0] : NULL;
    if (!r) return gd_fail(a->ctx, GD_E_STATE, "%s_(): no result to write", a->op->name);
    return gd_store_over(a->ctx, self, r);
}

/* Writes self by the way the row knows; afterwards self is the only output, borrowed. */
static gd_code write_self(gd_apply *a, gd_tensor *self) {
    gd_code code;
    if (a->op->flags & GD_OUT_READY) { /* checks shape, dtype and overlap itself */
        a->out[0] = self;
        a->nout = 1;
        code = gd_forward(a);
    } else if (a->op->flags & GD_INPLACE_ONLY) {
        code = gd_forward(a);
        drop(a);
    } else {
        code = gd_check_not_overlapping(a->ctx, self);
        if (!code) code = gd_forward(a);
        if (!code) code = store_result(a, self);
        drop(a);
    }
    a->out[0] = self;
    a->nout = 1;
    return code;
}

static gd_code write_traced(gd_apply *a, gd_tensor *self) {
    gd_code code = gd_trace_will_write(a);
    if (code) return code;
    gd_trace_enter(a->ctx);
    code = write_self(a, self);
    gd_trace_leave(a->ctx);
    if (code) gd_trace_failed(a);
    return code;
}

static gd_code apply_inplace(gd_apply *a) {
    gd_ctx *ctx = a->ctx;
    gd_tensor *self = a->args[0].u.tensor;
    bool recorded = gd_should_record(ctx, a->op, a->args, a->nargs);
    bool graph = ctx->mode == GD_MODE_GRAD && (recorded || gd_requires_grad(self));
    gd_code code = gd_check_inplace(ctx, a->op, self, graph);
    if (code) return code;
    gd_node *node = recorded ? gd_inplace_prepare(a) : NULL;
    if (recorded && !node) return ctx->error.code;
    bool traced = __builtin_expect(ctx->trace != NULL, 0);
    code = traced ? write_traced(a, self) : write_self(a, self);
    if (code) {
        if (node) gd_inplace_abandon(node);
        return code;
    }
    gd_bump_version(self);
    if (node) gd_inplace_commit(a, node);
    return traced ? gd_trace_wrote(a) : GD_OK;
}

/* A composite that writes in place is made of in-place ops, which check, bump and record themselves. */
static gd_code run_composite(gd_apply *a) {
    gd_code code = gd_forward(a);
    drop(a);
    return code;
}

gd_code gd_do_inplace(gd_ctx *ctx, gd_op_id id, const gd_value *args, int nargs) {
    const gd_op *op = &gd_ops[id];
    gd_value full[GD_MAX_ARGS];
    gd_apply a;
    if (nargs < 1 || args[0].kind != GD_V_TENSOR || !args[0].u.tensor)
        return gd_fail(ctx, GD_E_ARGUMENT, "%s(): argument 'input' (position 1) must be Tensor", op->name);
    start(&a, ctx, op, args, nargs, full);
    return op->flags & GD_COMPOSITE ? run_composite(&a) : apply_inplace(&a);
}

/* ---- direct ------------------------------------------------------------------------------------ */

gd_tensor *gd_do(gd_ctx *ctx, gd_op_id id, const gd_value *args, int nargs) {
    const gd_op *op = &gd_ops[id];
    gd_value full[GD_MAX_ARGS];
    gd_apply a;
    if (op->flags & GD_INPLACE_ONLY) return gd_do_inplace(ctx, id, args, nargs) ? NULL : gd_retain(args[0].u.tensor);
    start(&a, ctx, op, args, nargs, full);
    if (run(&a)) return NULL;
    gd_tensor *first = a.nout > 0 ? a.out[0] : NULL;
    if (a.nout == 1 && a.out == a.few && !a.ints) return first;
    if (first) a.out[0] = NULL; /* kept; the rest goes */
    if (!first) gd_fail(ctx, GD_E_STATE, "%s() answers no tensor", op->name);
    drop(&a);
    return first;
}

static void to_result(gd_apply *a, gd_result *result) {
    result->n = (uint32_t)a->nout;
    result->has_value = a->has_value;
    result->is_list = a->list || (a->op->flags & GD_LIST_RESULT) || a->nout > 1;
    result->value = a->has_value ? a->value : GD_NONE_VALUE;
    result->ints = a->ints;
    memcpy(result->few, a->few, sizeof result->few);
    result->outputs = a->out == a->few ? result->few : a->out;
}

static void self_result(gd_tensor *self, gd_result *result) {
    memset(result, 0, sizeof *result);
    result->n = 1;
    result->outputs = result->few;
    result->few[0] = gd_retain(self);
}

gd_code gd_do_all(gd_ctx *ctx, gd_op_id id, const gd_value *args, int nargs, gd_result *result) {
    const gd_op *op = &gd_ops[id];
    gd_value full[GD_MAX_ARGS];
    gd_apply a;
    gd_code code;
    memset(result, 0, sizeof *result);
    if (op->flags & GD_INPLACE_ONLY) {
        code = gd_do_inplace(ctx, id, args, nargs);
        if (!code) self_result(args[0].u.tensor, result);
        return code;
    }
    start(&a, ctx, op, args, nargs, full);
    code = run(&a);
    if (!code) to_result(&a, result);
    return code;
}

void gd_result_clear(gd_result *result) {
    for (uint32_t i = 0; i < result->n; i++) gd_release(result->outputs[i]);
    if (result->outputs != result->few) free(result->outputs);
    free(result->ints);
    memset(result, 0, sizeof *result);
}

/* ---- by name ------------------------------------------------------------------------------------ */

/* The overload whose complaint tells a client most: one that takes so many arguments, then the one that got
 * furthest. */
typedef struct best_guess {
    int row, score;
} best_guess;

static void note_failure(best_guess *best, const gd_binder *b, int row) {
    int score = b->progress + (gd_bind_plausible(b) ? 1000 : 0);
    if (best->row >= 0 && score <= best->score) return;
    *best = (best_guess){.row = row, .score = score};
}

/* Tries the overloads in order; *bound is the row that took the call, or -1 with *best known. */
static gd_code try_rows(gd_binder *b, const gd_lookup *rows, best_guess *best, int *bound) {
    for (int i = rows->first; i < rows->first + rows->count; i++) {
        b->op = &gd_ops[i];
        if (rows->inplace && !(b->op->flags & GD_INPLACE)) continue;
        gd_code code = gd_bind_row(b);
        if (!code) {
            *bound = i;
            return GD_OK;
        }
        if (!b->mismatch) return code;
        note_failure(best, b, i);
    }
    *bound = -1;
    return GD_OK;
}

static gd_code bind_overloads(gd_binder *b, const gd_lookup *rows, int *bound) {
    best_guess best = {.row = -1};
    b->quiet = true;
    for (int lenient = 0; lenient <= 1; lenient++) {
        b->lenient = lenient != 0;
        gd_code code = try_rows(b, rows, &best, bound);
        if (code || *bound >= 0) return code;
    }
    b->quiet = false;
    b->op = &gd_ops[best.row];
    gd_code code = gd_bind_row(b);
    if (!code) *bound = best.row; /* cannot be: it failed a moment ago */
    return code;
}

static gd_code bind_call(gd_binder *b, const gd_lookup *rows, int *bound) {
    if (rows->count > 1) {
        gd_code before = b->ctx->error.code, code = bind_overloads(b, rows, bound);
        if (!code) b->ctx->error.code = before; /* what an overload that did not fit left behind */
        return code;
    }
    *bound = rows->first;
    b->op = &gd_ops[rows->first];
    b->lenient = true;
    return gd_bind_row(b);
}

static gd_code apply_bound(gd_ctx *ctx, int row, bool inplace, const gd_value *bound, gd_result *result) {
    int n = gd_ops[row].nparams;
    gd_code code =
        inplace ? gd_do_inplace(ctx, (gd_op_id)row, bound, n) : gd_do_all(ctx, (gd_op_id)row, bound, n, result);
    if (!code && inplace) self_result(bound[0].u.tensor, result);
    /* An op may answer the very number it was given (contiguous, to): for the client it is a tensor. */
    for (uint32_t i = 0; !code && i < result->n; i++)
        if (result->outputs[i]) result->outputs[i]->flags &= (uint16_t)~GD_F_WRAPPED_NUMBER;
    return code;
}

static gd_code fail_unknown(gd_ctx *ctx, const char *name) {
    size_t n = strlen(name);
    bool method = n > 1 && name[n - 1] == '_' && name[n - 2] != '_';
    return method ? gd_fail(ctx, GD_E_UNKNOWN_OP, "'Tensor' object has no attribute '%s'", name)
                  : gd_fail(ctx, GD_E_UNKNOWN_OP, "module 'torch' has no attribute '%s'", name);
}

gd_code gd_call_rows(gd_ctx *ctx, const gd_lookup *rows, const gd_value *args, int nargs, const gd_kwarg *kwargs,
                     int nkwargs, const gd_resolver *resolver, gd_result *result) {
    gd_value bound[GD_MAX_ARGS];
    gd_scratch scratch;
    int row = -1;
    memset(result, 0, sizeof *result);
    ctx->last_op = NULL;
    scratch.blocks = NULL;
    scratch.used = 0;
    gd_binder b = {.ctx = ctx,
                   .args = args,
                   .nargs = nargs,
                   .kwargs = kwargs,
                   .nkwargs = nkwargs,
                   .resolver = resolver,
                   .scratch = &scratch,
                   .bound = bound,
                   .inplace = rows->inplace,
                   .method = rows->method,
                   .strict = rows->strict};
    size_t mark = gd_pool_mark(ctx);
    gd_code code = bind_call(&b, rows, &row);
    if (!code) {
        ctx->last_op = &gd_ops[row];
        code = apply_bound(ctx, row, rows->inplace, bound, result);
    }
    gd_pool_release(ctx, mark);
    gd_scratch_clear(&scratch);
    return code;
}

gd_code gd_call(gd_ctx *ctx, const char *name, const gd_value *args, int nargs, const gd_kwarg *kwargs, int nkwargs,
                const gd_resolver *resolver, gd_result *result) {
    gd_lookup rows;
    memset(result, 0, sizeof *result);
    if (!gd_names_find(name, &rows)) return fail_unknown(ctx, name);
    return gd_call_rows(ctx, &rows, args, nargs, kwargs, nkwargs, resolver, result);
}

gd_tensor *gd_call1(gd_ctx *ctx, const char *name, const gd_value *args, int nargs) {
    gd_result result;
    if (gd_call(ctx, name, args, nargs, NULL, 0, NULL, &result)) return NULL;
    gd_tensor *t = result.n == 1 ? gd_retain(result.outputs[0]) : NULL;
    if (!t) gd_fail(ctx, GD_E_STATE, "%s() does not answer one tensor", name);
    gd_result_clear(&result);
    return t;
}

/* ---- for C programs ------------------------------------------------------------------------------- */

static gd_tensor *do_one(gd_ctx *ctx, gd_op_id id, gd_tensor *a) {
    const gd_value args[] = {GD_TENSOR_VALUE(a)};
    return gd_do(ctx, id, args, 1);
}

static gd_tensor *do_two(gd_ctx *ctx, gd_op_id id, gd_tensor *a, gd_tensor *b) {
    const gd_value args[] = {GD_TENSOR_VALUE(a), GD_TENSOR_VALUE(b)};
    return gd_do(ctx, id, args, 2);
}

gd_tensor *gd_add(gd_ctx *ctx, gd_tensor *a, gd_tensor *b) { return do_two(ctx, GD_OP_add, a, b); }
gd_tensor *gd_sub(gd_ctx *ctx, gd_tensor *a, gd_tensor *b) { return do_two(ctx, GD_OP_sub, a, b); }
gd_tensor *gd_mul(gd_ctx *ctx, gd_tensor *a, gd_tensor *b) { return do_two(ctx, GD_OP_mul, a, b); }
gd_tensor *gd_div(gd_ctx *ctx, gd_tensor *a, gd_tensor *b) { return do_two(ctx, GD_OP_div, a, b); }
gd_tensor *gd_matmul(gd_ctx *ctx, gd_tensor *a, gd_tensor *b) { return do_two(ctx, GD_OP_matmul, a, b); }
gd_tensor *gd_exp(gd_ctx *ctx, gd_tensor *a) { return do_one(ctx, GD_OP_exp, a); }
gd_tensor *gd_sum(gd_ctx *ctx, gd_tensor *a) { return do_one(ctx, GD_OP_sum, a); }

gd_tensor *gd_pow_scalar(gd_ctx *ctx, gd_tensor *a, double exponent) {
    const gd_value args[] = {GD_TENSOR_VALUE(a), GD_FLOAT_VALUE(exponent)};
    return gd_do(ctx, GD_OP_pow_scalar, args, 2);
}
