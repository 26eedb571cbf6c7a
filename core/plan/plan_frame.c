/* plan_frame.c: frames: what one run of a plan writes, and how threads share the spare ones. */
#include <stdlib.h>

#include "core/plan/plan_inside.h"

enum { LARGE = 1 << 20 }; /* bytes that are not kept lightly */

/* ---- making ------------------------------------------------------------------------------------ */

static void make_storages(gd_plan_frame *f) {
    const gd_plan *plan = f->plan;
    for (int32_t i = 0; i < plan->nbuffers; i++) {
        const gd_plan_buffer *b = &plan->buffers[i];
        gd_storage *s = &f->storages[i];
        atomic_init(&s->refs, 1); /* never 0: it is the frame's */
        s->nbytes = b->bytes;
        if (b->kind == GD_BUFFER_CONSTANT) f->base[i] = b->constant;
        if (b->kind == GD_BUFFER_FRAME) f->base[i] = f->registers + b->at;
        s->bytes = f->base[i];
    }
}

static void make_tensors(gd_plan_frame *f) {
    for (int32_t i = 0; i < f->plan->nheaders; i++) {
        const gd_plan_header *h = &f->plan->headers[i];
        gd_tensor *t = &f->tensors[i];
        t->refs = 1; /* never 0 either */
        t->dtype = (uint8_t)h->dtype;
        t->ndim = (uint8_t)h->ndim;
        t->flags = h->wrapped ? GD_F_WRAPPED_NUMBER : 0;
        t->storage = &f->storages[h->buffer];
        t->numel = h->numel;
        t->sizes = (int64_t *)h->sizes; /* kernels only read their arguments' shapes */
    }
}

static gd_tensor *tensor_at(const gd_plan_frame *f, const gd_unit *u, int *next) {
    int32_t h = u->headers[(*next)++];
    return h < 0 ? NULL : &f->tensors[h];
}

static bool make_list(gd_plan_frame *f, const gd_unit *u, gd_value *v, int *next) {
    gd_tensor **list = gd_plan_memory_array(&f->arena, (size_t)v->n + 1, sizeof *list);
    if (!list) return false;
    for (uint32_t k = 0; k < v->n; k++) list[k] = tensor_at(f, u, next);
    v->u.tensors = list;
    return true;
}

static bool make_args(gd_plan_frame *f, int32_t unit) {
    const gd_unit *u = &f->plan->units[unit];
    gd_value *args = gd_plan_memory_copy(&f->arena, u->args, (size_t)u->nargs * sizeof *args);
    if (!args) return false;
    int next = 0;
    for (int i = 0; i < u->nargs; i++) {
        if (args[i].kind == GD_V_TENSOR && args[i].u.tensor) args[i].u.tensor = tensor_at(f, u, &next);
        if (args[i].kind == GD_V_TENSORS && !make_list(f, u, &args[i], &next)) return false;
    }
    if (u->inplace) args[0].u.tensor = &f->tensors[u->outputs[0].header];
    f->args[unit] = args;
    return true;
}

static bool make_arrays(gd_plan_frame *f) {
    const gd_plan *plan = f->plan;
    gd_plan_memory *a = &f->arena;
    f->base = gd_plan_memory_array(a, (size_t)plan->nbuffers, sizeof *f->base);
    f->storages = gd_plan_memory_array(a, (size_t)plan->nbuffers, sizeof *f->storages);
    f->tensors = gd_plan_memory_array(a, (size_t)plan->nheaders, sizeof *f->tensors);
    f->own = gd_plan_memory_array(a, (size_t)plan->noutputs, sizeof(gd_storage *));
    f->held = gd_plan_memory_array(a, (size_t)plan->nheld, sizeof(gd_tensor *));
    f->args = gd_plan_memory_array(a, (size_t)plan->nunits, sizeof(gd_value *));
    f->slots = gd_plan_memory_array(a, 2 * (size_t)plan->max_slots, sizeof(char *));
    return f->base && f->storages && f->tensors && f->own && f->held && f->args && f->slots;
}

static bool make_memory(gd_plan_frame *f) {
    size_t bytes;
    if (!gd_add_size(f->plan->frame_bytes, 64, &bytes)) return false;
    f->memory = gd_storage_new(f->ctx, bytes, false);
    if (!f->memory) return false;
    f->registers = (char *)(((uintptr_t)f->memory->bytes + 63) & ~(uintptr_t)63);
    return true;
}

static gd_plan_frame *frame_new(gd_plan *plan) {
    gd_plan_frame *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->plan = plan;
    f->ctx = gd_ctx_new(NULL);
    bool ok = f->ctx && make_arrays(f) && make_memory(f);
    if (ok) {
        f->ctx->mode = GD_MODE_NO_GRAD;
        make_storages(f);
        make_tensors(f);
    }
    for (int32_t i = 0; ok && i < plan->nunits; i++)
        if (plan->units[i].kind == GD_UNIT_STEP) ok = make_args(f, i);
    if (ok) return f;
    gd_frame_free(f);
    return NULL;
}

void gd_frame_free(gd_plan_frame *f) {
    for (int i = 0; f->own && i < f->plan->noutputs; i++) gd_storage_release(f->own[i]);
    gd_storage_release(f->memory);
    gd_ctx_free(f->ctx);
    gd_plan_memory_free(&f->arena);
    free(f);
}

/* ---- sharing ----------------------------------------------------------------------------------- */

/* Where a thread looks first, so that threads seldom want the same frame. */
static unsigned own_place(void) {
    static _Atomic unsigned threads;
    static _Thread_local unsigned place;
    if (!place) place = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % GD_SPARE_FRAMES;
    return place - 1;
}

gd_plan_frame *gd_plan_frame_take(gd_plan *plan) {
    unsigned first = own_place();
    for (unsigned i = 0; i < GD_SPARE_FRAMES; i++) {
        _Atomic(gd_plan_frame *) *spare = &plan->spare[(first + i) % GD_SPARE_FRAMES].frame;
        if (!atomic_load_explicit(spare, memory_order_relaxed)) continue;
        gd_plan_frame *frame = atomic_exchange_explicit(spare, NULL, memory_order_acq_rel);
        if (frame) return frame;
    }
    return frame_new(plan);
}

void gd_frame_let_go(gd_plan_frame *frame, int32_t held) {
    gd_release(frame->held[held]);
    frame->held[held] = NULL;
}

/* What a spare frame need not keep: tensors, and large outputs' memory. */
static void lighten(gd_plan_frame *frame) {
    const gd_plan *plan = frame->plan;
    for (int32_t i = 0; i < plan->nheld; i++) gd_frame_let_go(frame, i);
    for (int i = 0; i < plan->noutputs; i++) {
        if (plan->outputs[i].nbytes >= LARGE) {
            gd_storage_release(frame->own[i]);
            frame->own[i] = NULL;
        }
        gd_plan_set_output(frame, i, NULL);
    }
}

void gd_plan_frame_give(gd_plan_frame *frame) {
    if (!frame) return;
    gd_plan *plan = frame->plan;
    lighten(frame);
    unsigned first = own_place(), places = plan->frame_bytes >= LARGE ? 2 : GD_SPARE_FRAMES;
    for (unsigned i = 0; frame && i < places; i++) {
        _Atomic(gd_plan_frame *) *spare = &plan->spare[(first + i) % GD_SPARE_FRAMES].frame;
        gd_plan_frame *none = NULL;
        if (atomic_load_explicit(spare, memory_order_relaxed)) continue;
        if (atomic_compare_exchange_strong_explicit(spare, &none, frame, memory_order_acq_rel, memory_order_relaxed))
            frame = NULL;
    }
    if (frame) gd_frame_free(frame);
}

/* ---- inputs and outputs -------------------------------------------------------------------------- */

void gd_plan_set_input(gd_plan_frame *frame, int i, const void *bytes) {
    frame->base[i] = (char *)bytes; /* only read: inputs have the first buffers, and nothing writes those */
}

void gd_plan_set_output(gd_plan_frame *frame, int i, void *bytes) {
    void *own = frame->own[i] ? frame->own[i]->bytes : NULL;
    frame->base[frame->plan->output_buffers[i]] = bytes ? bytes : own;
}

const void *gd_plan_output_bytes(const gd_plan_frame *frame, int i) {
    return frame->base[frame->plan->output_buffers[i]];
}

gd_code gd_frame_ready(gd_plan_frame *frame) {
    const gd_plan *plan = frame->plan;
    for (int i = 0; i < plan->noutputs; i++) {
        char **base = &frame->base[plan->output_buffers[i]];
        if (*base) continue;
        size_t bytes = plan->outputs[i].nbytes;
        frame->own[i] = gd_storage_new(frame->ctx, bytes ? bytes : 1, false);
        if (!frame->own[i]) return frame->ctx->error.code;
        *base = frame->own[i]->bytes;
    }
    return GD_OK;
}
