/* evaluate.c: POST /v1/functions/{f}/evaluate, gradient, vjp … */
#include "api/evaluation.h"
#include "api/metrics.h"
#include "api/router.h"
#include "core/tensor/tensor.h"

enum { BRIEF_MATRIX = 10000 /* elements of a Jacobian or Hessian that is answered at once */ };

/* Matrices grow as the square of what is sent. */
static bool is_large_matrix(const gd_evaluation *v) {
    int64_t n = 0, square;
    if (v->e.kind != GD_EVAL_JACOBIAN && v->e.kind != GD_EVAL_HESSIAN) return v->e.kind == GD_EVAL_CHECK;
    for (int i = 0; i < gd_function_ninputs(v->f); i++)
        if (v->e.inputs[i]) n += gd_numel(v->e.inputs[i]);
    return __builtin_mul_overflow(n, n, &square) || square > BRIEF_MATRIX;
}

static void run(gd_evaluation *v) {
    gd_exchange *x = v->x;
    gd_function_fault fault = {0};
    if (x->brief && (is_large_matrix(v) || !gd_function_is_small(v->f, &v->e))) {
        x->declined = true;
        return;
    }
    v->e.threads = x->brief ? 1 : gd_api_processors(x->api);
    bool ok = gd_function_eval(x->ctx, v->f, &v->e, &fault);
    gd_metrics_evaluation(gd_api_metrics(x->api), v->e.kind, ok);
    if (ok)
        gd_evaluation_answer(v);
    else
        gd_refuse_function(x, &fault, "/inputs/");
}

static void evaluate(gd_exchange *x, gd_eval_kind kind) {
    gd_evaluation v = {.x = x, .e = {.kind = kind}};
    if (!(v.f = gd_param_function(x))) return;
    x->ctx = gd_functions_ctx(gd_api_functions(x->api));
    if (!x->ctx)
        gd_refuse(x, "out_of_memory", "The server has no memory left for this evaluation.");
    else {
        x->ctx->error.code = GD_OK;
        if (gd_evaluation_read(&v)) run(&v);
        gd_eval_clear(&v.e);
        gd_scratch_clear(&v.texts);
    }
    gd_function_release(v.f);
}

void gd_handle_evaluate(gd_exchange *x) { evaluate(x, GD_EVAL_VALUE); }
void gd_handle_gradient(gd_exchange *x) { evaluate(x, GD_EVAL_GRADIENT); }
void gd_handle_vjp(gd_exchange *x) { evaluate(x, GD_EVAL_VJP); }
void gd_handle_jvp(gd_exchange *x) { evaluate(x, GD_EVAL_JVP); }
void gd_handle_hvp(gd_exchange *x) { evaluate(x, GD_EVAL_HVP); }
void gd_handle_jacobian(gd_exchange *x) { evaluate(x, GD_EVAL_JACOBIAN); }
void gd_handle_hessian(gd_exchange *x) { evaluate(x, GD_EVAL_HESSIAN); }
void gd_handle_check(gd_exchange *x) { evaluate(x, GD_EVAL_CHECK); }
