/* execute_steps.c: runs a plan: its units in order; and those units that work on whole tensors: sums over dimensions,
 * copies into parts, and steps that keep their eager kernels. */
#include <string.h>

#include "core/plan/plan_inside.h"

/* ---- tensors ------------------------------------------------------------------------------------- */

/* The tensor of a header, at the address that its buffer has in this run. */
static gd_tensor *tensor_of(const gd_plan_frame *frame, int32_t header) {
    const gd_plan_header *h = &frame->plan->headers[header];
    gd_tensor *t = &frame->tensors[header];
    t->storage->bytes = frame->base[h->buffer];
    t->data = frame->base[h->buffer] + h->offset;
    return t;
}

static void run_reduce(gd_plan_frame *frame, const gd_unit *u) {
    gd_reduce_sum(tensor_of(frame, u->headers[0]), tensor_of(frame, u->headers[1]), u->mask, false);
}

static void run_fill(gd_plan_frame *frame, const gd_unit *u) {
    gd_tensor *out = tensor_of(frame, u->headers[0]);
    if (u->zero) memset(out->data, 0, gd_nbytes(out));
    for (int i = 1; i + 1 < u->nheaders; i += 2) {
        gd_tensor *part = tensor_of(frame, u->headers[i]);
        if (part->numel > 0) gd_copy_values(part, tensor_of(frame, u->headers[i + 1]));
    }
}

/* ---- eager steps ---------------------------------------------------------------------------------- */

static gd_code changed(const gd_plan_frame *frame, const gd_unit *u) {
    return gd_fail(frame->ctx, GD_E_STATE, "%s() answered something else than when it was traced", u->op->name);
}

static bool as_traced(const gd_tensor *t, const gd_step_output *out) {
    if (!t || out->absent) return !t && out->absent;
    return (gd_dtype)t->dtype == out->dtype && t->ndim == out->ndim &&
           !memcmp(t->sizes, out->sizes, (size_t)t->ndim * sizeof *t->sizes);
}

static bool same_strides(const gd_tensor *t, const gd_plan_header *h) {
    for (int d = 0; d < t->ndim; d++)
        if (t->sizes[d] > 1 && GD_STRIDES(t)[d] != h->sizes[h->ndim + d]) return false;
    return true;
}

/* Its memory is not an argument's: it stays as it is while t lives. */
static bool is_fresh(const gd_plan_frame *frame, const gd_tensor *t) {
    return t->storage < frame->storages || t->storage >= frame->storages + frame->plan->nbuffers;
}

/* Takes over *t if it can stay where it is; else makes room for a copy. */
static gd_code hold(gd_plan_frame *frame, const gd_plan_header *h, gd_tensor **t, bool *copy) {
    const gd_plan_buffer *b = &frame->plan->buffers[h->buffer];
    gd_tensor *kept = NULL;
    *copy = !is_fresh(frame, *t) || !same_strides(*t, h);
    if (*copy) {
        int64_t bytes = (int64_t)b->bytes;
        kept = gd_empty(frame->ctx, GD_UINT8, 1, &bytes);
        if (!kept) return frame->ctx->error.code;
    } else {
        kept = *t;
        *t = NULL;
    }
    gd_frame_let_go(frame, b->nr);
    frame->held[b->nr] = kept;
    frame->base[h->buffer] = kept->data - (*copy ? 0 : h->offset);
    return GD_OK;
}

static gd_code take_output(gd_plan_frame *frame, const gd_unit *u, int i, gd_tensor **t) {
    const gd_step_output *out = &u->outputs[i];
    if (!as_traced(*t, out)) return changed(frame, u);
    if (out->header < 0) return GD_OK;
    const gd_plan_header *h = &frame->plan->headers[out->header];
    bool copy = true;
    if (frame->plan->buffers[h->buffer].kind == GD_BUFFER_HELD) {
        gd_code code = hold(frame, h, t, &copy);
        if (code) return code;
    }
    if (copy && (*t)->numel > 0) gd_copy_values(tensor_of(frame, out->header), *t);
    return GD_OK;
}

static gd_code run_plain(gd_plan_frame *frame, const gd_unit *u, const gd_value *args) {
    gd_result result;
    gd_code code = gd_do_all(frame->ctx, (gd_op_id)u->op->id, args, u->nargs, &result);
    if (code) return code;
    if (!u->guard && (result.has_value || (int)result.n != u->nout)) code = changed(frame, u);
    for (int i = 0; i < u->nout && !code; i++) code = take_output(frame, u, i, &result.outputs[i]);
    gd_result_clear(&result);
    return code;
}

/* The in-place form acts on a copy of self. */
static gd_code run_inplace(gd_plan_frame *frame, const gd_unit *u, const gd_value *args) {
    gd_tensor *self = tensor_of(frame, u->outputs[0].header);
    if (self->numel > 0) gd_copy_values(self, tensor_of(frame, u->headers[0]));
    return gd_do_inplace(frame->ctx, (gd_op_id)u->op->id, args, u->nargs);
}

static gd_code run_step(gd_plan_frame *frame, const gd_unit *u) {
    const gd_value *args = frame->args[u - frame->plan->units];
    for (int i = 0; i < u->nheaders; i++)
        if (u->headers[i] >= 0) tensor_of(frame, u->headers[i]);
    size_t mark = gd_pool_mark(frame->ctx);
    gd_code code = u->inplace ? run_inplace(frame, u, args) : run_plain(frame, u, args);
    gd_pool_release(frame->ctx, mark);
    return code;
}

/* ---- all of it ------------------------------------------------------------------------------------- */

static gd_code run_unit(gd_plan_frame *frame, const gd_unit *u) {
    switch (u->kind) {
    case GD_UNIT_FUSED: gd_run_fused(frame, u->fused); return GD_OK;
    case GD_UNIT_REDUCE: run_reduce(frame, u); return GD_OK;
    case GD_UNIT_FILL: run_fill(frame, u); return GD_OK;
    default: return run_step(frame, u);
    }
}

gd_code gd_plan_run(gd_plan_frame *frame, gd_error *error) {
    const gd_plan *plan = frame->plan;
    gd_code code = gd_frame_ready(frame);
    const gd_unit *end = plan->units + plan->nunits;
    for (const gd_unit *u = plan->units; u < end && !code; u++) {
        code = run_unit(frame, u);
        for (int i = 0; i < u->ndies; i++) gd_frame_let_go(frame, u->dies[i]);
    }
    if (code) *error = frame->ctx->error;
    frame->ctx->error.code = GD_OK; /* the next run starts afresh */
    return code;
}
