/* store.c: one version of a stored function: its text, inputs and captures, from PUT till nobody holds it any more. */
#include "core/function/inside.h"
#include "core/session/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---------------------------------------------------------------------------------- */

/* A copy of its own, so that the session's tensor may change. */
static gd_tensor *frozen(gd_ctx *ctx, const gd_tensor *t) {
    gd_tensor *copy = gd_empty_like(ctx, t, (gd_dtype)t->dtype);
    if (copy) gd_read_bytes(t, copy->data);
    return copy;
}

static bool is_identifier(const char *name) {
    const unsigned char *p = (const unsigned char *)name;
    if (!*p || (*p >= '0' && *p <= '9')) return false;
    for (; *p; p++)
        if (!((*p | 32) >= 'a' && (*p | 32) <= 'z') && !(*p >= '0' && *p <= '9') && *p != '_' && *p < 128) return false;
    return true;
}

static bool take_captures(gd_ctx *ctx, gd_function *f, const gd_function_text *text, gd_function_fault *fault) {
    f->captures = calloc((size_t)text->ncaptures + 1, sizeof *f->captures);
    if (!f->captures) return gd_fault_memory(fault);
    for (int i = 0; i < text->ncaptures; i++) {
        const gd_capture *given = &text->captures[i];
        if (!is_identifier(given->name))
            return gd_fault_input(fault, given->name, "a program cannot read a tensor that is called '%.128s'",
                                  given->name);
        gd_capture *c = &f->captures[f->ncaptures++];
        c->name = strdup(given->name);
        if (!c->name) return gd_fault_memory(fault);
        c->tensor = frozen(ctx, given->tensor);
        if (!c->tensor) return gd_fault_ctx(fault, ctx);
    }
    return true;
}

static gd_parameter *parameter_called(const gd_function *f, const char *name) {
    int i = gd_function_input_index(f, name);
    return i < 0 ? NULL : &f->inputs[i];
}

/* What the PUT fixes wins over the annotation. */
static bool fix_input(gd_function *f, const gd_function_input *given, gd_function_fault *fault) {
    gd_parameter *p = parameter_called(f, given->name);
    if (!p) return gd_fault_input(fault, given->name, "'%s' has no input '%.128s'", f->def, given->name);
    p->given.kind = given->kind;
    if (given->has_dtype) {
        p->given.has_dtype = true;
        p->given.dtype = given->dtype;
    }
    if (given->has_shape) {
        p->given.has_shape = true;
        p->given.ndim = given->ndim;
        memcpy(p->given.sizes, given->sizes, sizeof p->given.sizes);
    }
    return true;
}

static bool all_fixed(const gd_function *f) {
    for (int i = 0; i < f->ninputs; i++) {
        const gd_function_input *in = &f->inputs[i].given;
        if (in->kind == GD_INPUT_TENSOR && !(in->has_dtype && in->has_shape) && !in->has_default) return false;
    }
    return true;
}

static bool check_sizes(const gd_function *f, gd_ctx *ctx, gd_function_fault *fault) {
    int64_t numel;
    for (int i = 0; i < f->ninputs; i++) {
        const gd_function_input *in = &f->inputs[i].given;
        if (in->ndim < 0 || in->ndim > GD_FIXED_DIMS)
            return gd_fault_input(fault, in->name, "input '%s' has more than %d dimensions", in->name, GD_FIXED_DIMS);
        if (in->has_shape && gd_checked_numel(ctx, in->has_dtype ? in->dtype : GD_FLOAT64, in->ndim, in->sizes, &numel))
            return gd_fault_input(fault, in->name, "input '%s': %s", in->name, ctx->error.message);
    }
    return true;
}

static bool fill(gd_ctx *ctx, gd_function *f, const char *name, const gd_function_text *text,
                 gd_function_fault *fault) {
    f->name = strdup(name);
    f->source = malloc(text->bytes + 1);
    if (!f->name || !f->source) return gd_fault_memory(fault);
    memcpy(f->source, text->source, text->bytes);
    f->source[text->bytes] = 0;
    f->bytes = text->bytes;
    f->hash = gd_hash_bytes(name, strlen(name));
    if (!gd_define(f, fault)) return false;
    for (int i = 0; i < text->ninputs; i++)
        if (!fix_input(f, &text->inputs[i], fault)) return false;
    f->fixed = all_fixed(f);
    return check_sizes(f, ctx, fault) && take_captures(ctx, f, text, fault);
}

gd_function *gd_function_new(gd_functions *r, const char *name, const gd_function_text *text,
                             gd_function_fault *fault) {
    gd_ctx *ctx = gd_functions_ctx(r);
    gd_function *f = ctx ? calloc(1, sizeof *f) : NULL;
    if (!f) {
        gd_fault_memory(fault);
        return NULL;
    }
    f->refs = 1;
    f->registry = r;
    if (fill(ctx, f, name, text, fault)) return f;
    gd_function_release(f);
    return NULL;
}

/* ---- counting -------------------------------------------------------------------------------- */

void gd_function_release(gd_function *f) {
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1) return;
    for (int i = 0; i < f->ninputs; i++) free((void *)(uintptr_t)f->inputs[i].given.name);
    for (int i = 0; i < f->ncaptures; i++) {
        free((void *)(uintptr_t)f->captures[i].name);
        gd_release(f->captures[i].tensor);
    }
    gd_answer_layout_release(atomic_load(&f->layout));
    free(atomic_load(&f->dynamic));
    free(f->inputs);
    free(f->captures);
    free(f->name);
    free(f->source);
    free(f->doc);
    free(f->def);
    free(f);
}

void gd_function_set_dynamic(gd_function *f, const char *why) {
    char *none = NULL, *text = strdup(why);
    if (text && !atomic_compare_exchange_strong(&f->dynamic, &none, text)) free(text);
}

void gd_function_set_layout(gd_function *f, gd_answer_layout *l) {
    gd_answer_layout *none = NULL;
    gd_answer_layout_retain(l);
    if (!atomic_compare_exchange_strong(&f->layout, &none, l)) gd_answer_layout_release(l);
}

/* ---- reading --------------------------------------------------------------------------------- */

const char *gd_function_name(const gd_function *f) { return f->name; }
const char *gd_function_source(const gd_function *f) { return f->source; }
const char *gd_function_doc(const gd_function *f) { return f->doc; }
const char *gd_function_etag(const gd_function *f) { return f->etag; }
uint64_t gd_function_version(const gd_function *f) { return f->version; }
int gd_function_ninputs(const gd_function *f) { return f->ninputs; }
const gd_function_input *gd_function_input_at(const gd_function *f, int i) { return &f->inputs[i].given; }

int gd_function_input_index(const gd_function *f, const char *name) {
    for (int i = 0; i < f->ninputs; i++)
        if (!strcmp(f->inputs[i].given.name, name)) return i;
    return -1;
}

int gd_function_ncaptures(const gd_function *f) { return f->ncaptures; }
const char *gd_function_capture_name(const gd_function *f, int i) { return f->captures[i].name; }
bool gd_function_is_fixed(const gd_function *f) { return f->fixed; }
const char *gd_function_dynamic(const gd_function *f) { return atomic_load(&f->dynamic); }

int gd_function_noutputs(const gd_function *f) {
    const gd_answer_layout *l = atomic_load(&f->layout);
    return l ? l->n : -1;
}

bool gd_function_is_named(const gd_function *f) {
    const gd_answer_layout *l = atomic_load(&f->layout);
    return l && l->named;
}

gd_function_output gd_function_output_at(const gd_function *f, int i) {
    const gd_answer_layout *l = atomic_load(&f->layout);
    const gd_place_of *p = &l->places[i];
    return (gd_function_output){.name = l->names[i], .dtype = p->dtype, .ndim = p->ndim, .sizes = p->sizes};
}
