/* home.c: the environment in which a function's program runs: see Note [Fresh] in inside.h. */
#include "core/function/inside.h"

#include <string.h>

/* What earlier work left in the context is of no concern here. */
static void reset(gd_ctx *ctx) {
    ctx->mode = GD_MODE_GRAD;
    ctx->anomaly = ctx->nan_allowed = false;
    gd_ctx_manual_seed(ctx, 0);
}

static gd_tensor *copy_of(gd_ctx *ctx, const gd_tensor *t) {
    gd_tensor *copy = gd_empty_like(ctx, t, (gd_dtype)t->dtype);
    if (copy && t->numel) memcpy(copy->data, t->data, gd_nbytes(t));
    return copy;
}

static bool bind_captures(gd_home *home, gd_ctx *ctx, const gd_function *f, gd_function_fault *fault) {
    for (int i = 0; i < f->ncaptures; i++) {
        gd_tensor *t = copy_of(ctx, f->captures[i].tensor);
        if (!t) return gd_fault_ctx(fault, ctx);
        bool ok = gd_stored_bind(home->run, f->captures[i].name, t);
        gd_release(t);
        if (!ok) return gd_fault_program(fault, gd_stored_failure(home->run));
    }
    return true;
}

bool gd_home_open(gd_home *home, gd_ctx *ctx, const gd_function *f, const _Atomic bool *stop,
                  gd_function_fault *fault) {
    reset(ctx);
    home->env = gd_env_new(ctx, NULL);
    home->run = home->env ? gd_stored_begin(home->env, &f->registry->options.limits, stop) : NULL;
    bool ok = home->run ? bind_captures(home, ctx, f, fault) : gd_fault_memory(fault);
    if (ok && !gd_stored_module(home->run, f->source, f->bytes))
        ok = gd_fault_program(fault, gd_stored_failure(home->run));
    if (!ok) gd_home_close(home);
    return ok;
}

void gd_home_close(gd_home *home) {
    gd_stored_end(home->run);
    gd_env_free(home->env);
    *home = (gd_home){0};
}
