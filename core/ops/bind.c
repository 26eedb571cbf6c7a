/* bind.c: walks a row's parameters and finds the argument for each, by position, keyword or default, with
 * PyTorch's complaints. The conversions to each type are in bind_types.c. */
#include "core/ops/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

gd_code gd_bind_fail(gd_binder *b, gd_code code, int index, const char *format, ...) {
    b->mismatch = true;
    b->progress = 2 * index;
    if (b->quiet) return code;
    char text[GD_MESSAGE_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    gd_fail(b->ctx, code, "%s", text);
    b->ctx->error.argument = index;
    return code;
}

const char *gd_bind_op_name(const gd_op *op) {
    const char *dot = strrchr(op->name, '.');
    return dot ? dot + 1 : op->name;
}

const char *gd_bind_param_name(const gd_op *op, int index) {
    const gd_param *p = &op->params[index];
    return p->type == GD_T_TENSOR && strcmp(p->name, "self") == 0 ? "input" : p->name;
}

/* Methods do not count self among their positions. */
static bool is_method(const gd_binder *b) {
    return b->inplace || b->method || (b->op->flags & (GD_METHOD_ONLY | GD_INPLACE_ONLY)) != 0;
}

/* ---- what the signature asks for ------------------------------------------------------------ */

static int positional_params(const gd_op *op) {
    int n = 0;
    while (n < op->nparams && !op->params[n].keyword_only) n++;
    return n;
}

static int required_params(const gd_op *op) {
    int n = 0;
    for (int i = 0; i < op->nparams; i++) n += !op->params[i].has_default;
    return n;
}

/* view(2, 3): several ints stand for an int[] that is the only positional parameter besides self; several tensors for
 * the Tensor[] of a row with GD_VARARGS. */
static int varargs_index(const gd_op *op) {
    int n = positional_params(op);
    if (op->flags & GD_VARARGS) return n - 1;
    int first = n > 0 && op->params[0].type == GD_T_TENSOR ? 1 : 0;
    if (n != first + 1) return -1;
    const gd_param *p = &op->params[first];
    return p->type == GD_T_INTS && p->fixed == 0 ? first : -1;
}

bool gd_bind_plausible(const gd_binder *b) {
    int given = b->nargs + b->nkwargs;
    if (given < required_params(b->op)) return false;
    return (given <= b->op->nparams && b->nargs <= positional_params(b->op)) || varargs_index(b->op) >= 0;
}

/* ---- keywords -------------------------------------------------------------------------------- */

/* PyTorch also takes NumPy's names for some parameters. */
static const struct {
    const char *param, *keyword;
} numpy_names[] = {{"self", "input"}, {"dim", "axis"}, {"keepdim", "keepdims"}, {"self", "x"},
                   {"self", "a"},     {"self", "x1"},  {"other", "x2"}};

static bool keyword_names(const char *keyword, const char *param) {
    if (strcmp(keyword, param) == 0) return true;
    for (size_t i = 0; i < sizeof numpy_names / sizeof *numpy_names; i++)
        if (strcmp(param, numpy_names[i].param) == 0 && strcmp(keyword, numpy_names[i].keyword) == 0) return true;
    return false;
}

static const gd_kwarg *keyword_for(const gd_binder *b, int index) {
    for (int i = 0; i < b->nkwargs; i++)
        if (strcmp(b->kwargs[i].name, b->op->params[index].name) == 0) return &b->kwargs[i];
    for (int i = 0; i < b->nkwargs; i++)
        if (keyword_names(b->kwargs[i].name, b->op->params[index].name)) return &b->kwargs[i];
    return NULL;
}

/* Where PyTorch's factories may place a tensor; there is one place here, so only naming it is understood. */
static bool is_placement(const gd_binder *b, const gd_kwarg *k) {
    const gd_value *v = &k->value;
    if (!(b->op->flags & GD_FACTORY)) return false;
    if (strcmp(k->name, "device") == 0)
        return v->kind == GD_V_NONE || (v->kind == GD_V_STR && strcmp(v->u.str, "cpu") == 0);
    if (strcmp(k->name, "pin_memory") == 0) return v->kind == GD_V_NONE || (v->kind == GD_V_BOOL && !v->u.boolean);
    if (strcmp(k->name, "layout") != 0) return false;
    return v->kind == GD_V_NONE || (v->kind == GD_V_STR && strcmp(v->u.str, "torch.strided") == 0);
}

static int count_placements(const gd_binder *b) {
    int n = 0;
    for (int i = 0; i < b->nkwargs; i++) n += is_placement(b, &b->kwargs[i]);
    return n;
}

static gd_code fail_keyword(gd_binder *b) {
    for (int i = 0; i < b->nkwargs; i++) {
        bool known = is_placement(b, &b->kwargs[i]);
        for (int k = 0; k < b->op->nparams && !known; k++)
            known = keyword_names(b->kwargs[i].name, b->op->params[k].name);
        if (known) continue;
        return gd_bind_fail(b, GD_E_ARGUMENT, -1, "%s%s() got an unexpected keyword argument '%s'",
                            gd_bind_op_name(b->op), gd_bind_suffix(b), b->kwargs[i].name);
    }
    return gd_bind_fail(b, GD_E_ARGUMENT, -1, "%s%s() got a keyword argument twice", gd_bind_op_name(b->op),
                        gd_bind_suffix(b));
}

/* ---- complaints about numbers of arguments ---------------------------------------------------- */

static gd_code fail_missing(gd_binder *b, int index) {
    char names[GD_MAX_ARGS * 30];
    size_t used = 0;
    int n = 0;
    for (int i = index; i < b->op->nparams; i++) { /* PyTorch counts those after it, too, given or not */
        if (b->op->params[i].has_default) continue;
        int wrote =
            snprintf(names + used, sizeof names - used, "%s\"%s\"", n ? ", " : "", gd_bind_param_name(b->op, i));
        if (wrote < 0 || (size_t)wrote >= sizeof names - used) break;
        used += (size_t)wrote;
        n++;
    }
    /* The plural is PyTorch's. */
    return gd_bind_fail(b, GD_E_MISSING, index, "%s%s() missing %d required positional argument%s: %s",
                        gd_bind_op_name(b->op), gd_bind_suffix(b), n, n == 1 ? "s" : "", names);
}

static gd_code fail_extra(gd_binder *b, int max) {
    int self = is_method(b) ? 1 : 0, least = required_params(b->op) - self, most = max - self, given = b->nargs - self;
    if (least != most)
        return gd_bind_fail(b, GD_E_ARGUMENT, max, "%s%s() takes from %d to %d positional arguments but %d were given",
                            gd_bind_op_name(b->op), gd_bind_suffix(b), least, most, given);
    return gd_bind_fail(b, GD_E_ARGUMENT, max, "%s%s() takes %d positional argument%s but %d were given",
                        gd_bind_op_name(b->op), gd_bind_suffix(b), most, most == 1 ? "" : "s", given);
}

/* ---- the walk ---------------------------------------------------------------------------------- */

static gd_code bind_positional(gd_binder *b, int i, int varargs) {
    gd_bind_place place = {.index = i, .position = i + 1 - (is_method(b) ? 1 : 0)};
    if (place.position == 0) place.position = 1; /* self, which no Python caller can get wrong */
    gd_kind kind = b->args[i].kind;
    if (i == varargs && kind != GD_V_LIST && kind != GD_V_INTS && kind != GD_V_TENSORS)
        return gd_bind_varargs(b, place, b->args + i, b->nargs - i, &b->bound[i]);
    return gd_bind_value(b, place, &b->args[i], &b->bound[i]);
}

/* One parameter; *taken counts the keywords used. */
static gd_code bind_param(gd_binder *b, int i, int varargs, int *taken) {
    const gd_kwarg *keyword = b->nkwargs ? keyword_for(b, i) : NULL;
    if (i < b->nargs && !b->op->params[i].keyword_only) {
        if (keyword)
            return gd_bind_fail(b, GD_E_ARGUMENT, i, "%s%s() got multiple values for argument '%s'",
                                gd_bind_op_name(b->op), gd_bind_suffix(b), gd_bind_param_name(b->op, i));
        return bind_positional(b, i, varargs);
    }
    if (keyword) {
        ++*taken;
        return gd_bind_value(b, (gd_bind_place){.index = i}, &keyword->value, &b->bound[i]);
    }
    if (!b->op->params[i].has_default) return fail_missing(b, i);
    b->bound[i] = b->op->params[i].value;
    return GD_OK;
}

gd_code gd_bind_row(gd_binder *b) {
    int taken = 0, max = positional_params(b->op), varargs = varargs_index(b->op);
    b->mismatch = false;
    b->progress = 0;
    if (b->nargs > max && (varargs < 0 || b->args[varargs].kind == GD_V_LIST)) return fail_extra(b, max);
    for (int i = 0; i < b->op->nparams; i++) {
        gd_code code = bind_param(b, i, varargs, &taken);
        if (code) return code;
    }
    if (taken < b->nkwargs && taken + count_placements(b) < b->nkwargs) return fail_keyword(b);
    return GD_OK;
}

gd_code gd_bind(gd_ctx *ctx, const gd_op *op, const gd_value *args, int nargs, const gd_kwarg *kwargs, int nkwargs,
                const gd_resolver *resolver, gd_scratch *scratch, gd_value *bound, bool *mismatch) {
    gd_binder b = {.ctx = ctx,
                   .op = op,
                   .args = args,
                   .nargs = nargs,
                   .kwargs = kwargs,
                   .nkwargs = nkwargs,
                   .resolver = resolver,
                   .scratch = scratch,
                   .bound = bound,
                   .lenient = true};
    gd_code code = gd_bind_row(&b);
    *mismatch = b.mismatch;
    return code;
}
