/* bind_types.c: converts what a client wrote to the type a signature asks for. Tensors made on the way go to the
 * context's pool, arrays to the scratch memory of the call. */
#include <math.h>
#include <string.h>

#include "core/ops/bind.h"
#include "core/plan/trace.h"

/* ---- texts -------------------------------------------------------------------------------------- */

const char *gd_python_type(const gd_value *v) {
    static const char *const names[] = {
        [GD_V_NONE] = "NoneType",     [GD_V_TENSOR] = "Tensor", [GD_V_BOOL] = "bool",         [GD_V_INT] = "int",
        [GD_V_FLOAT] = "float",       [GD_V_STR] = "str",       [GD_V_DTYPE] = "torch.dtype", [GD_V_LIST] = "list",
        [GD_V_INTS] = "tuple",        [GD_V_FLOATS] = "tuple",  [GD_V_TENSORS] = "tuple",     [GD_V_SLICE] = "slice",
        [GD_V_ELLIPSIS] = "ellipsis",
    };
    return v->kind == GD_V_OTHER ? v->u.str : names[v->kind];
}

static const char *type_text(const gd_param *p) {
    static const char *const names[] = {
        [GD_T_TENSOR] = "Tensor",
        [GD_T_TENSORS] = "tuple of Tensors",
        [GD_T_SCALAR] = "Number",
        [GD_T_INT] = "int",
        [GD_T_FLOAT] = "float",
        [GD_T_BOOL] = "bool",
        [GD_T_STR] = "str",
        [GD_T_INTS] = "tuple of ints",
        [GD_T_FLOATS] = "tuple of floats",
        [GD_T_DTYPE] = "torch.dtype",
        [GD_T_INDEX] = "tuple of indices",
    };
    return names[p->type];
}

gd_code gd_bind_fail_type(gd_binder *b, gd_bind_place at, const gd_value *v) {
    const gd_param *p = &b->op->params[at.index];
    const char *name = gd_bind_param_name(b->op, at.index);
    if (at.position == 0)
        return gd_bind_fail(b, GD_E_ARGUMENT, at.index, "%s%s(): argument '%s' must be %s, not %s",
                            gd_bind_op_name(b->op), gd_bind_suffix(b), name, type_text(p), gd_python_type(v));
    return gd_bind_fail(b, GD_E_ARGUMENT, at.index, "%s%s(): argument '%s' (position %d) must be %s, not %s",
                        gd_bind_op_name(b->op), gd_bind_suffix(b), name, at.position, type_text(p), gd_python_type(v));
}

static gd_code fail_element(gd_binder *b, gd_bind_place at, const gd_value *v, uint32_t entry) {
    gd_code code = gd_bind_fail(b, GD_E_ARGUMENT, at.index,
                                "%s%s(): argument '%s' must be %s, but found element of type %s at pos %u",
                                gd_bind_op_name(b->op), gd_bind_suffix(b), gd_bind_param_name(b->op, at.index),
                                type_text(&b->op->params[at.index]), gd_python_type(v), entry + 1);
    b->progress++; /* a list was right: further than no list at all */
    return code;
}

/* A helper has set the error already. It may be the client's (an unknown name: another overload may take the text
 * as such) or final (memory). Counts as further than a wrong type in the same place. */
static gd_code fail_inner(gd_binder *b, gd_bind_place at) {
    gd_code code = b->ctx->error.code != GD_OK ? b->ctx->error.code : GD_E_MEMORY;
    b->mismatch = code != GD_E_MEMORY && code != GD_E_BUDGET;
    b->progress = 2 * at.index + 1;
    b->ctx->error.argument = at.index;
    return code;
}

/* ---- tensors -------------------------------------------------------------------------------------- */

static bool number_text(const char *text, double *out) {
    static const struct {
        const char *text;
        double value;
    } known[] = {{"NaN", NAN},      {"nan", NAN},        {"Infinity", INFINITY},
                 {"inf", INFINITY}, {"-inf", -INFINITY}, {"-Infinity", -INFINITY}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(text, known[i].text) != 0) continue;
        *out = known[i].value;
        return true;
    }
    return false;
}

static gd_tensor *pooled(gd_binder *b, const gd_value *v, bool wrapped) {
    return gd_pool_add(b->ctx, gd_from_value(b->ctx, v, NULL, wrapped));
}

/* A name; or, if no tensor has it, the text of a number that JSON cannot write. */
static gd_tensor *named(gd_binder *b, const char *name) {
    gd_value number = GD_FLOAT_VALUE(0);
    gd_code before = b->ctx->error.code;
    gd_tensor *t = b->resolver->tensor(b->ctx, b->resolver->user, name);
    if (t) return gd_pool_add(b->ctx, t);
    if (!number_text(name, &number.u.real)) return NULL;
    b->ctx->error.code = before;
    return pooled(b, &number, true);
}

/* The tensor v stands for, borrowed; NULL with *wrong_type or the error set. */
static gd_tensor *tensor_of(gd_binder *b, const gd_value *v, bool *wrong_type) {
    *wrong_type = false;
    switch (v->kind) {
    case GD_V_TENSOR:
        if (v->u.tensor) return v->u.tensor;
        break;
    case GD_V_BOOL:
    case GD_V_INT:
    case GD_V_FLOAT: return pooled(b, v, true);
    case GD_V_STR:
        if (b->resolver) return named(b, v->u.str);
        break;
    case GD_V_LIST:
        if (b->resolver) return pooled(b, v, false);
        break;
    default: break;
    }
    *wrong_type = true;
    return NULL;
}

/* The tensor that is written must be a client's: a constant would be written and thrown away. */
static bool may_be_written(const gd_binder *b, int index, const gd_value *v) {
    if (index != 0 || !(b->inplace || (b->op->flags & GD_INPLACE_ONLY))) return true;
    return v->kind == GD_V_TENSOR || v->kind == GD_V_STR;
}

/* May a number stand for this Tensor in PyTorch? In these ops it may anywhere, in those beside a tensor. */
static bool takes_number(const gd_op *op, int index) {
    switch (op->id) {
    case GD_OP_add:
    case GD_OP_sub:
    case GD_OP_mul:
    case GD_OP_div:
    case GD_OP_div_mode:
    case GD_OP_floor_divide:
    case GD_OP_remainder:
    case GD_OP_bitwise_and:
    case GD_OP_bitwise_or:
    case GD_OP_bitwise_xor: return true;
    case GD_OP_eq:
    case GD_OP_ne:
    case GD_OP_lt:
    case GD_OP_le:
    case GD_OP_gt:
    case GD_OP_ge:
    case GD_OP_where:
    case GD_OP_setitem: return index > 0;
    default: return false;
    }
}

static bool is_number(const gd_value *v) {
    return v->kind == GD_V_BOOL || v->kind == GD_V_INT || v->kind == GD_V_FLOAT;
}

static gd_code bind_tensor(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    bool wrong_type;
    if (!may_be_written(b, at.index, v)) return gd_bind_fail_type(b, at, v);
    if (b->strict && is_number(v) && !takes_number(b->op, at.index)) return gd_bind_fail_type(b, at, v);
    gd_tensor *t = tensor_of(b, v, &wrong_type);
    if (!t) return wrong_type ? gd_bind_fail_type(b, at, v) : fail_inner(b, at);
    *out = GD_TENSOR_VALUE(t);
    return GD_OK;
}

static gd_code fail_entry(gd_binder *b, gd_bind_place at, const gd_value *v, uint32_t entry) {
    return gd_bind_fail(b, GD_E_ARGUMENT, at.index, "expected Tensor as element %u in argument %d, but got %s", entry,
                        at.position > 0 ? at.position - 1 : at.index, gd_python_type(v));
}

static gd_code bind_tensors(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    if (v->kind == GD_V_TENSORS) {
        *out = *v;
        return GD_OK;
    }
    if (v->kind != GD_V_LIST) return gd_bind_fail_type(b, at, v);
    size_t bytes;
    if (!gd_mul_size(v->n ? v->n : 1, sizeof(gd_tensor *), &bytes)) return gd_fail_memory(b->ctx);
    gd_tensor **entries = gd_scratch_alloc(b->ctx, b->scratch, bytes);
    if (!entries) return fail_inner(b, at);
    for (uint32_t i = 0; i < v->n; i++) {
        const gd_value *e = &v->u.list[i];
        bool wrong_type = false, none = e->kind == GD_V_NONE && b->op->params[at.index].entries_optional;
        bool bare = !b->resolver && (e->kind == GD_V_BOOL || e->kind == GD_V_INT || e->kind == GD_V_FLOAT);
        entries[i] = none || bare ? NULL : tensor_of(b, e, &wrong_type);
        if (entries[i] || none) continue;
        return bare || wrong_type ? fail_entry(b, at, e, i) : fail_inner(b, at);
    }
    *out = (gd_value){.kind = GD_V_TENSORS, .n = v->n, .u.tensors = entries};
    return GD_OK;
}

/* ---- numbers ---------------------------------------------------------------------------------------- */

/* A 0-dim tensor, or the name of one, as the number in it; only when no overload takes it as a tensor. PyTorch
 * refuses those that require a gradient: it would be lost. */
static bool number_of_tensor(gd_binder *b, const gd_value *v, gd_value *out) {
    gd_tensor *t = NULL;
    if (!b->lenient) return false;
    if (v->kind == GD_V_TENSOR) t = v->u.tensor;
    if (v->kind == GD_V_STR && b->resolver)
        t = gd_pool_add(b->ctx, b->resolver->tensor(b->ctx, b->resolver->user, v->u.str));
    if (!t || t->ndim != 0 || (t->flags & GD_F_REQUIRES_GRAD)) return false;
    gd_trace_read(b->ctx, t, "a number that an op wants, taken out");
    return gd_item(b->ctx, t, out) == GD_OK;
}

static gd_code bind_scalar(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    if (v->kind == GD_V_INT || v->kind == GD_V_FLOAT || v->kind == GD_V_BOOL) {
        *out = *v;
        return GD_OK;
    }
    double real;
    if (v->kind == GD_V_STR && number_text(v->u.str, &real)) {
        *out = GD_FLOAT_VALUE(real);
        return GD_OK;
    }
    return number_of_tensor(b, v, out) ? GD_OK : gd_bind_fail_type(b, at, v);
}

static gd_code bind_int(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    gd_value number = *v;
    if (v->kind == GD_V_TENSOR || v->kind == GD_V_STR) {
        if (!number_of_tensor(b, v, &number)) return gd_bind_fail_type(b, at, v);
    }
    if (number.kind != GD_V_INT) return gd_bind_fail_type(b, at, v);
    *out = number;
    return GD_OK;
}

static gd_code bind_float(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    gd_value number = GD_NONE_VALUE;
    gd_code code = bind_scalar(b, at, v, &number);
    if (code) return code;
    double real = number.kind == GD_V_FLOAT ? number.u.real
                  : number.kind == GD_V_INT ? (double)number.u.integer
                                            : (double)number.u.boolean;
    *out = GD_FLOAT_VALUE(real);
    return GD_OK;
}

/* ---- lists of numbers --------------------------------------------------------------------------------- */

/* Reads one entry of an int[]; 0-dim integer tensors count, as in PyTorch. */
static bool entry_int(gd_binder *b, const gd_value *v, int64_t *out) {
    gd_value number = *v;
    bool lenient = b->lenient, good = true;
    b->lenient = true; /* no overload takes a list of tensors where this takes ints */
    if (v->kind == GD_V_TENSOR || v->kind == GD_V_STR) good = number_of_tensor(b, v, &number);
    b->lenient = lenient;
    *out = number.u.integer;
    return good && number.kind == GD_V_INT;
}

static gd_code bind_int_entries(gd_binder *b, gd_bind_place at, const gd_value *v, uint32_t n, gd_value *out) {
    size_t bytes;
    if (!gd_mul_size(n ? n : 1, sizeof(int64_t), &bytes)) return gd_fail_memory(b->ctx);
    int64_t *ints = gd_scratch_alloc(b->ctx, b->scratch, bytes);
    if (!ints) return fail_inner(b, at);
    bool none = b->op->params[at.index].entries_optional; /* int?[]: None is INT64_MIN */
    for (uint32_t i = 0; i < n; i++)
        if (none && v[i].kind == GD_V_NONE)
            ints[i] = INT64_MIN;
        else if (!entry_int(b, &v[i], &ints[i]))
            return fail_element(b, at, &v[i], i);
    *out = GD_INTS_VALUE(ints, n);
    return GD_OK;
}

gd_code gd_bind_varargs(gd_binder *b, gd_bind_place at, const gd_value *v, int n, gd_value *out) {
    if (b->op->params[at.index].type == GD_T_TENSORS) { /* one by one */
        gd_value all = {.kind = GD_V_LIST, .n = (uint32_t)n, .u.list = v};
        return bind_tensors(b, at, &all, out);
    }
    if (v->kind == GD_V_NONE && b->op->params[at.index].optional && n == 1) {
        *out = GD_NONE_VALUE;
        return GD_OK;
    }
    int64_t first;
    if (!entry_int(b, v, &first)) return gd_bind_fail_type(b, at, v);
    return bind_int_entries(b, at, v, (uint32_t)n, out);
}

static gd_code bind_ints(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    const gd_param *p = &b->op->params[at.index];
    if (v->kind == GD_V_INTS) {
        *out = *v;
        return GD_OK;
    }
    if (v->kind == GD_V_LIST) return bind_int_entries(b, at, v->u.list, v->n, out);
    gd_value one = GD_NONE_VALUE;
    if (p->fixed == 0 || v->kind == GD_V_NONE) return gd_bind_fail_type(b, at, v);
    gd_code code = bind_int(b, at, v, &one);
    if (code) return code;
    int64_t *ints = gd_scratch_alloc(b->ctx, b->scratch, sizeof(int64_t) * (size_t)p->fixed);
    if (!ints) return fail_inner(b, at);
    for (int i = 0; i < p->fixed; i++) ints[i] = one.u.integer; /* a single number stands for each */
    *out = GD_INTS_VALUE(ints, p->fixed);
    return GD_OK;
}

static gd_code bind_floats(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    if (v->kind == GD_V_FLOATS) {
        *out = *v;
        return GD_OK;
    }
    if (v->kind != GD_V_LIST) return gd_bind_fail_type(b, at, v);
    size_t bytes;
    if (!gd_mul_size(v->n ? v->n : 1, sizeof(double), &bytes)) return gd_fail_memory(b->ctx);
    double *reals = gd_scratch_alloc(b->ctx, b->scratch, bytes);
    if (!reals) return fail_inner(b, at);
    for (uint32_t i = 0; i < v->n; i++) {
        const gd_value *e = &v->u.list[i];
        gd_value one = GD_NONE_VALUE;
        bool quiet = b->quiet;
        b->quiet = true;
        gd_code code = bind_float(b, at, e, &one);
        b->quiet = quiet;
        if (code) return fail_element(b, at, e, i);
        reals[i] = one.u.real;
    }
    *out = (gd_value){.kind = GD_V_FLOATS, .n = v->n, .u.floats = reals};
    return GD_OK;
}

/* ---- indices -------------------------------------------------------------------------------------------- */

static gd_code bind_index_tensor(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    gd_dtype whole = GD_INT64;
    gd_tensor *t;
    if (v->kind == GD_V_STR) {
        t = gd_pool_add(b->ctx, b->resolver->tensor(b->ctx, b->resolver->user, v->u.str));
    } else {
        t = gd_pool_add(b->ctx, gd_from_value(b->ctx, v, v->n == 0 ? &whole : NULL, false)); /* x[[]] takes nothing */
    }
    if (!t) return fail_inner(b, at);
    *out = GD_TENSOR_VALUE(t);
    return GD_OK;
}

static gd_code bind_slice(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    bool good = v->n == 3;
    for (uint32_t i = 0; good && i < 3; i++) good = v->u.list[i].kind == GD_V_NONE || v->u.list[i].kind == GD_V_INT;
    if (!good)
        return gd_bind_fail(b, GD_E_ARGUMENT, at.index,
                            "slice indices must be integers or None or have an __index__ method");
    *out = *v;
    return GD_OK;
}

static gd_code bind_one_index(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    switch (v->kind) {
    case GD_V_NONE:
    case GD_V_BOOL:
    case GD_V_INT:
    case GD_V_TENSOR:
    case GD_V_ELLIPSIS: *out = *v; return GD_OK;
    case GD_V_SLICE: return bind_slice(b, at, v, out);
    case GD_V_LIST: return bind_index_tensor(b, at, v, out);
    case GD_V_STR:
        if (strcmp(v->u.str, "...") == 0) {
            *out = (gd_value){.kind = GD_V_ELLIPSIS};
            return GD_OK;
        }
        if (b->resolver) return bind_index_tensor(b, at, v, out);
        break;
    default: break;
    }
    return gd_bind_fail(
        b, GD_E_INDEX, at.index,
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        "(got %s)",
        gd_python_type(v));
}

static gd_code bind_indices(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    bool list = v->kind == GD_V_LIST;
    uint32_t n = list ? v->n : 1;
    const gd_value *from = list ? v->u.list : v;
    size_t bytes;
    if (!gd_mul_size(n ? n : 1, sizeof(gd_value), &bytes)) return gd_fail_memory(b->ctx);
    gd_value *entries = gd_scratch_alloc(b->ctx, b->scratch, bytes);
    if (!entries) return fail_inner(b, at);
    for (uint32_t i = 0; i < n; i++) {
        gd_code code = bind_one_index(b, at, &from[i], &entries[i]);
        if (code) return code;
    }
    *out = (gd_value){.kind = GD_V_LIST, .n = n, .u.list = entries};
    return GD_OK;
}

/* ---- all types -------------------------------------------------------------------------------------------- */

static gd_code bind_same(gd_binder *b, gd_bind_place at, const gd_value *v, gd_kind kind, gd_value *out) {
    if (v->kind != kind) return gd_bind_fail_type(b, at, v);
    *out = *v;
    return GD_OK;
}

static gd_code bind_dtype(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    gd_dtype dtype;
    if (v->kind == GD_V_DTYPE) {
        gd_see_dtype(v->u.dtype);
        *out = *v;
        return GD_OK;
    }
    if (v->kind != GD_V_STR || b->strict || !gd_dtype_parse(v->u.str, &dtype)) return gd_bind_fail_type(b, at, v);
    gd_see_dtype(dtype);
    *out = GD_DTYPE_VALUE(dtype);
    return GD_OK;
}

gd_code gd_bind_value(gd_binder *b, gd_bind_place at, const gd_value *v, gd_value *out) {
    const gd_param *p = &b->op->params[at.index];
    if (v->kind == GD_V_NONE && p->optional) {
        *out = GD_NONE_VALUE;
        return GD_OK;
    }
    switch (p->type) {
    case GD_T_TENSOR: return bind_tensor(b, at, v, out);
    case GD_T_TENSORS: return bind_tensors(b, at, v, out);
    case GD_T_SCALAR: return bind_scalar(b, at, v, out);
    case GD_T_INT: return bind_int(b, at, v, out);
    case GD_T_FLOAT: return bind_float(b, at, v, out);
    case GD_T_BOOL: return bind_same(b, at, v, GD_V_BOOL, out);
    case GD_T_STR: return bind_same(b, at, v, GD_V_STR, out);
    case GD_T_INTS: return bind_ints(b, at, v, out);
    case GD_T_FLOATS: return bind_floats(b, at, v, out);
    case GD_T_DTYPE: return bind_dtype(b, at, v, out);
    case GD_T_INDEX: return bind_indices(b, at, v, out);
    }
    return gd_bind_fail_type(b, at, v);
}
