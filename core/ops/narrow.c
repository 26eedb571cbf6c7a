/* narrow.c: see narrow.h. */
#include "core/ops/narrow.h"

#include <stdlib.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/create.h"
#include "core/ops/families.h"
#include "core/plan/trace.h"

/* ---- which dtypes ---------------------------------------------------------------------------------- */

/* Arguments that say where, not what: rows check their dtypes themselves. */
static bool names_place(const gd_param *p) {
    static const char *const places[] = {"index",  "indices", "target",    "targets",       "offsets",       "repeats",
                                         "pivots", "mask",    "condition", "input_lengths", "target_lengths"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strcmp(p->name, places[i])) return true;
    return p->type == GD_T_INDEX;
}

static bool is_place(const gd_apply *a, int i) { return a->op->places >> i & 1; }

typedef struct narrowing {
    gd_apply *a;
    unsigned seen;                     /* dtypes of tensors that are no bare numbers, a bit each */
    bool has_dtype;                    /* the call names the dtype of the result */
    gd_dtype dtype;                    /* that one */
    gd_dtype stand_in[GD_DTYPE_COUNT]; /* of a wide dtype: itself */
    gd_dtype result, wide_result;      /* what the tensors promote to, and their stand-ins */
    gd_value args[GD_MAX_ARGS];        /* with stand-ins */
    gd_tensor **lists[GD_MAX_ARGS];    /* of Tensor[] arguments; owned */
} narrowing;

static void see(narrowing *n, const gd_tensor *t) {
    if (t && !(t->flags & GD_F_WRAPPED_NUMBER)) n->seen |= 1u << t->dtype;
}

static void survey(narrowing *n) {
    const gd_apply *a = n->a;
    for (int i = 0; i < a->nargs; i++) {
        const gd_value *v = &a->args[i];
        if (v->kind == GD_V_DTYPE) {
            n->has_dtype = true;
            n->dtype = v->u.dtype;
        } else if (v->kind == GD_V_TENSOR && !is_place(a, i)) {
            see(n, v->u.tensor);
        } else if (v->kind == GD_V_TENSORS && !is_place(a, i)) {
            for (uint32_t k = 0; k < v->n; k++) see(n, v->u.tensors[k]);
        }
    }
    see(n, a->out[0]);
}

static gd_dtype pick(unsigned taken, gd_dtype first, gd_dtype second) {
    return (taken >> first & 1) && !(taken >> second & 1) ? second : first;
}

static void choose_stand_ins(narrowing *n) {
    unsigned taken = n->seen;
    for (int d = 0; d < GD_DTYPE_COUNT; d++) {
        n->stand_in[d] = (gd_dtype)d;
        bool wanted = (n->seen >> d & 1) || (n->has_dtype && (int)n->dtype == d);
        if (!gd_dtype_is_narrow((gd_dtype)d)) continue;
        n->stand_in[d] =
            gd_dtype_is_float((gd_dtype)d) ? pick(taken, GD_FLOAT32, GD_FLOAT64) : pick(taken, GD_INT32, GD_INT64);
        if (wanted) taken |= 1u << n->stand_in[d];
    }
}

/* ---- what they promote to ---------------------------------------------------------------------------- */

/* Folds tensors into a few that promote to the same: one with dimensions, one without, one bare number. */
typedef struct folded {
    gd_tensor kinds[3];
    gd_tensor *list[3];
    int n;
} folded;

static void fold(const narrowing *n, folded *f, const gd_tensor *t, bool wide) {
    if (!t) return;
    int kind = t->ndim > 0 ? 0 : t->flags & GD_F_WRAPPED_NUMBER ? 2 : 1;
    gd_dtype dtype = wide ? n->stand_in[t->dtype] : (gd_dtype)t->dtype;
    for (int i = 0; i < f->n; i++) {
        gd_tensor *old = f->list[i];
        if (old != &f->kinds[kind]) continue;
        old->dtype = (uint8_t)gd_promote_dtypes((gd_dtype)old->dtype, dtype);
        return;
    }
    f->kinds[kind] = (gd_tensor){.dtype = (uint8_t)dtype, .ndim = t->ndim, .flags = t->flags & GD_F_WRAPPED_NUMBER};
    f->list[f->n++] = &f->kinds[kind];
}

static gd_dtype promoted(const narrowing *n, bool wide) {
    const gd_apply *a = n->a;
    folded f = {.n = 0};
    for (int i = 0; i < a->nargs; i++) {
        const gd_value *v = &a->args[i];
        if (is_place(a, i)) continue;
        if (v->kind == GD_V_TENSOR) fold(n, &f, v->u.tensor, wide);
        for (uint32_t k = 0; v->kind == GD_V_TENSORS && k < v->n; k++) fold(n, &f, v->u.tensors[k], wide);
    }
    return gd_result_type(f.list, f.n);
}

static void find_results(narrowing *n) {
    n->result = n->has_dtype ? n->dtype : promoted(n, false);
    n->wide_result = n->has_dtype ? n->stand_in[n->dtype] : promoted(n, true);
}

/* ---- arguments ------------------------------------------------------------------------------------- */

/* New: t's values in another dtype, their dimensions in the same order in memory. */
static gd_tensor *converted(gd_ctx *ctx, gd_tensor *t, gd_dtype dtype) {
    int64_t strides[GD_MAX_DIMS];
    bool plain = gd_is_contiguous(t) || !gd_layout_strides(t, strides);
    gd_tensor *out = plain ? gd_empty_like(ctx, t, dtype) : gd_empty_layout(ctx, t, dtype);
    if (out) gd_copy_values(out, t);
    return out;
}

/* The stand-in for t, borrowed from the pool; t itself where it needs none. A bare number is rounded to the dtype of
 * the result first, as PyTorch's kernels take it. */
static gd_tensor *stand_in(narrowing *n, gd_tensor *t) {
    gd_ctx *ctx = n->a->ctx;
    if (!t) return NULL;
    if (gd_dtype_is_narrow((gd_dtype)t->dtype)) return gd_pool_add(ctx, converted(ctx, t, n->stand_in[t->dtype]));
    bool rounded = (t->flags & GD_F_WRAPPED_NUMBER) && gd_dtype_is_narrow(n->result);
    if (!rounded || (gd_dtype_is_float((gd_dtype)t->dtype) && !gd_dtype_is_float(n->result))) return t;
    gd_tensor *few = gd_pool_add(ctx, gd_as_dtype(ctx, t, n->result));
    gd_tensor *wide = few ? gd_pool_add(ctx, gd_as_dtype(ctx, few, n->stand_in[n->result])) : NULL;
    if (wide) wide->flags |= GD_F_WRAPPED_NUMBER;
    return wide;
}

static gd_code widen_list(narrowing *n, int i) {
    gd_value *v = &n->args[i];
    size_t bytes;
    if (!gd_mul_size(v->n + (size_t)1, sizeof(gd_tensor *), &bytes)) return gd_fail_memory(n->a->ctx);
    if (!(n->lists[i] = malloc(bytes))) return gd_fail_memory(n->a->ctx);
    for (uint32_t k = 0; k < v->n; k++) {
        n->lists[i][k] = stand_in(n, v->u.tensors[k]);
        if (v->u.tensors[k] && !n->lists[i][k]) return n->a->ctx->error.code;
    }
    v->u.tensors = n->lists[i];
    return GD_OK;
}

/* Rows whose numbers PyTorch's kernels take in the dtype of the result, and not as they were written. */
static bool rounds_numbers(const gd_op *op) {
    static const char *const names[] = {"add",  "sub",          "rsub",     "pow",  "remainder",
                                        "fmod", "floor_divide", "copysign", "xlogy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(op->name, names[i])) return true;
    return false;
}

static void round_number(const narrowing *n, gd_value *v) {
    char element[8];
    if (v->kind == GD_V_FLOAT && gd_dtype_is_float(n->result)) {
        gd_store_f64(n->result, element, v->u.real);
        v->u.real = gd_load_f64(n->result, element);
    }
}

/* nan_to_num's own limits are those of the dtype. */
static void fill_limits(narrowing *n) {
    const double most = n->result == GD_FLOAT16 ? 65504 : 0x1.fep127;
    if (n->a->op->id != GD_OP_nan_to_num || !gd_dtype_is_float(n->result)) return;
    if (n->args[2].kind == GD_V_NONE) n->args[2] = GD_FLOAT_VALUE(most);
    if (n->args[3].kind == GD_V_NONE) n->args[3] = GD_FLOAT_VALUE(-most);
}

static gd_code widen_arguments(narrowing *n) {
    const gd_apply *a = n->a;
    const bool rounded = gd_dtype_is_narrow(n->result) && rounds_numbers(a->op);
    for (int i = 0; i < a->nargs; i++) {
        gd_value *v = &n->args[i];
        gd_code code = GD_OK;
        *v = a->args[i];
        if (rounded && a->op->params[i].type == GD_T_SCALAR) round_number(n, v);
        if (v->kind == GD_V_DTYPE) v->u.dtype = n->stand_in[v->u.dtype];
        if (is_place(a, i)) continue;
        if (v->kind == GD_V_TENSORS) code = widen_list(n, i);
        if (v->kind == GD_V_TENSOR && v->u.tensor && !(v->u.tensor = stand_in(n, v->u.tensor)))
            code = a->ctx->error.code;
        if (code) return code;
    }
    if (gd_dtype_is_narrow(n->result)) fill_limits(n);
    return GD_OK;
}

/* ---- results --------------------------------------------------------------------------------------- */

/* An output of the row as the client gets it; takes t. */
static gd_tensor *narrowed(narrowing *n, gd_tensor *t) {
    gd_apply *a = n->a;
    for (int i = 0; t && i < a->nargs; i++) /* the row answered its argument: so is the answer */
        if (n->args[i].kind == GD_V_TENSOR && n->args[i].u.tensor == t && t != a->args[i].u.tensor) {
            gd_release(t);
            return gd_retain(a->args[i].u.tensor);
        }
    if (!t || (gd_dtype)t->dtype != n->wide_result || n->result == n->wide_result) return t;
    gd_tensor *few = converted(a->ctx, t, n->result);
    if (few && (a->op->flags & GD_FACTORY)) few->flags |= t->flags & GD_F_REQUIRES_GRAD;
    gd_release(t);
    return few;
}

/* Do the row's integers count, whatever they were found in? */
static bool answers_counts(const gd_apply *a) {
    for (int i = 0; i < a->nargs; i++)
        if (a->args[i].kind == GD_V_BOOL && a->args[i].u.boolean && !strcmp(a->op->params[i].name, "out_int32"))
            return true;
    return false;
}

/* Moves what the row answered from w to the application itself. */
static gd_code take_outputs(narrowing *n, gd_apply *w) {
    gd_apply *a = n->a;
    gd_code code = GD_OK;
    bool as_is = answers_counts(a);
    for (int i = 0; i < w->nout && !as_is; i++) {
        gd_tensor *t = w->out[i];
        w->out[i] = narrowed(n, t);
        if (t && !w->out[i]) code = a->ctx->error.code;
    }
    memcpy(a->few, w->few, sizeof a->few);
    a->out = w->out == w->few ? a->few : w->out;
    a->nout = w->nout;
    a->has_value = w->has_value;
    a->value = w->value;
    a->ints = w->ints;
    return code;
}

static void drop_outputs(gd_apply *w) {
    for (int i = 0; i < w->nout; i++) gd_release(w->out[i]);
    if (w->out != w->few) free(w->out);
    free(w->ints);
}

/* ---- refusals, messages ------------------------------------------------------------------------------ */

/* A bit a dtype, and two more. */
enum {
    HALF = 1u << GD_FLOAT16,
    BFLOAT16 = 1u << GD_BFLOAT16,
    CHAR = 1u << GD_INT8,
    SHORT = 1u << GD_INT16,
    LINES = 1u << GD_DTYPE_COUNT,
    EMPTY = 2u << GD_DTYPE_COUNT
};

static const struct gd_refusal {
    int row; /* gd_op_id */
    unsigned what;
    const char *words;
} refusals[] = {
#define REFUSED(row, what, words) {GD_OP_##row, what, words},
#include "core/ops/narrow.def"
#undef REFUSED
};

void gd_narrow_init(void) {
    for (int row = 0; row < GD_OP_COUNT; row++)
        for (int i = 0; i < gd_ops[row].nparams; i++)
            if (names_place(&gd_ops[row].params[i])) gd_ops[row].places |= 1u << i;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        for (int d = GD_INT8; d < GD_DTYPE_COUNT; d++)
            if (refusals[i].what >> d & 1) gd_ops[refusals[i].row].refuses[d - GD_INT8] = &refusals[i];
}

/* Why PyTorch refuses the row for this dtype, or NULL. */
static const struct gd_refusal *refusal_of(const gd_apply *a, gd_dtype dtype) {
    const struct gd_refusal *r = gd_dtype_is_narrow(dtype) ? a->op->refuses[dtype - GD_INT8] : NULL;
    if (!r || a->args[0].kind != GD_V_TENSOR) return r;
    const gd_tensor *t = a->args[0].u.tensor;
    if ((r->what & LINES) && t->ndim == 0) return NULL;
    return t->numel == 0 && !(r->what & EMPTY) ? NULL : r;
}

/* The words are a kernel's name, or a whole sentence. */
static gd_code refuse(const narrowing *n) {
    const char *words = refusal_of(n->a, n->result)->words, *dtype = gd_dtype_scalar_name(n->result);
    const char *place = strstr(words, "{}");
    if (!strchr(words, ' ')) return gd_fail(n->a->ctx, GD_E_DTYPE, "\"%s\" not implemented for '%s'", words, dtype);
    if (!place) return gd_fail(n->a->ctx, GD_E_DTYPE, "%s", words);
    return gd_fail(n->a->ctx, GD_E_DTYPE, "%.*s%s%s", (int)(place - words), words, dtype, place + 2);
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Replaces `from` as a whole word by `to` in the error's text. */
static void rename_in(gd_error *error, const char *from, const char *to) {
    char text[GD_MESSAGE_BYTES];
    size_t n = 0, length = strlen(from), more = strlen(to);
    for (const char *p = error->message; *p && n + 1 < sizeof text;) {
        bool starts = p == error->message || !is_word(p[-1]);
        if (!starts || strncmp(p, from, length) != 0 || is_word(p[length])) {
            text[n++] = *p++;
            continue;
        }
        size_t room = sizeof text - 1 - n;
        memcpy(text + n, to, more < room ? more : room);
        n += more < room ? more : room;
        p += length;
    }
    text[n] = '\0';
    memcpy(error->message, text, n + 1);
}

/* A message speaks of the stand-ins. */
static gd_code rename_dtypes(const narrowing *n, gd_code code) {
    gd_error *error = &n->a->ctx->error;
    for (int d = GD_INT8; d < GD_DTYPE_COUNT; d++) {
        gd_dtype from = n->stand_in[d], to = (gd_dtype)d;
        bool here = (n->seen >> d & 1) || (n->has_dtype && n->dtype == to);
        if (!here || (n->seen >> from & 1)) continue;
        rename_in(error, gd_dtype_scalar_name(from), gd_dtype_scalar_name(to));
        rename_in(error, gd_dtype_c_name(from), gd_dtype_c_name(to));
    }
    return code;
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

/* Runs the row on stand-ins; its outputs are then a's. */
static gd_code run_wide(narrowing *n) {
    gd_apply *a = n->a, w = *a;
    bool writes = a->op->flags & GD_INPLACE_ONLY;
    w.args = n->args;
    w.out = w.few;
    w.nout = 0;
    memset(w.few, 0, sizeof w.few);
    gd_code code = writes ? gd_check_not_overlapping(a->ctx, a->args[0].u.tensor) : GD_OK;
    if (a->ctx->trace) gd_trace_enter(a->ctx); /* what the forward does with stand-ins is nothing to repeat */
    if (!code) code = a->op->forward(&w);
    if (a->ctx->trace) gd_trace_leave(a->ctx);
    if (code) {
        drop_outputs(&w);
        return rename_dtypes(n, code);
    }
    if (writes && n->args[0].u.tensor != a->args[0].u.tensor) gd_copy_values(a->args[0].u.tensor, n->args[0].u.tensor);
    return take_outputs(n, &w);
}

/* Computed first, so that complaints about shapes come first, as PyTorch's do. */
static gd_code run_and_check(narrowing *n) {
    gd_apply *a = n->a;
    bool refused = refusal_of(a, n->result);
    if (refused && (a->op->flags & (GD_RANDOM | GD_INPLACE_ONLY))) return refuse(n);
    gd_tensor *given = a->out[0];
    a->out[0] = NULL;
    gd_code code = run_wide(n);
    if (!code && refused) code = refuse(n);
    if (!given) return code;
    if (!code) code = gd_check_not_overlapping(a->ctx, given);
    if (!code) code = gd_store_over(a->ctx, given, a->out[0]);
    gd_release(a->out[0]);
    a->out[0] = given;
    a->nout = 1;
    return code;
}

static bool is_narrow(const gd_tensor *t) { return t && gd_dtype_is_narrow((gd_dtype)t->dtype); }

/* A quick look: most calls have nothing narrow, also where a process has seen such dtypes. */
static bool any_narrow(const gd_apply *a) {
    if (is_narrow(a->out[0])) return true;
    for (int i = 0; i < a->nargs; i++) {
        const gd_value *v = &a->args[i];
        if (v->kind == GD_V_TENSOR && is_narrow(v->u.tensor)) return true;
        if (v->kind == GD_V_DTYPE && gd_dtype_is_narrow(v->u.dtype)) return true;
        for (uint32_t k = 0; v->kind == GD_V_TENSORS && k < v->n; k++)
            if (is_narrow(v->u.tensors[k])) return true;
    }
    return false;
}

/* The pointwise loops have int8 and int16; nothing narrow is a float here. A trace would have to know them as well. */
static bool has_loops(const narrowing *n) {
    const gd_forward_fn f = n->a->op->forward;
    if ((n->seen >> GD_FLOAT16) || n->has_dtype || n->a->ctx->trace) return false;
    return f == gd_fw_pointwise || f == gd_fw_pointwise_scalar || f == gd_fw_add || f == gd_fw_rsub;
}

gd_code gd_forward_narrow(gd_apply *a) {
    const gd_op *op = a->op;
    if (!any_narrow(a)) return op->forward(a);
    narrowing n = {.a = a};
    survey(&n);
    choose_stand_ins(&n);
    find_results(&n);
    if ((op->flags & (GD_VIEW | GD_COMPOSITE | GD_ANY_DTYPE)) || has_loops(&n))
        return refusal_of(a, n.result) ? refuse(&n) : op->forward(a);
    size_t mark = gd_pool_mark(a->ctx);
    gd_code code = widen_arguments(&n);
    if (!code) code = run_and_check(&n);
    gd_pool_release(a->ctx, mark);
    for (int i = 0; i < a->nargs; i++) free(n.lists[i]);
    return code;
}
