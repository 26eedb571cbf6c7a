/* compile_memory.c: where values lie: which get buffers, and which buffers share the frame's memory because they are
 * never needed at one time. */
#include <stdlib.h>
#include <string.h>

#include "core/plan/compiler.h"

/* ---- buffers ------------------------------------------------------------------------------------------ */

static size_t bytes_of(const gd_cvalue *v) { return (size_t)v->numel * gd_dtype_bytes(v->dtype); }

static int32_t add_buffer(gd_compiler *c, const gd_plan_buffer *buffer) {
    if (!gd_c_grow(c, (void **)&c->buffers, c->nbuffers, &c->buffers_cap, sizeof *c->buffers)) return -1;
    c->buffers[c->nbuffers] = *buffer;
    return c->nbuffers++;
}

/* Constants get buffers when they are first asked for: many only lend their one number. */
static int32_t constant_buffer(gd_compiler *c, gd_cvalue *v) {
    gd_plan_buffer b = {.kind = GD_BUFFER_CONSTANT, .constant = v->bytes, .bytes = sizeof(int64_t)};
    if (v->storage) {
        if (!gd_c_keep_storage(c, v->storage)) return -1;
        b.bytes = v->storage->nbytes - (size_t)(v->bytes - (char *)v->storage->bytes);
    }
    return v->buffer = add_buffer(c, &b);
}

int32_t gd_c_buffer(gd_compiler *c, int32_t root) {
    gd_cvalue *v = &c->values[root];
    if (v->buffer >= 0 || c->failed) return v->buffer;
    if (v->kind == GD_C_CONSTANT) return constant_buffer(c, v);
    gd_fail(c->ctx, GD_E_STATE, "a value of the plan has no memory");
    c->failed = true;
    return -1;
}

int32_t gd_c_header_at(gd_compiler *c, int32_t value, int32_t buffer) {
    const gd_cvalue *v = &c->values[value];
    if (buffer < 0 || !gd_c_grow(c, (void **)&c->headers, c->nheaders, &c->headers_cap, sizeof *c->headers)) return -1;
    c->headers[c->nheaders] = (gd_plan_header){.dtype = v->dtype,
                                               .ndim = v->ndim,
                                               .wrapped = v->wrapped,
                                               .buffer = buffer,
                                               .offset = v->offset,
                                               .numel = v->numel,
                                               .sizes = v->sizes};
    return c->nheaders++;
}

int32_t gd_c_header(gd_compiler *c, int32_t value) {
    if (c->values[value].header >= 0) return c->values[value].header;
    int32_t buffer = gd_c_buffer(c, c->values[value].root);
    int32_t header = gd_c_header_at(c, value, buffer);
    c->values[value].header = header;
    return header;
}

/* ---- inputs, outputs, held tensors ---------------------------------------------------------------------- */

static void input_buffers(gd_compiler *c) {
    for (int i = 0; i < c->plan->ninputs; i++) add_buffer(c, &(gd_plan_buffer){.kind = GD_BUFFER_INPUT, .nr = i});
    for (int32_t i = 0; i < c->nvalues && !c->failed; i++) {
        gd_cvalue *v = &c->values[i];
        if (v->kind != GD_C_INPUT) continue;
        v->buffer = v->source;
        c->buffers[v->source].bytes = bytes_of(v);
    }
}

/* The output's place is its root's own, unless that is taken, or laid out otherwise. */
static bool is_own_place(const gd_compiler *c, const gd_cvalue *v) {
    const gd_cvalue *root = &c->values[v->root];
    return root->kind == GD_C_RESULT && root->buffer < 0 && gd_c_covers(c, v) &&
           gd_strides_contiguous(v->ndim, v->sizes, gd_c_strides(v));
}

static void output_buffers(gd_compiler *c) {
    for (int i = 0; i < c->plan->noutputs && !c->failed; i++) {
        const gd_cvalue *v = &c->values[c->outputs[i]];
        int32_t buffer = add_buffer(c, &(gd_plan_buffer){.kind = GD_BUFFER_OUTPUT, .nr = i, .bytes = bytes_of(v)});
        if (is_own_place(c, v)) c->values[v->root].buffer = buffer;
        c->plan->output_buffers[i] = buffer;
    }
}

static bool is_read(const gd_cvalue *v) {
    return v->kind == GD_C_RESULT && v->stored && !v->absent && v->last >= 0 && v->buffer < 0;
}

static bool is_held(const gd_compiler *c, const gd_cvalue *v) {
    const gd_cnode *node = &c->nodes[v->source];
    return node->kind == GD_N_STEP && !node->step->inplace;
}

/* ---- sharing memory ---------------------------------------------------------------------------------------- */

typedef struct gd_gap {
    size_t at, bytes;
} gd_gap;

typedef struct gd_packing {
    gd_compiler *c;
    gd_gap *gaps; /* by address */
    int32_t ngaps, gaps_cap;
    size_t end;
} gd_packing;

static void remove_gap(gd_packing *p, int32_t i) {
    memmove(p->gaps + i, p->gaps + i + 1, (size_t)(p->ngaps - i - 1) * sizeof *p->gaps);
    p->ngaps--;
}

/* The smallest gap that is large enough, else the end. */
static size_t place(gd_packing *p, size_t bytes) {
    int32_t best = -1;
    for (int32_t i = 0; i < p->ngaps; i++)
        if (p->gaps[i].bytes >= bytes && (best < 0 || p->gaps[i].bytes < p->gaps[best].bytes)) best = i;
    if (best < 0) {
        size_t at = p->end;
        if (!gd_add_size(at, bytes, &p->end)) gd_c_fail(p->c);
        return at;
    }
    size_t at = p->gaps[best].at;
    p->gaps[best].at += bytes;
    p->gaps[best].bytes -= bytes;
    if (p->gaps[best].bytes == 0) remove_gap(p, best);
    return at;
}

static void free_place(gd_packing *p, size_t at, size_t bytes) {
    int32_t i = 0;
    while (i < p->ngaps && p->gaps[i].at < at) i++;
    if (i > 0 && p->gaps[i - 1].at + p->gaps[i - 1].bytes == at) {
        i--;
        p->gaps[i].bytes += bytes;
    } else {
        if (!gd_c_grow(p->c, (void **)&p->gaps, p->ngaps, &p->gaps_cap, sizeof *p->gaps)) return;
        memmove(p->gaps + i + 1, p->gaps + i, (size_t)(p->ngaps - i) * sizeof *p->gaps);
        p->gaps[i] = (gd_gap){at, bytes};
        p->ngaps++;
    }
    if (i + 1 < p->ngaps && p->gaps[i].at + p->gaps[i].bytes == p->gaps[i + 1].at) {
        p->gaps[i].bytes += p->gaps[i + 1].bytes;
        remove_gap(p, i + 1);
    }
}

/* Values chained by the unit at which something happens to them. */
typedef struct gd_calendar {
    int32_t *first, *next;
} gd_calendar;

static bool make_calendar(gd_compiler *c, gd_calendar *days) {
    days->first = gd_c_new(c, (size_t)c->nunits, sizeof *days->first);
    days->next = gd_c_new(c, (size_t)c->nvalues, sizeof *days->next);
    for (int32_t u = 0; days->first && u < c->nunits; u++) days->first[u] = -1;
    return days->first && days->next;
}

static void note(gd_calendar *days, int32_t unit, int32_t value) {
    days->next[value] = days->first[unit];
    days->first[unit] = value;
}

static size_t rounded(const gd_cvalue *v) { return (bytes_of(v) + 63) & ~(size_t)63; }

static void begin(gd_packing *p, int32_t value) {
    gd_compiler *c = p->c;
    gd_cvalue *v = &c->values[value];
    gd_plan_buffer b = {.kind = GD_BUFFER_FRAME, .bytes = bytes_of(v)};
    if (is_held(c, v)) {
        b.kind = GD_BUFFER_HELD;
        b.nr = c->plan->nheld++;
    } else {
        b.at = place(p, rounded(v));
    }
    v->buffer = add_buffer(c, &b);
}

static void end(gd_packing *p, int32_t value) {
    const gd_cvalue *v = &p->c->values[value];
    const gd_plan_buffer *b = v->buffer < 0 ? NULL : &p->c->buffers[v->buffer];
    if (b && b->kind == GD_BUFFER_FRAME && rounded(v) > 0) free_place(p, b->at, rounded(v));
}

static void pack(gd_packing *p) {
    gd_compiler *c = p->c;
    gd_calendar births, deaths;
    if (!make_calendar(c, &births) || !make_calendar(c, &deaths)) return;
    for (int32_t i = 0; i < c->nvalues; i++) {
        const gd_cvalue *v = &c->values[i];
        if (!is_read(v)) continue;
        note(&births, v->unit < 0 ? 0 : v->unit, i);
        if (v->last < c->nunits) note(&deaths, v->last, i);
    }
    for (int32_t u = 0; u < c->nunits && !c->failed; u++) {
        for (int32_t i = births.first[u]; i >= 0 && !c->failed; i = births.next[i]) begin(p, i);
        for (int32_t i = deaths.first[u]; i >= 0 && !c->failed; i = deaths.next[i]) end(p, i);
    }
    c->deaths_first = deaths.first;
    c->deaths_next = deaths.next;
}

void gd_c_buffers(gd_compiler *c) {
    input_buffers(c);
    output_buffers(c);
    gd_packing p = {.c = c};
    if (!c->failed) pack(&p);
    c->plan->frame_bytes = p.end;
    free(p.gaps);
}
