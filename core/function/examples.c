/* examples.c: example values of inputs, for what is asked before there are any: does it work at all, what does it
 * answer?
 */
#include "core/function/inside.h"

gd_tensor *gd_example(gd_ctx *ctx, gd_dtype dtype, int ndim, const int64_t *sizes) {
    gd_tensor *t = gd_empty(ctx, dtype, ndim, sizes);
    size_t step = gd_dtype_bytes(dtype);
    char *p = t ? t->data : NULL;
    for (int64_t i = 0; t && i < t->numel; i++, p += step) {
        if (gd_dtype_is_float(dtype))
            gd_store_f64(dtype, p, 0.5);
        else
            gd_store_i64(dtype, p, 1);
    }
    return t;
}

gd_answer_layout *gd_example_layout(gd_job *job) {
    gd_tensor *examples[GD_FUNCTION_INPUTS] = {0};
    const void *bytes[GD_FUNCTION_INPUTS] = {0};
    const gd_product value = {.kind = GD_EVAL_VALUE};
    gd_derivation d = {.traced = false};
    gd_answer_layout *layout = NULL;
    bool ok = true;
    for (int i = 0; ok && i < job->f->ninputs; i++) {
        if (!job->x[i]) continue;
        examples[i] = gd_example(job->ctx, (gd_dtype)job->x[i]->dtype, job->ndim[i], job->sizes[i]);
        ok = examples[i] || gd_fault_ctx(job->fault, job->ctx);
        bytes[i] = ok ? examples[i]->data : NULL;
    }
    if (ok && gd_derive_start(&d, job, &value, bytes)) {
        layout = gd_answer_layout_new(&d.answer);
        if (!layout) gd_fault_memory(job->fault);
        gd_derive_end(&d);
    }
    for (int i = 0; i < job->f->ninputs; i++) gd_release(examples[i]);
    return layout;
}
