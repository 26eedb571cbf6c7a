/* record.c: recording an application of an op as a node. */
#include "core/autograd/node.h"
#include "core/kernels/kernels.h"

#include <string.h>

/* ---- where things are in a node -------------------------------------------------------------- */

gd_node_plan gd_node_plans[GD_OP_COUNT];

static bool saves_tensor(const gd_op *op, const gd_save *save) {
    if (save->kind == GD_SAVE_OUTPUT) return true;
    if (save->kind != GD_SAVE_ARG) return false;
    gd_type type = op->params[save->index].type;
    return type == GD_T_TENSOR || type == GD_T_TENSORS;
}

static void plan_saves(const gd_op *op, gd_node_plan *p) {
    for (int i = 0; i < op->nsaves; i++) {
        const gd_save *save = &op->saves[i];
        if (save->kind == GD_SAVE_STRIDES) p->strided |= 1u << save->index;
        p->slot_of[i] = saves_tensor(op, save) ? (int8_t)p->nslots++ : -1;
        if (p->slot_of[i] < 0) continue;
        if (save->kind == GD_SAVE_ARG)
            p->save_of[save->index] = (int8_t)i;
        else if (save->index < GD_INLINE_OUTPUTS)
            p->save_of_output[save->index] = (int8_t)i;
    }
}

static void make_plan(const gd_op *op, gd_node_plan *p) {
    memset(p->edge_of, -1, sizeof p->edge_of);
    memset(p->value_of, -1, sizeof p->value_of);
    memset(p->save_of, -1, sizeof p->save_of);
    memset(p->save_of_output, -1, sizeof p->save_of_output);
    for (int i = 0; i < op->ndiff; i++) p->edge_of[op->diff[i]] = (int8_t)i;
    for (int i = 0; i < op->nparams; i++) {
        p->lists = p->lists || op->params[i].type == GD_T_TENSORS;
        if (op->params[i].type != GD_T_TENSOR) p->value_of[i] = (int8_t)p->nvalues++;
    }
    plan_saves(op, p);
}

void gd_autograd_init(void) {
    for (int i = 0; i < GD_OP_COUNT; i++) make_plan(&gd_ops[i], &gd_node_plans[i]);
}

static int entries_of(const gd_node *node, int arg) {
    return node->u.op->params[arg].type == GD_T_TENSORS ? (int)gd_value_of(node, arg)->n : 1;
}

int gd_edge_index_lists(const gd_node *node, int arg, int *n) {
    const gd_op *op = node->u.op;
    int at = 0;
    for (int i = 0; i < gd_node_plan_of(node)->edge_of[arg]; i++) at += entries_of(node, op->diff[i]);
    *n = entries_of(node, arg);
    return at;
}

int gd_slot_index_lists(const gd_node *node, int save) {
    const gd_op *op = node->u.op;
    int at = 0;
    for (int i = 0; i < save; i++)
        if (gd_node_plan_of(node)->slot_of[i] >= 0)
            at += op->saves[i].kind == GD_SAVE_ARG ? entries_of(node, op->saves[i].index) : 1;
    return at;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static const gd_value none = {.kind = GD_V_NONE};

static const gd_value *arg_of(const gd_apply *a, int i) { return i < a->nargs ? &a->args[i] : &none; }

/* The tensors of a Tensor or Tensor[] argument. */
static uint32_t tensors_of(const gd_apply *a, int i, gd_tensor *const **tensors) {
    const gd_value *v = arg_of(a, i);
    static gd_tensor *const absent = NULL;
    *tensors = &absent;
    if (v->kind == GD_V_TENSORS) {
        *tensors = v->u.tensors;
        return v->n;
    }
    if (v->kind == GD_V_TENSOR) *tensors = (gd_tensor *const *)&v->u.tensor;
    return a->op->params[i].type == GD_T_TENSORS ? 0 : 1;
}

static size_t words_of_bytes(size_t bytes) { return (bytes + sizeof(int64_t) - 1) / sizeof(int64_t); }

#define VALUE_WORDS (sizeof(gd_value) / sizeof(int64_t))

/* Words that a copy of v points to. Lists are kept one level deep, slices inside them whole. */
static size_t value_words(const gd_value *v) {
    switch (v->kind) {
    case GD_V_INTS:
    case GD_V_FLOATS: return v->n;
    case GD_V_STR: return words_of_bytes(strlen(v->u.str) + 1);
    case GD_V_LIST: {
        size_t words = v->n * VALUE_WORDS;
        for (uint32_t i = 0; i < v->n; i++)
            if (v->u.list[i].kind == GD_V_SLICE) words += 3 * VALUE_WORDS;
        return words;
    }
    default: return 0;
    }
}

static bool same_sizes(const gd_tensor *a, const gd_tensor *b) { return a && b && gd_same_shape(a, b); }

/* Does the row show the strides of this argument? */
static bool wants_strides(const gd_op *op, int arg) { return gd_node_plans[op->id].strided >> arg & 1; }

static size_t shape_words(const gd_tensor *t, const gd_tensor *last, bool strided) {
    if (!t || !t->ndim) return 0;
    if (strided) return 2 * (size_t)t->ndim;
    return same_sizes(t, last) ? 0 : t->ndim;
}

static void measure(const gd_apply *a, gd_tensor *const *outs, int nouts, bool inplace, gd_layout *layout) {
    const gd_op *op = a->op;
    *layout = (gd_layout){.outs = (uint32_t)nouts};
    gd_tensor *const *tensors;
    const gd_tensor *last = NULL;
    for (int i = 0; i < nouts; i++) {
        layout->words += shape_words(outs[i], last, false);
        last = outs[i];
    }
    if (inplace) { /* its own sizes, with room for one more: the op may change self's shape */
        layout->words++;
        last = NULL;
    }
    for (int i = 0; i < op->ndiff; i++) {
        bool strided = wants_strides(op, op->diff[i]);
        uint32_t n = tensors_of(a, op->diff[i], &tensors);
        layout->edges += n;
        for (uint32_t k = 0; k < n; k++) {
            layout->words += shape_words(tensors[k], last, strided);
            last = strided ? NULL : tensors[k];
        }
    }
    const gd_node_plan *p = &gd_node_plans[op->id];
    layout->slots = p->nslots;
    layout->values = p->nvalues;
    for (int i = 0; p->lists && i < op->nsaves; i++)
        if (p->slot_of[i] >= 0 && op->saves[i].kind == GD_SAVE_ARG)
            layout->slots += tensors_of(a, op->saves[i].index, &tensors) - 1;
    for (int i = 0; p->nvalues && i < op->nparams; i++)
        if (p->value_of[i] >= 0) layout->words += value_words(arg_of(a, i));
}

/* ---- filling --------------------------------------------------------------------------------- */

typedef struct filler {
    const gd_apply *a;
    gd_node *node;
    size_t words; /* used */
    const gd_tensor *last;
    uint32_t last_at;
} filler;

static void fill_shape(filler *f, gd_shape *shape, const gd_tensor *t, bool strided) {
    if (!t) {
        *shape = (gd_shape){.dtype = GD_FLOAT32};
        f->last = NULL;
        return;
    }
    *shape = (gd_shape){.at = (uint32_t)f->words, .dtype = t->dtype, .ndim = t->ndim, .strided = strided};
    if (!t->ndim) {
        f->last = NULL;
        return;
    }
    if (!strided && same_sizes(t, f->last)) {
        shape->at = f->last_at;
    } else {
        size_t n = (strided ? 2 : 1) * (size_t)t->ndim;
        memcpy(gd_words(f->node) + f->words, t->sizes, n * sizeof(int64_t));
        f->words += n;
    }
    f->last = strided ? NULL : t;
    f->last_at = shape->at;
}

static gd_code fill_edges(filler *f, gd_tensor *const *outs, bool inplace) {
    gd_node *node = f->node;
    gd_shape *shape = gd_shapes(node);
    gd_edge *edge = gd_edges(node);
    gd_tensor *const *tensors;
    for (uint32_t i = 0; i < node->nouts; i++) fill_shape(f, shape++, outs[i], false);
    if (inplace) {
        f->words++;
        f->last = NULL;
    }
    for (int i = 0; i < f->a->op->ndiff; i++) {
        int arg = f->a->op->diff[i];
        bool strided = wants_strides(f->a->op, arg);
        uint32_t n = tensors_of(f->a, arg, &tensors);
        for (uint32_t k = 0; k < n; k++) {
            fill_shape(f, shape++, tensors[k], strided);
            gd_code code = gd_edge_of(f->a->ctx, tensors[k], edge++);
            if (code != GD_OK) return code;
        }
    }
    return GD_OK;
}

/* What a list keeps of an entry: tensors and deeper lists are not kept. */
static gd_value shallow(gd_value v) {
    return v.kind == GD_V_TENSOR || v.kind == GD_V_TENSORS || v.kind == GD_V_LIST || v.kind == GD_V_STR ? none : v;
}

static void copy_list(filler *f, gd_value *to, const gd_value *from) {
    gd_value *list = (gd_value *)(gd_words(f->node) + f->words);
    f->words += from->n * VALUE_WORDS;
    to->u.list = list;
    for (uint32_t i = 0; i < from->n; i++) {
        list[i] = shallow(from->u.list[i]);
        if (list[i].kind != GD_V_SLICE) continue;
        gd_value *slice = (gd_value *)(gd_words(f->node) + f->words);
        f->words += 3 * VALUE_WORDS;
        for (int k = 0; k < 3; k++) slice[k] = shallow(from->u.list[i].u.list[k]);
        list[i].u.list = slice;
    }
}

static void copy_value(filler *f, gd_value *to, const gd_value *from) {
    *to = *from;
    int64_t *words = gd_words(f->node) + f->words;
    size_t n = value_words(from);
    switch (from->kind) {
    case GD_V_INTS:
    case GD_V_FLOATS:
        if (n) memcpy(words, from->u.ints, n * sizeof *words);
        to->u.ints = words;
        f->words += n;
        break;
    case GD_V_STR:
        memcpy(words, from->u.str, strlen(from->u.str) + 1);
        to->u.str = (const char *)words;
        f->words += n;
        break;
    case GD_V_LIST: copy_list(f, to, from); break;
    case GD_V_TENSORS: to->u.tensors = NULL; break; /* its length only */
    case GD_V_TENSOR: *to = none; break;
    default: break;
    }
}

static void fill_values(filler *f) {
    const gd_op *op = f->a->op;
    gd_value *value = gd_values(f->node);
    for (int i = 0; f->node->nvalues && i < op->nparams; i++)
        if (op->params[i].type != GD_T_TENSOR) copy_value(f, value++, arg_of(f->a, i));
}

/* Is one of the gradients that need this saved field wanted at all? */
static bool save_wanted(const gd_node *node, const gd_save *save) {
    if (!save->only_if) return true;
    for (uint32_t left = save->only_if; left; left &= left - 1) {
        int arg = __builtin_ctz(left);
        int n, at = gd_edge_index(node, arg, &n);
        for (int k = 0; at >= 0 && k < n; k++)
            if (gd_edges(node)[at + k].node) return true;
    }
    return false;
}

static gd_code save_argument(filler *f, gd_slot *slots, int arg) {
    const gd_value *v = arg_of(f->a, arg);
    if (v->kind == GD_V_TENSOR && v->u.tensor && !gd_node_plan_of(f->node)->lists) {
        int at = gd_node_plan_of(f->node)->edge_of[arg];
        return gd_slot_save(f->a->ctx, slots, v->u.tensor, at < 0 ? NULL : &gd_edges(f->node)[at], at >= 0);
    }
    gd_tensor *const *tensors;
    uint32_t n = tensors_of(f->a, arg, &tensors);
    int count, at = gd_edge_index(f->node, arg, &count);
    for (uint32_t k = 0; k < n; k++) {
        if (!tensors[k]) continue;
        const gd_edge *edge = at < 0 ? NULL : &gd_edges(f->node)[(uint32_t)at + k];
        gd_code code = gd_slot_save(f->a->ctx, &slots[k], tensors[k], edge, at >= 0);
        if (code != GD_OK) return code;
    }
    return GD_OK;
}

/* Outside the graph; by an op where there is a trace to see it. */
static gd_tensor *copy_self(gd_ctx *ctx, gd_tensor *self) {
    gd_tensor *copy;
    if (ctx->trace) {
        gd_grad_mode mode = ctx->mode;
        ctx->mode = GD_MODE_NO_GRAD;
        copy = gd_do(ctx, GD_OP__contiguous_copy, &GD_TENSOR_VALUE(self), 1);
        ctx->mode = mode;
        return copy;
    }
    copy = gd_empty_like(ctx, self, (gd_dtype)self->dtype);
    if (copy) gd_copy_values(copy, self);
    return copy;
}

/* The old value of self: the op is about to overwrite it. */
static gd_code save_self(filler *f, gd_slot *slot) {
    gd_ctx *ctx = f->a->ctx;
    gd_tensor *copy = copy_self(ctx, f->a->args[0].u.tensor);
    if (!copy) return ctx->error.code;
    int n;
    gd_code code = gd_slot_save(ctx, slot, copy, NULL, gd_edge_index(f->node, 0, &n) >= 0);
    gd_release(copy);
    return code;
}

static gd_code fill_slots(filler *f, gd_tensor *const *outs, bool inplace) {
    const gd_op *op = f->a->op;
    gd_node *node = f->node;
    for (int i = 0; i < op->nsaves; i++) {
        const gd_save *save = &op->saves[i];
        int at = gd_slot_index(node, i);
        if (at < 0 || !save_wanted(node, save)) continue;
        gd_slot *slot = &gd_slots(node)[at];
        gd_code code;
        if (save->kind == GD_SAVE_OUTPUT)
            code = (uint32_t)save->index < node->nouts && outs[save->index]
                       ? gd_slot_save(f->a->ctx, slot, outs[save->index], NULL, true)
                       : GD_OK;
        else if (inplace && save->index == 0)
            code = save_self(f, slot);
        else
            code = save_argument(f, slot, save->index);
        if (code != GD_OK) return code;
        node->has_saved = node->has_saved || slot->kind != GD_S_EMPTY || op->params[save->index].type == GD_T_TENSORS;
    }
    return GD_OK;
}

gd_node *gd_node_build(const gd_apply *a, gd_tensor *const *outs, int nouts, bool inplace) {
    gd_layout layout;
    measure(a, outs, nouts, inplace, &layout);
    gd_node *node = gd_node_new(a->ctx, GD_N_RULE, &layout);
    if (!node) return NULL;
    node->u.op = a->op;
    filler f = {.a = a, .node = node};
    fill_values(&f);
    if (fill_edges(&f, outs, inplace) == GD_OK && fill_slots(&f, outs, inplace) == GD_OK) {
        node->id = ++a->ctx->sequence;
        return node;
    }
    gd_node_release(node);
    return NULL;
}

/* ---- the dispatcher's side ------------------------------------------------------------------- */

bool gd_should_record(const gd_ctx *ctx, const gd_op *op, const gd_value *args, int nargs) {
    if (ctx->mode != GD_MODE_GRAD || !op->backward) return false;
    for (int i = 0; i < op->ndiff; i++) {
        if (op->diff[i] >= nargs) continue;
        const gd_value *v = &args[op->diff[i]];
        if (v->kind == GD_V_TENSOR && v->u.tensor && gd_requires_grad(v->u.tensor)) return true;
        for (uint32_t k = 0; v->kind == GD_V_TENSORS && k < v->n; k++)
            if (v->u.tensors[k] && gd_requires_grad(v->u.tensors[k])) return true;
    }
    return false;
}

/* Forward answered an argument itself (a cast to the same dtype): nothing happened that could be recorded. */
static bool is_argument(const gd_apply *a, const gd_tensor *out) {
    for (int i = 0; i < a->nargs; i++)
        if (a->args[i].kind == GD_V_TENSOR && a->args[i].u.tensor == out) return true;
    return false;
}

gd_code gd_record(gd_apply *a) {
    bool any = false;
    for (int i = 0; i < a->nout; i++) {
        if (!a->out[i]) continue;
        if (is_argument(a, a->out[i])) return GD_OK;
        any = any || gd_dtype_is_float((gd_dtype)a->out[i]->dtype);
    }
    if (!any) return GD_OK;
    gd_node *node = gd_node_build(a, a->out, a->nout, false);
    if (!node) return a->ctx->error.code;
    for (int i = 0; i < a->nout; i++) {
        gd_tensor *out = a->out[i];
        if (!out || !gd_dtype_is_float((gd_dtype)out->dtype)) continue;
        out->grad_fn = gd_node_retain(node);
        out->output_nr = (uint32_t)i;
        out->flags |= GD_F_REQUIRES_GRAD;
    }
    gd_node_release(node);
    return GD_OK;
}
