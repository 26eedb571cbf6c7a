/* commit.c: gradients that a run is to write, and writing them all or none. */
#include "core/autograd/engine.h"
#include "core/kernels/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ---- adding ---------------------------------------------------------------------------------- */

#define ADD_LOOP(name, type)                                                                                           \
    static void name(char *const *data, const int64_t *strides, int64_t n, const void *extra) {                        \
        (void)extra;                                                                                                   \
        if (strides[0] == (int64_t)sizeof(type) && strides[1] == (int64_t)sizeof(type)) {                              \
            type *to = (type *)(void *)data[0];                                                                        \
            const type *from = (const type *)(const void *)data[1];                                                    \
            for (int64_t i = 0; i < n; i++) to[i] += from[i];                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                                                \
            *(type *)(void *)(data[0] + i * strides[0]) += *(const type *)(const void *)(data[1] + i * strides[1]);    \
    }
ADD_LOOP(add_f32, float)
ADD_LOOP(add_f64, double)

/* The narrow floats are added in float, as everywhere. */
static void add_narrow(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    const gd_dtype dtype = *(const gd_dtype *)extra;
    for (int64_t i = 0; i < n; i++) {
        char *to = data[0] + i * strides[0];
        float sum = (float)gd_load_f64(dtype, to) + (float)gd_load_f64(dtype, data[1] + i * strides[1]);
        gd_store_f64(dtype, to, (double)sum);
    }
}

void gd_add_values(gd_tensor *dst, gd_tensor *src) {
    const gd_dtype dtype = (gd_dtype)dst->dtype;
    const int64_t step = dtype == GD_FLOAT64 ? (int64_t)sizeof(double) : (int64_t)sizeof(float);
    if (gd_dtype_is_narrow(dtype)) {
        gd_iterate_in_order((gd_tensor *const[]){dst, src}, 2, add_narrow, &dtype);
        return;
    }
    if (dst->numel == 1) { /* without a call: scalar chains come here for every op */
        if (dtype == GD_FLOAT64)
            *(double *)(void *)dst->data += *(const double *)(const void *)src->data;
        else
            *(float *)(void *)dst->data += *(const float *)(const void *)src->data;
        return;
    }
    gd_loop loop = dtype == GD_FLOAT64 ? add_f64 : add_f32;
    if (gd_is_contiguous(dst) && gd_is_contiguous(src))
        loop((char *const[]){dst->data, src->data}, (const int64_t[]){step, step}, dst->numel, NULL);
    else
        gd_iterate_in_order((gd_tensor *const[]){dst, src}, 2, loop, NULL);
}

bool gd_is_sole(const gd_tensor *t) {
    return t->refs == 1 && !t->grad_fn &&
           !(t->flags & (GD_F_REQUIRES_GRAD | GD_F_INFERENCE | GD_F_VIEW | GD_F_WRAPPED_NUMBER)) && !t->own_version &&
           atomic_load_explicit(&t->storage->refs, memory_order_relaxed) == 1 && (t->ndim == 0 || gd_is_contiguous(t));
}

/* ---- noting and preparing -------------------------------------------------------------------- */

gd_code gd_run_note_write(gd_run *run, gd_tensor *target, gd_tensor *grad, bool retained) {
    if (run->nwrites == run->writes_cap) {
        size_t cap = run->writes_cap ? 2 * run->writes_cap : 8, bytes;
        gd_write *writes = gd_mul_size(cap, sizeof *writes, &bytes) ? realloc(run->writes, bytes) : NULL;
        if (!writes) return gd_fail_memory(run->ctx);
        run->writes = writes;
        run->writes_cap = cap;
    }
    run->writes[run->nwrites++] =
        (gd_write){.target = gd_retain(target), .grad = gd_retain(grad), .retained = retained};
    return GD_OK;
}

static gd_code replace(gd_ctx *ctx, gd_write *w, gd_tensor *grad) {
    if (!grad) return ctx->error.code;
    gd_release(w->grad);
    w->grad = grad;
    return GD_OK;
}

/* With create_graph the first gradient is always written into a fresh tensor, as a recorded copy: PyTorch shows
 * CopyBackwards there. */
static gd_tensor *recorded_copy(gd_ctx *ctx, gd_tensor *t) {
    gd_tensor *copy = gd_empty_like(ctx, t, (gd_dtype)t->dtype);
    if (!copy) return NULL;
    if (gd_do_inplace(ctx, GD_OP_copy_, (gd_value[]){GD_TENSOR_VALUE(copy), GD_TENSOR_VALUE(t)}, 2) == GD_OK)
        return copy;
    gd_release(copy);
    return NULL;
}

static gd_tensor *copy_of(gd_run *run, gd_tensor *t) {
    if (run->by_ops) return gd_do(run->ctx, GD_OP_clone, &GD_TENSOR_VALUE(t), 1);
    gd_tensor *copy = gd_empty_like(run->ctx, t, (gd_dtype)t->dtype);
    if (copy) gd_copy_values(copy, t);
    return copy;
}

/* The first gradient of a tensor: kept if nobody else has it, else copied. */
static gd_code prepare_first(gd_run *run, gd_write *w) {
    const gd_tensor *g = w->grad;
    if (run->create_graph && !w->retained) return replace(run->ctx, w, recorded_copy(run->ctx, w->grad));
    bool fresh = run->create_graph ? g->refs == 1 && !(g->flags & GD_F_VIEW) &&
                                         atomic_load_explicit(&g->storage->refs, memory_order_relaxed) == 1
                                   : gd_is_sole(g);
    return fresh ? GD_OK : replace(run->ctx, w, copy_of(run, w->grad));
}

static bool overlaps_itself(const gd_tensor *t) {
    for (int i = 0; i < t->ndim; i++)
        if (t->sizes[i] > 1 && GD_STRIDES(t)[i] == 0) return true;
    return false;
}

static gd_code prepare_add(gd_run *run, gd_write *w, gd_tensor *old) {
    gd_ctx *ctx = run->ctx;
    if (!gd_same_shape(old, w->grad) || old->dtype != w->grad->dtype)
        return gd_fail(ctx, GD_E_SHAPE, "assigned grad has data of a different %s",
                       old->dtype == w->grad->dtype ? "size" : "type");
    if (run->create_graph || w->retained)
        return replace(ctx, w, gd_do(ctx, GD_OP_add, (gd_value[]){GD_TENSOR_VALUE(old), GD_TENSOR_VALUE(w->grad)}, 2));
    if (overlaps_itself(old))
        return gd_fail(
            ctx, GD_E_STATE,
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation.");
    w->add = true;
    gd_code code = old->storage == w->grad->storage ? replace(ctx, w, copy_of(run, w->grad)) : GD_OK;
    if (code != GD_OK || !run->by_ops) return code;
    w->done = true; /* a trace sees ops only */
    return gd_do_inplace(ctx, GD_OP_add, (gd_value[]){GD_TENSOR_VALUE(old), GD_TENSOR_VALUE(w->grad)}, 2);
}

gd_code gd_run_prepare(gd_run *run) {
    for (size_t i = 0; i < run->nwrites; i++) {
        gd_write *w = &run->writes[i];
        if (!gd_tensor_meta(run->ctx, w->target)) return GD_E_MEMORY;
        gd_tensor *old = w->target->meta->grad;
        gd_code code = old ? prepare_add(run, w, old) : prepare_first(run, w);
        if (code != GD_OK) return code;
    }
    return GD_OK;
}

/* ---- committing ------------------------------------------------------------------------------ */

static void write_grad(gd_write *w) {
    gd_tensor *old = w->target->meta->grad;
    if (w->done) return;
    if (w->add) {
        gd_add_values(old, w->grad);
        gd_bump_version(old);
        return;
    }
    w->target->meta->grad = w->grad;
    w->grad = NULL;
    gd_release(old);
}

void gd_run_commit(gd_run *run, void (*on_accumulate)(void *user, gd_tensor *t), void *user) {
    for (size_t i = 0; i < run->nwrites; i++) write_grad(&run->writes[i]);
    if (!run->retain_graph)
        for (uint32_t i = 0; i < run->nstates; i++)
            if (run->states[i].done) gd_node_free_saved(run->states[i].node);
    for (size_t i = 0; on_accumulate && i < run->nwrites; i++) on_accumulate(user, run->writes[i].target);
}
