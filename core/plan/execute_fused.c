/* execute_fused.c: runs fused passes: block by block, instruction by instruction, so that what one instruction leaves
 * for the next is still in the cache. Sums over all elements are gathered block by block. */
#include <string.h>

#include "core/plan/plan_inside.h"

/* ---- sums --------------------------------------------------------------------------------------- */

/* Blocks' sums are added in pairs, pairs' sums in pairs …, so that errors grow with the logarithm of their number. */
static void add_sum(gd_sum_state *state, double sum) {
    int level = 0;
    for (uint64_t n = state->count++; n & 1; n >>= 1) sum += state->level[level++];
    state->level[level] = sum;
}

static double total_sum(const gd_sum_state *state) {
    double sum = 0;
    bool any = false;
    for (int level = 0; level < 48; level++) {
        if (!(state->count >> level & 1)) continue;
        sum = any ? sum + state->level[level] : state->level[level];
        any = true;
    }
    return sum;
}

#define SUM_LOOP(name, T, DTYPE)                                                                                       \
    static void name(char *const *data, const int64_t *strides, int64_t n, const void *extra) {                        \
        (void)extra;                                                                                                   \
        T sum = 0;                                                                                                     \
        const gd_reduce_dim inner = {n, strides[1], 0}, outer = {1, 0, 0};                                             \
        gd_reduce_sum_loop(DTYPE)((char *)&sum, data[1], &inner, &outer);                                              \
        add_sum((gd_sum_state *)(void *)data[0], (double)sum);                                                         \
    }
SUM_LOOP(sum_float, float, GD_FLOAT32)
SUM_LOOP(sum_double, double, GD_FLOAT64)

static void sum_int64(char *const *data, const int64_t *strides, int64_t n, const void *extra) {
    (void)extra;
    gd_sum_state *state = (gd_sum_state *)(void *)data[0];
    const gd_reduce_dim inner = {n, strides[1], 0}, outer = {1, 0, 0};
    gd_reduce_sum_loop(GD_INT64)((char *)&state->integer, data[1], &inner, &outer);
}

gd_loop gd_sum_loop(gd_dtype dtype) {
    switch (dtype) {
    case GD_FLOAT32: return sum_float;
    case GD_FLOAT64: return sum_double;
    case GD_INT64: return sum_int64;
    default: return NULL;
    }
}

static void start_sinks(const gd_fused *f, char *registers) {
    for (int i = 0; i < f->nsinks; i++) {
        gd_sum_state *state = (gd_sum_state *)(void *)(registers + f->sinks[i].state);
        state->count = state->integer = 0;
    }
}

static void finish_sinks(const gd_plan_frame *frame, const gd_fused *f, const char *registers) {
    for (int i = 0; i < f->nsinks; i++) {
        const gd_sink *sink = &f->sinks[i];
        const gd_sum_state *state = (const gd_sum_state *)(const void *)(registers + sink->state);
        char *out = frame->base[sink->buffer] + sink->at;
        if (sink->dtype == GD_INT64)
            memcpy(out, &state->integer, sizeof state->integer);
        else
            gd_store_f64(sink->dtype, out, total_sum(state));
    }
}

/* ---- gathering ---------------------------------------------------------------------------------- */

#define COPY_RUN(T)                                                                                                    \
    for (int64_t i = 0; i < n; i++) ((T *)(void *)to)[i] = *(const T *)(const void *)(from + i * stride)

static void copy_run(char *to, const char *from, int64_t stride, int64_t n, int width) {
    switch (width) {
    case 1: COPY_RUN(uint8_t); return;
    case 2: COPY_RUN(uint16_t); return;
    case 4: COPY_RUN(uint32_t); return;
    default: COPY_RUN(uint64_t); return;
    }
}

/* Copies elements first … first + n - 1 of the pass's run of a strided operand to `to`. */
static void gather(const gd_fused *f, const gd_gather *g, const char *from, char *to, int64_t first, int64_t n) {
    int64_t index[GD_MAX_DIMS];
    for (int d = 0; d < f->ndim; d++) {
        index[d] = first % f->sizes[d];
        first /= f->sizes[d];
        from += index[d] * g->strides[d];
    }
    while (n > 0) {
        int64_t run = f->sizes[0] - index[0] < n ? f->sizes[0] - index[0] : n;
        copy_run(to, from, g->strides[0], run, g->width);
        to += run * g->width;
        n -= run;
        from -= index[0] * g->strides[0];
        index[0] = 0;
        for (int d = 1; d < f->ndim; d++) {
            from += g->strides[d];
            if (++index[d] < f->sizes[d]) break;
            from -= f->sizes[d] * g->strides[d];
            index[d] = 0;
        }
    }
}

/* ---- passes ------------------------------------------------------------------------------------- */

static inline void run_block(const gd_fused *f, char *const *at, int64_t n) {
    const gd_instruction *end = f->instructions + f->ninstructions;
    for (const gd_instruction *i = f->instructions; i < end; i++) {
        char *const data[GD_FUSED_OPERANDS] = {at[i->slots[0]], at[i->slots[1]], at[i->slots[2]], at[i->slots[3]]};
        i->loop(data, i->strides, n, i->extra);
    }
}

static void gather_all(const gd_plan_frame *frame, const gd_fused *f, char *const *at, int64_t first, int64_t n) {
    for (int i = 0; i < f->ngathers; i++) {
        const gd_gather *g = &f->gathers[i];
        gather(f, g, frame->base[g->buffer] + g->at, at[g->slot], first, n);
    }
}

/* One run of n elements; `at` moves along. */
static void run_span(const gd_plan_frame *frame, const gd_fused *f, char **at, int64_t n) {
    for (int64_t first = 0;; first += f->block) {
        int64_t left = n - first, m = left < f->block ? left : f->block;
        if (f->ngathers) gather_all(frame, f, at, first, m);
        run_block(f, at, m);
        if (left <= f->block) return;
        for (int k = 0; k < f->nmoving; k++) at[k] += f->block * f->slots[k].strides[0];
    }
}

static void run_rows(const gd_plan_frame *frame, const gd_fused *f, char **row, char **at) {
    int64_t index[GD_MAX_DIMS] = {0};
    memcpy(at, row, (size_t)f->nslots * sizeof *at);
    for (;;) {
        run_span(frame, f, at, f->sizes[0]);
        int d = 1;
        for (; d < f->ndim; d++) {
            bool round = ++index[d] == f->sizes[d];
            int64_t steps = round ? 1 - f->sizes[d] : 1;
            for (int k = 0; k < f->nmoving; k++) row[k] += steps * f->slots[k].strides[d];
            if (!round) break;
            index[d] = 0;
        }
        if (d == f->ndim) return;
        memcpy(at, row, (size_t)f->nmoving * sizeof *at);
    }
}

void gd_run_fused(gd_plan_frame *frame, const gd_fused *f) {
    char **at = frame->slots, *registers = frame->registers;
    for (int k = 0; k < f->nslots; k++) {
        const gd_slot *slot = &f->slots[k];
        at[k] = (slot->buffer < 0 ? registers : frame->base[slot->buffer]) + slot->at;
    }
    if (f->nsinks) start_sinks(f, registers);
    if (f->rows)
        run_rows(frame, f, at, at + frame->plan->max_slots);
    else
        run_span(frame, f, at, f->numel);
    if (f->nsinks) finish_sinks(frame, f, registers);
}
