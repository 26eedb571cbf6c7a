/* torch_ops.c: calling ops of the table. The first call of a site is bound by signature, as PyTorch binds it; what that
 * found is remembered with the kinds of the arguments, so that later calls go straight to the row.
 */
#include "core/program/torch_ops.h"

#include <string.h>

/* ---- the short way ------------------------------------------------------------------------------- */

/* How an argument of a remembered kind becomes what the row wants: two bits and more an argument in `state`. */
enum {
    PASS, /* as it is */
    WRAP, /* a number where the row has a Tensor */
    REAL, /* a number where the row has a float */
    FILL, /* one int where the row has int[N] */
    REST, /* this int and all that follow are one int[] */
    BITS = 3,
    MOST = 10 /* arguments that a site remembers */
};

/* The kinds of positional arguments as a number; 0: not to be remembered. */
static inline uint64_t kinds_of(const gd_args *args) {
    uint64_t kinds = 1;
    if (args->nkw || args->npos > MOST) return 0;
    for (uint32_t i = 0; i < args->npos; i++) {
        uint8_t tag = args->v[i].tag;
        if (tag < GD_A_NONE || tag > GD_A_TENSOR || (tag > GD_A_DTYPE && tag < GD_A_TENSOR)) return 0;
        kinds = kinds << 4 | tag;
    }
    return kinds;
}

static inline gd_value plain_value(gd_any v) {
    switch ((gd_tag)v.tag) {
    case GD_A_TENSOR: return GD_TENSOR_VALUE(v.u.tensor);
    case GD_A_INT: return GD_INT_VALUE(v.u.i);
    case GD_A_FLOAT: return GD_FLOAT_VALUE(v.u.f);
    case GD_A_BOOL: return GD_BOOL_VALUE(v.u.i != 0);
    case GD_A_DTYPE: return GD_DTYPE_VALUE((gd_dtype)v.u.i);
    default: return GD_NONE_VALUE;
    }
}

gd_tensor *gd_wrapped_number(gd_ctx *ctx, gd_any v) {
    gd_tensor *t = v.tag == GD_A_FLOAT ? gd_scalar_f64(ctx, v.u.f, GD_FLOAT64)
                                       : gd_scalar_i64(ctx, v.u.i, v.tag == GD_A_BOOL ? GD_BOOL : GD_INT64);
    if (t) t->flags |= GD_F_WRAPPED_NUMBER;
    return t;
}

static double real_of(gd_any v) { return v.tag == GD_A_FLOAT ? v.u.f : (double)v.u.i; }

typedef struct short_call {
    gd_value values[GD_MAX_ARGS];
    gd_tensor *made[MOST]; /* wrapped numbers */
    int64_t ints[2 * MOST];
    int n, nmade, nints;
} short_call;

static bool convert(gd_vm *vm, short_call *c, const gd_op_cache *cache, const gd_args *args) {
    uint32_t state = cache->state;
    c->n = (int)args->npos;
    c->nmade = c->nints = 0;
    for (int i = 0; i < c->n; i++, state >>= BITS) {
        gd_any v = args->v[i];
        int64_t *ints = c->ints + c->nints;
        switch (state & 7) {
        case PASS: c->values[i] = plain_value(v); break;
        case WRAP:
            if (!(c->made[c->nmade] = gd_wrapped_number(vm->ctx, v))) return false;
            c->values[i] = GD_TENSOR_VALUE(c->made[c->nmade++]);
            break;
        case REAL: c->values[i] = GD_FLOAT_VALUE(real_of(v)); break;
        case FILL: /* the rows have int[1] */
            ints[0] = v.u.i;
            c->nints++;
            c->values[i] = GD_INTS_VALUE(ints, 1);
            break;
        default:
            for (int k = i; k < c->n; k++) ints[k - i] = args->v[k].u.i;
            c->values[i] = GD_INTS_VALUE(ints, c->n - i);
            c->n = i + 1;
        }
    }
    return true;
}

static gd_any apply_short(gd_vm *vm, int row, bool inplace, const short_call *c) {
    gd_tensor *t;
    if (inplace) {
        t = gd_do_inplace(vm->ctx, (gd_op_id)row, c->values, c->n) ? NULL : gd_retain(c->values[0].u.tensor);
    } else if (gd_row_gives_tensor(row)) {
        t = gd_do(vm->ctx, (gd_op_id)row, c->values, c->n);
    } else {
        gd_result result;
        if (gd_do_all(vm->ctx, (gd_op_id)row, c->values, c->n, &result)) return gd_raise_engine(vm);
        return gd_from_result(vm, row, &result);
    }
    if (!t) return gd_raise_engine(vm);
    t->flags &= (uint16_t)~GD_F_WRAPPED_NUMBER;
    return GD_ANY_TENSOR(t);
}

static gd_any invoke_short(gd_vm *vm, const gd_op_cache *cache, const gd_args *args) {
    short_call c;
    gd_any result;
    if (convert(vm, &c, cache, args))
        result = apply_short(vm, cache->row, cache->op->rows.inplace, &c);
    else
        result = gd_raise_engine(vm);
    while (c.nmade > 0) gd_release(c.made[--c.nmade]);
    return result;
}

/* ---- remembering --------------------------------------------------------------------------------- */

/* Could parameter p have been bound to v by v's kind alone? Then *how says how. */
static bool bound_by_kind(const gd_param *p, gd_any v, uint32_t *how) {
    bool number = gd_is_number(v);
    *how = PASS;
    if (gd_is_none(v)) return p->optional;
    switch (p->type) {
    case GD_T_TENSOR: *how = number ? WRAP : PASS; return number || v.tag == GD_A_TENSOR;
    case GD_T_SCALAR: return number;
    case GD_T_FLOAT: *how = REAL; return number;
    case GD_T_INT: return v.tag == GD_A_INT;
    case GD_T_BOOL: return v.tag == GD_A_BOOL;
    case GD_T_DTYPE: return v.tag == GD_A_DTYPE;
    case GD_T_INTS: *how = FILL; return v.tag == GD_A_INT && p->fixed == 1;
    default: return false;
    }
}

/* Was view(2, 3) meant: all from argument i on are ints for one int[]? */
static bool is_rest(const gd_op *op, const gd_args *args, uint32_t i) {
    const gd_param *p = &op->params[i];
    if (p->type != GD_T_INTS || p->fixed != 0) return false;
    for (uint32_t k = i; k < args->npos; k++)
        if (args->v[k].tag != GD_A_INT) return false;
    return true;
}

static void remember(gd_op_cache *cache, const gd_opfn *op, const gd_op *row, const gd_args *args, uint64_t kinds) {
    uint32_t state = 0, how;
    for (uint32_t i = 0; i < args->npos; i++) {
        if (i >= (uint32_t)row->nparams || row->params[i].keyword_only) return;
        bool rest = is_rest(row, args, i);
        if (rest)
            how = REST;
        else if (!bound_by_kind(&row->params[i], args->v[i], &how))
            return;
        state |= how << (BITS * i);
        if (rest) break;
    }
    *cache = (gd_op_cache){.op = op, .kinds = kinds, .row = row->id, .state = state};
}

/* ---- the long way --------------------------------------------------------------------------------- */

typedef struct long_call {
    gd_room room;
    gd_value *args;
    gd_kwarg *kwargs;
    gd_any out; /* the value of out=, or NIL */
    int nargs, nkwargs;
} long_call;

/* Factories say where and how their result is kept. */
static bool is_factory(const gd_opfn *op) {
    const gd_op *row = &gd_ops[op->rows.first];
    for (int i = 0; i < row->nparams; i++)
        if (row->params[i].keyword_only && !strcmp(row->params[i].name, "requires_grad")) return true;
    return false;
}

/* There is one device and one layout: keywords that name these are left out. 1: one of them; 0; -1: refused. */
static int is_place(gd_vm *vm, const gd_opfn *op, const gd_str *name, gd_any v) {
    bool device = gd_str_is(name, "device");
    if (!device && !gd_str_is(name, "layout") && !gd_str_is(name, "pin_memory")) return 0;
    if (!is_factory(op)) return 0;
    if (gd_is_none(v) || gd_is(v, &gd_class_layout) || (v.tag == GD_A_BOOL && !v.u.i && !device)) return 1;
    int is = device ? gd_as_device(vm, v) : 0;
    if (is) return is;
    gd_raise(vm, &gd_class_TypeError, "%s(): argument '%s' must be %s, not %s", op->name, name->text,
             device                      ? "torch.device"
             : gd_str_is(name, "layout") ? "torch.layout"
                                         : "False",
             gd_class_label(v));
    return -1;
}

static bool convert_keywords(long_call *c, const gd_opfn *op, const gd_args *args) {
    for (uint32_t i = 0; i < args->nkw; i++) {
        gd_any v = args->v[args->npos + i];
        int place = is_place(c->room.vm, op, args->names[i], v);
        if (place < 0) return false;
        if (place) continue;
        if (gd_str_is(args->names[i], "out")) {
            c->out = v;
            continue;
        }
        gd_kwarg *k = &c->kwargs[c->nkwargs++];
        k->name = args->names[i]->text;
        if (!gd_to_value(&c->room, v, &k->value)) return false;
    }
    return true;
}

static bool convert_all(long_call *c, const gd_opfn *op, const gd_args *args) {
    c->args = gd_room_alloc(&c->room, args->npos, sizeof *c->args);
    c->kwargs = c->args ? gd_room_alloc(&c->room, args->nkw, sizeof *c->kwargs) : NULL;
    if (!c->kwargs) return false;
    for (c->nargs = 0; c->nargs < (int)args->npos; c->nargs++)
        if (!gd_to_value(&c->room, args->v[c->nargs], &c->args[c->nargs])) return false;
    return convert_keywords(c, op, args);
}

/* The engine has one kind of list: where a tuple was refused, the text must say so. */
static void say_tuple(gd_vm *vm, const gd_args *args) {
    static const char wrong[] = ", not list";
    gd_error *e = &vm->ctx->error;
    size_t n = strlen(e->message), m = sizeof wrong - 1;
    if (e->code != GD_E_ARGUMENT || e->argument < 0 || e->argument >= (int)args->npos || n < m) return;
    if (!gd_is_tuple(args->v[e->argument]) || strcmp(e->message + n - m, wrong) != 0) return;
    if (n + 2 <= sizeof e->message) memcpy(e->message + n - 4, "tuple", 6);
}

/* PyTorch's words for x.sin(1). */
static bool takes_nothing(gd_vm *vm, const gd_opfn *op, const gd_args *args) {
    bool alone = op->rows.method && op->rows.count == 1 && gd_ops[op->rows.first].nparams == 1;
    if (!alone || args->npos < 2 || args->nkw) return false;
    gd_raise(vm, &gd_class_TypeError, "_TensorBase.%s() takes no arguments (%u given)", op->name, args->npos - 1);
    return true;
}

/* ---- out= ------------------------------------------------------------------------------------------ */

static bool any_requires_grad(const long_call *c, const gd_tensor *out) {
    bool any = gd_requires_grad(out);
    for (int i = 0; i < c->nargs; i++) any |= c->args[i].kind == GD_V_TENSOR && gd_requires_grad(c->args[i].u.tensor);
    return any;
}

/* Writes t into out, which takes t's shape if it has another. */
static gd_code write_out(gd_ctx *ctx, gd_tensor *out, gd_tensor *t) {
    gd_dtype from = gd_dtype_of(t), to = gd_dtype_of(out);
    if (!gd_can_cast(from, to))
        return gd_fail(ctx, GD_E_DTYPE, "result type %s can't be cast to the desired output type %s",
                       gd_dtype_scalar_name(from), gd_dtype_scalar_name(to));
    if (gd_same_shape(out, t))
        return gd_do_inplace(ctx, GD_OP_copy_, (const gd_value[]){GD_TENSOR_VALUE(out), GD_TENSOR_VALUE(t)}, 2);
    gd_tensor *cast = gd_do(ctx, GD_OP_to_dtype, (const gd_value[]){GD_TENSOR_VALUE(t), GD_DTYPE_VALUE(to)}, 2);
    if (!cast) return ctx->error.code;
    gd_code code = gd_set_data(ctx, out, cast);
    gd_release(cast);
    return code;
}

static gd_any invoke_out(gd_vm *vm, const gd_opfn *op, const long_call *c) {
    gd_ctx *ctx = vm->ctx;
    gd_result result;
    if (c->out.tag != GD_A_TENSOR)
        return gd_raise(vm, &gd_class_TypeError, "%s(): argument 'out' must be Tensor, not %s", op->name,
                        gd_class_of(c->out)->name);
    gd_tensor *out = c->out.u.tensor;
    if (ctx->mode == GD_MODE_GRAD && any_requires_grad(c, out))
        return gd_raise(
            vm, &gd_class_RuntimeError,
            "%s(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad.",
            op->name);
    gd_code code = gd_call_rows(ctx, &op->rows, c->args, c->nargs, c->kwargs, c->nkwargs, NULL, &result);
    if (!code && (result.n != 1 || result.is_list)) {
        gd_result_clear(&result);
        return gd_raise(vm, &gd_class_TypeError, "%s() got an unexpected keyword argument 'out'", op->name);
    }
    if (!code) {
        code = write_out(ctx, out, result.outputs[0]);
        gd_result_clear(&result);
    }
    return code ? gd_raise_engine(vm) : GD_ANY_TENSOR(gd_retain(out));
}

static gd_any invoke_long(gd_vm *vm, const gd_opfn *op, const gd_args *args, gd_op_cache *cache, uint64_t kinds) {
    long_call c;
    gd_result result;
    gd_any v = GD_NIL;
    c.room.vm = vm;
    c.room.blocks = NULL;
    c.room.used = 0;
    c.out = GD_NIL;
    c.nkwargs = 0;
    if (!convert_all(&c, op, args)) {
        gd_room_clear(&c.room);
        return GD_NIL;
    }
    if (!gd_is_nil(c.out) && !gd_is_none(c.out)) {
        v = invoke_out(vm, op, &c);
    } else if (gd_call_rows(vm->ctx, &op->rows, c.args, c.nargs, c.kwargs, c.nkwargs, NULL, &result)) {
        say_tuple(vm, args);
        if (!takes_nothing(vm, op, args)) gd_raise_engine(vm);
    } else {
        const gd_op *row = vm->ctx->last_op;
        if (cache && kinds) remember(cache, op, row, args, kinds);
        v = gd_from_result(vm, row->id, &result);
    }
    gd_room_clear(&c.room);
    return v;
}

/* ---- many results ----------------------------------------------------------------------------------- */

bool gd_room_for_tensors(gd_vm *vm, int64_t n) {
    size_t bytes;
    if (n < 1024) return true;
    if (!gd_work(vm, (uint64_t)n)) return false;
    /* Tensors over shared memory are charged to nobody: what they will take must fit the program's memory now. */
    void *p = gd_mul_size((size_t)n, sizeof(gd_tensor), &bytes) ? gd_heap_alloc(gd_vm_heap(vm), bytes) : NULL;
    if (!p) return gd_vm_no_memory(vm), false;
    gd_heap_free(gd_vm_heap(vm), p, bytes);
    return true;
}

/* A bound on the tensors that a call answers: x.split(100) gives a hundredth of the largest dimension. */
static int64_t most_results(const gd_opfn *op, const gd_args *args) {
    int64_t largest = 1, count = 0;
    if (args->npos == 0 || args->v[0].tag != GD_A_TENSOR) return 0;
    const gd_tensor *t = args->v[0].u.tensor;
    for (int d = 0; d < t->ndim; d++)
        if (t->sizes[d] > largest) largest = t->sizes[d];
    if (args->npos > 1 && args->v[1].tag == GD_A_INT) count = args->v[1].u.i;
    if (op->rows.first == GD_OP_split && count > 0) return (largest - 1) / count + 1;
    return op->rows.first == GD_OP_chunk && count > 0 && count < largest ? count : largest;
}

gd_any gd_op_invoke(gd_vm *vm, const gd_opfn *op, const gd_args *args, gd_op_cache *cache) {
    if (op->views && !gd_room_for_tensors(vm, most_results(op, args))) return GD_NIL;
    uint64_t kinds = cache ? kinds_of(args) : 0;
    if (kinds && cache->op == op && cache->kinds == kinds) return invoke_short(vm, cache, args);
    return invoke_long(vm, op, args, cache, kinds);
}

/* ---- ops as values ---------------------------------------------------------------------------------- */

static gd_any op_repr(gd_vm *vm, gd_any self) {
    const gd_opfn *op = self.u.op;
    if (op->rows.method) return gd_str_printf(vm, "<method '%s' of 'torch._C._TensorBase' objects>", op->name);
    return gd_str_printf(vm, "<built-in method %s of type object at %p>", op->name, (const void *)&gd_ops[0]);
}

static gd_any op_getattr(gd_vm *vm, gd_any self, gd_str *name) {
    if (gd_str_is(name, "__name__")) return gd_str_c(vm, self.u.op->name);
    if (gd_str_is(name, "__doc__")) return gd_str_c(vm, gd_ops[self.u.op->rows.first].doc);
    return GD_NIL;
}

static gd_any op_call(gd_vm *vm, gd_any self, const gd_args *args) { return gd_op_invoke(vm, self.u.op, args, NULL); }

const gd_class gd_class_op = {
    .name = "builtin_function_or_method",
    .repr = op_repr,
    .getattr = op_getattr,
    .call = op_call,
};
