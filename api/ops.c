/* ops.c: POST …/ops, and /v1/ops. */
#include "api/router.h"
#include "core/ops/dispatch.h"

#include <stdlib.h>

enum { ARGS_MAX = 64 };

/* ---- one op -------------------------------------------------------------------------------- */

/* One request object on its way through the engine. */
typedef struct application {
    gd_exchange *x;
    gd_reading reading;
    const char *op;
    gd_lookup rows;   /* the overloads */
    const gd_op *row; /* the first of them; NULL: unknown */
    gd_value *args;
    gd_kwarg *kwargs;
    int nargs, nkwargs;
    const json_t *out;
    gd_grad_mode mode;
    gd_result result;
} application;

/* Does some overload want a list of tensors or indexes where this argument stands? Then numbers are a list too. */
static bool wants_entries(const application *a, int position, const char *key) {
    for (const gd_op *o = a->row; o && o < a->row + a->rows.count; o++)
        for (int i = 0; i < o->nparams; i++) {
            bool here = key ? !strcmp(o->params[i].name, key) : i == position;
            if (here && (o->params[i].type == GD_T_TENSORS || o->params[i].type == GD_T_INDEX)) return true;
        }
    return false;
}

static bool read_args(application *a, const json_t *args) {
    gd_exchange *x = a->x;
    if (!args) return true;
    if (!json_is_array(args)) return gd_refuse_field(x, "args", "an array");
    if (json_array_size(args) > ARGS_MAX) return gd_refuse_field(x, "args", "no longer than 64");
    a->nargs = (int)json_array_size(args);
    if (!(a->args = gd_reading_alloc(&a->reading, (size_t)a->nargs, sizeof *a->args))) return false;
    for (int i = 0; i < a->nargs; i++) {
        const json_t *j = json_array_get(args, (size_t)i);
        if (gd_read_value(&a->reading, j, wants_entries(a, i, NULL), &a->args[i])) continue;
        if (!x->fault.pointer[0]) gd_fault_pointer(&x->fault, "/args/%d", i);
        return false;
    }
    return true;
}

static bool read_kwargs(application *a, const json_t *kwargs) {
    const char *key;
    json_t *value;
    if (!kwargs || json_is_null(kwargs)) return true;
    if (!json_is_object(kwargs)) return gd_refuse_field(a->x, "kwargs", "an object");
    if (json_object_size(kwargs) > ARGS_MAX) return gd_refuse_field(a->x, "kwargs", "no larger than 64");
    if (!(a->kwargs = gd_reading_alloc(&a->reading, json_object_size(kwargs), sizeof *a->kwargs))) return false;
    json_object_foreach ((json_t *)(uintptr_t)kwargs, key, value) {
        gd_kwarg *k = &a->kwargs[a->nkwargs++];
        k->name = key;
        if (gd_read_value(&a->reading, value, wants_entries(a, -1, key), &k->value)) continue;
        if (!a->x->fault.pointer[0]) gd_fault_pointer(&a->x->fault, "/kwargs/%s", key);
        return false;
    }
    return true;
}

static bool is_inplace(const application *a) {
    size_t n = strlen(a->op);
    if (a->row && (a->row->flags & GD_INPLACE_ONLY)) return true;
    return n > 1 && a->op[n - 1] == '_' && a->op[n - 2] != '_';
}

/* Does every overload answer one tensor? */
static bool has_one_output(const application *a) {
    for (const gd_op *o = a->row; o && o < a->row + a->rows.count; o++) {
        const char *returns = strstr(o->signature, "-> ");
        if (!returns || strcmp(returns, "-> Tensor")) return false;
    }
    return a->row != NULL;
}

/* Names that cannot be bound are refused before anything runs; so is a number of them that cannot be right. */
static bool check_out(application *a) {
    gd_exchange *x = a->x;
    if (!a->out) return true;
    if (json_is_string(a->out)) return gd_check_tensor_name(x, json_string_value(a->out));
    if (!json_is_array(a->out)) return gd_refuse_field(x, "out", "a name or an array of names");
    size_t n = json_array_size(a->out);
    for (size_t i = 0; i < n; i++) {
        const json_t *name = json_array_get(a->out, i);
        if (!json_is_string(name)) return gd_refuse_field(x, "out", "a name or an array of names");
        if (!gd_check_tensor_name(x, json_string_value(name))) return false;
    }
    bool one = is_inplace(a) || has_one_output(a);
    return !one || n == 1 || gd_refuse(x, "bad_value", "out has %zu names, but %s has one output.", n, a->op);
}

static bool read_op(application *a, const json_t *op) {
    gd_exchange *x = a->x;
    if (op && !json_is_string(op)) return gd_refuse_field(x, "op", "a string");
    a->op = json_string_value(op);
    if (a->op) {
        a->row = gd_names_find(a->op, &a->rows) ? &gd_ops[a->rows.first] : NULL;
        return true;
    }
    gd_refuse(x, "missing_argument", "op is missing: the name of an op, such as add.");
    gd_fault_pointer(&x->fault, "/op");
    return false;
}

static bool read_application(application *a, const json_t *request) {
    gd_exchange *x = a->x;
    enum { OP, ARGS, KWARGS, OUT, MODE, FIELDS };
    const json_t *field[FIELDS] = {NULL};
    a->mode = gd_ctx_grad_mode(x->ctx);
    if (!json_is_object(request))
        return gd_refuse(x, "bad_argument", "An op should be an object with the fields op, args, kwargs, out.");
    if (!gd_fields_pick(x, request, "op args kwargs out grad_mode", field) || !read_op(a, field[OP])) return false;
    a->out = field[OUT] && !json_is_null(field[OUT]) ? field[OUT] : NULL;
    if (field[MODE] && !gd_field_mode(x, request, "grad_mode", &a->mode)) return false;
    return check_out(a) && read_args(a, field[ARGS]) && read_kwargs(a, field[KWARGS]);
}

static bool run(application *a) {
    gd_exchange *x = a->x;
    gd_resolver resolver = {.tensor = gd_session_resolve, .user = x->session};
    gd_grad_mode mode = gd_ctx_grad_mode(x->ctx);
    if (a->mode != mode) gd_ctx_set_grad_mode(x->ctx, a->mode);
    gd_code code =
        !a->row ? gd_call(x->ctx, a->op, NULL, 0, NULL, 0, NULL, &a->result) /* says that it is unknown */
                : gd_call_rows(x->ctx, &a->rows, a->args, a->nargs, a->kwargs, a->nkwargs, &resolver, &a->result);
    if (a->mode != mode) gd_ctx_set_grad_mode(x->ctx, mode);
    if (code == GD_OK) return true;
    gd_refuse_engine(x);
    int argument = gd_ctx_error(x->ctx)->argument;
    if (code == GD_E_UNKNOWN_OP)
        gd_fault_pointer(&x->fault, "/op");
    else if (argument >= 0 && argument < a->nargs)
        gd_fault_pointer(&x->fault, "/args/%d", argument);
    return false;
}

/* ---- its answer ---------------------------------------------------------------------------- */

typedef struct naming {
    const char *name;
    char fresh[32];
    bool bind;
    gd_tensor *was; /* what the name meant before; owned while binding */
} naming;

/* Under which name output i is answered, and whether that is still to be bound. */
static void name_output(application *a, uint32_t i, naming *n) {
    n->bind = true;
    if (a->out) {
        n->name = json_string_value(json_is_array(a->out) ? json_array_get(a->out, i) : a->out);
    } else if (is_inplace(a) && a->nargs > 0 && a->args[0].kind == GD_V_STR) {
        n->name = a->args[0].u.str;
        n->bind = false;
    } else {
        gd_session_fresh_name(a->x->session, n->fresh);
        n->name = n->fresh;
    }
}

/* Gives a name back what it meant. A name that is known takes no memory to rebind. */
static void unbind(gd_session *s, naming *n) {
    bool rebound;
    if (!n->was || gd_session_bind(s, n->name, gd_retain(n->was), &rebound) != GD_OK) gd_session_forget(s, n->name);
}

/* Binds all outputs, or none. */
static bool bind_outputs(application *a, naming *names) {
    gd_session *s = a->x->session;
    uint32_t done = 0;
    bool ok = true;
    for (; ok && done < a->result.n; done++) {
        naming *n = &names[done];
        n->was = NULL;
        if (!n->bind) continue;
        ok = gd_session_swap(s, n->name, gd_retain(a->result.outputs[done]), &n->was) == GD_OK;
    }
    if (!ok) gd_refuse_engine(a->x);
    for (uint32_t i = done; i-- > 0;) {
        if (!ok && names[i].bind) unbind(s, &names[i]);
        gd_release(names[i].was);
    }
    return ok;
}

static bool answer_outputs(application *a, naming *names, gd_data_mode mode) {
    gd_text *t = &a->x->out;
    GD_TEXT_LIT(t, "{\"outputs\":[");
    for (uint32_t i = 0; i < a->result.n; i++) {
        name_output(a, i, &names[i]);
        if (i) GD_TEXT_LIT(t, ",");
        if (!gd_put_document(t, a->x->ctx, names[i].name, a->result.outputs[i], mode, &a->x->fault)) return false;
    }
    GD_TEXT_LIT(t, "]}");
    return bind_outputs(a, names);
}

static bool answer_result(application *a, gd_data_mode mode) {
    naming one, *names = &one;
    const gd_result *r = &a->result;
    size_t wanted = !a->out ? r->n : json_is_array(a->out) ? json_array_size(a->out) : 1;
    if (r->has_value || r->n == 0) {
        GD_TEXT_LIT(&a->x->out, "{\"value\":");
        gd_put_value(&a->x->out, &r->value);
        GD_TEXT_LIT(&a->x->out, "}");
        return true;
    }
    if (wanted != r->n)
        return gd_refuse(a->x, "bad_value", "out has %zu names, but %s has %u outputs.", wanted, a->op, r->n);
    if (r->n > 1 && !(names = gd_reading_alloc(&a->reading, r->n, sizeof *names))) return false;
    return answer_outputs(a, names, mode);
}

static bool apply(gd_exchange *x, const json_t *request, gd_data_mode mode) {
    application a;
    a.x = x;
    a.op = NULL;
    a.args = NULL;
    a.kwargs = NULL;
    a.nargs = a.nkwargs = 0;
    memset(&a.result, 0, sizeof a.result);
    gd_reading_begin(&a.reading, x);
    bool ok = read_application(&a, request) && run(&a) && answer_result(&a, mode);
    gd_result_clear(&a.result);
    gd_reading_end(&a.reading);
    return ok;
}

static void apply_all(gd_exchange *x, gd_data_mode mode) {
    size_t n = json_array_size(x->body.root);
    GD_TEXT_LIT(&x->out, "[");
    for (size_t i = 0; i < n; i++) {
        if (i) GD_TEXT_LIT(&x->out, ",");
        if (apply(x, json_array_get(x->body.root, i), mode)) continue;
        gd_fault_pointer(&x->fault, "/%zu", i);
        return;
    }
    GD_TEXT_LIT(&x->out, "]");
}

void gd_handle_apply_ops(gd_exchange *x) {
    gd_data_mode mode;
    if (!gd_query_data_mode(x, &mode)) return;
    if (gd_body_numbers(&x->body, x->body.root))
        gd_refuse(x, "bad_argument", "The body should be an op or an array of ops.");
    else if (json_is_array(x->body.root))
        apply_all(x, mode);
    else
        apply(x, x->body.root, mode);
}

/* ---- the table ----------------------------------------------------------------------------- */

static void put_op(gd_text *t, const gd_op *op) {
    GD_TEXT_LIT(t, "{\"name\":");
    gd_text_string(t, gd_op_name(op));
    GD_TEXT_LIT(t, ",\"signature\":");
    gd_text_string(t, gd_op_signature(op));
    GD_TEXT_LIT(t, ",\"doc\":");
    gd_text_string(t, gd_op_doc(op));
    GD_TEXT_LIT(t, ",\"differentiable\":");
    gd_text_bool(t, gd_op_differentiable(op));
    if (gd_op_has_inplace(op)) {
        GD_TEXT_LIT(t, ",\"inplace\":");
        gd_text_f(t, "\"%s_\"", gd_op_name(op));
    }
}

/* The other signatures of the same name. */
static void put_overloads(gd_text *t, size_t first) {
    const gd_op *op = gd_op_at(first), *next = gd_op_at(first + 1);
    if (!next || strcmp(gd_op_name(next), gd_op_name(op))) return;
    GD_TEXT_LIT(t, ",\"overloads\":[");
    for (size_t i = first; (next = gd_op_at(i)) && !strcmp(gd_op_name(next), gd_op_name(op)); i++) {
        if (i > first) GD_TEXT_LIT(t, ",");
        gd_text_string(t, gd_op_signature(next));
    }
    GD_TEXT_LIT(t, "]");
}

static size_t index_of(const gd_op *op) {
    size_t i = 0;
    while (gd_op_at(i) && gd_op_at(i) != op) i++;
    return i;
}

static bool listed(const gd_op *op) { return !(op->flags & GD_HIDDEN) && gd_op_name(op)[0]; }

void gd_handle_get_op(gd_exchange *x) {
    const gd_op *op = gd_op_find(x->params[0]);
    if (!op || !listed(op)) {
        gd_refuse(x, "unknown_op", "There is no op %s; GET /v1/ops lists them.", x->params[0]);
        x->status = 404;
        return;
    }
    put_op(&x->out, op);
    put_overloads(&x->out, index_of(op));
    GD_TEXT_LIT(&x->out, "}");
}

static int by_name(const void *a, const void *b) {
    return strcmp(gd_op_name(gd_op_at(*(const size_t *)a)), gd_op_name(gd_op_at(*(const size_t *)b)));
}

/* The first overload of every listed op, in name order, into `rows` of GD_OP_COUNT. */
static size_t sorted_rows(size_t *rows) {
    size_t n = 0;
    const gd_op *op, *before = NULL;
    for (size_t i = 0; (op = gd_op_at(i)); before = op, i++)
        if (listed(op) && !(before && !strcmp(gd_op_name(before), gd_op_name(op)))) rows[n++] = i;
    qsort(rows, n, sizeof *rows, by_name);
    return n;
}

/* What ops can be applied to, and what they cannot be yet. */
static void put_dtypes(gd_text *out) {
    GD_TEXT_LIT(out, "{\"dtypes\":[");
    for (int d = 0; d < GD_DTYPE_COUNT; d++) {
        if (d) GD_TEXT_LIT(out, ",");
        gd_text_name(out, gd_dtype_name((gd_dtype)d));
    }
    GD_TEXT_LIT(out, "],\"note\":\"Dtypes as PyTorch's CPU has them; complex64 and complex128 are unknown.\",");
}

void gd_handle_list_ops(gd_exchange *x) {
    size_t rows[GD_OP_COUNT], limit, written = 0, i = 0;
    char after[GD_PARAM_BYTES];
    const char *last = NULL;
    if (!gd_query_page(x, &limit, after)) return;
    size_t n = sorted_rows(rows);
    while (i < n && *after && strcmp(gd_op_name(gd_op_at(rows[i])), after) <= 0) i++;
    put_dtypes(&x->out);
    GD_TEXT_LIT(&x->out, "\"ops\":[");
    for (; i < n && written < limit; i++, written++) {
        if (written) GD_TEXT_LIT(&x->out, ",");
        last = gd_op_name(gd_op_at(rows[i]));
        put_op(&x->out, gd_op_at(rows[i]));
        put_overloads(&x->out, rows[i]);
        GD_TEXT_LIT(&x->out, "}");
    }
    gd_put_next(x, i < n ? last : NULL);
}
