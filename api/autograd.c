/* autograd.c: POST …/backward and POST …/grad. */
#include "api/router.h"

#include <stdlib.h>

/* The tensors that a request works on. All entries are new references, or NULL. */
typedef struct call {
    gd_exchange *x;
    gd_reading reading;
    gd_tensor **outputs, **cotangents, **inputs, **grads;
    int noutputs, ncotangents, ninputs, ngrads;
    bool bare; /* outputs was one name, not an array */
    gd_backward_options options;
} call;

static void begin(call *c, gd_exchange *x) {
    c->x = x;
    c->outputs = c->cotangents = c->inputs = c->grads = NULL;
    c->noutputs = c->ncotangents = c->ninputs = c->ngrads = 0;
    c->options = (gd_backward_options){0};
    gd_reading_begin(&c->reading, x);
}

static void release_all(gd_tensor **list, int n) {
    for (int i = 0; i < n; i++) gd_release(list[i]);
}

static void end(call *c) {
    release_all(c->outputs, c->noutputs);
    release_all(c->cotangents, c->ncotangents);
    release_all(c->inputs, c->ninputs);
    release_all(c->grads, c->ngrads);
    gd_reading_end(&c->reading);
}

/* ---- names --------------------------------------------------------------------------------- */

static bool refuse_entry(gd_exchange *x, const char *key, int i, const char *what) {
    gd_refuse(x, "bad_argument", "%s should hold %s.", key, what);
    gd_fault_pointer(&x->fault, "/%s/%d", key, i);
    return false;
}

static gd_tensor *resolve(gd_exchange *x, const json_t *j, const char *key, int i) {
    if (!json_is_string(j) || gd_body_numbers(&x->body, j)) return refuse_entry(x, key, i, "names of tensors"), NULL;
    gd_tensor *t = gd_session_resolve(x->ctx, x->session, json_string_value(j));
    if (t) return t;
    gd_refuse_engine(x);
    gd_fault_pointer(&x->fault, "/%s/%d", key, i);
    return NULL;
}

/* A name or an array of names. */
static bool read_names(call *c, const char *key, gd_tensor ***list, int *n, bool *bare) {
    const json_t *j = json_object_get(c->x->body.root, key);
    *bare = json_is_string(j);
    if (!*bare && !json_is_array(j)) return gd_refuse_field(c->x, key, "a tensor's name or an array of names");
    int count = *bare ? 1 : (int)json_array_size(j);
    if (!(*list = gd_reading_alloc(&c->reading, (size_t)count, sizeof **list))) return false;
    for (*n = 0; *n < count; ++*n)
        if (!((*list)[*n] = resolve(c->x, *bare ? j : json_array_get(j, (size_t)*n), key, *n))) return false;
    return true;
}

static bool read_required(call *c, const char *key, gd_tensor ***list, int *n, bool *bare) {
    if (json_object_get(c->x->body.root, key)) return read_names(c, key, list, n, bare);
    gd_refuse(c->x, "missing_argument", "%s is missing: a tensor's name or an array of names.", key);
    gd_fault_pointer(&c->x->fault, "/%s", key);
    return false;
}

/* ---- cotangents ---------------------------------------------------------------------------- */

/* One cotangent of `output`: a name, null, or a constant of the output's dtype. */
static bool read_cotangent(call *c, const json_t *j, const char *key, int i, gd_tensor **out) {
    gd_exchange *x = c->x;
    gd_dtype dtype = i < c->noutputs ? gd_dtype_of(c->outputs[i]) : GD_FLOAT32;
    *out = NULL;
    if (json_is_null(j)) return true;
    if (json_is_string(j) && !gd_body_numbers(&x->body, j)) return (*out = resolve(x, j, key, i)) != NULL;
    if ((*out = gd_read_constant(x, j, &dtype))) return true;
    if (!x->fault.pointer[0]) gd_fault_pointer(&x->fault, "/%s/%d", key, i);
    return false;
}

static bool fits(const call *c, const gd_tensor *t) {
    int skip = c->options.is_grads_batched ? 1 : 0, n = gd_ndim(c->outputs[0]);
    return gd_ndim(t) == n + skip && !memcmp(gd_sizes(t) + skip, gd_sizes(c->outputs[0]), (size_t)n * sizeof(int64_t));
}

static bool plain_numbers(const gd_exchange *x, const json_t *j) {
    if (gd_body_numbers(&x->body, j)) return true;
    if (!json_is_array(j)) return false;
    for (size_t i = 0; i < json_array_size(j); i++) {
        const json_t *e = json_array_get(j, i);
        if (!json_is_number(e) && !plain_numbers(x, e)) return false;
    }
    return true;
}

/* With one bare name an array may be its cotangent itself: it is when its shape is right. True when taken. */
static bool take_bare(call *c, const json_t *j, const char *key) {
    gd_fault none = {.code = NULL};
    if (!c->bare || !plain_numbers(c->x, j)) return false;
    if (read_cotangent(c, j, key, 0, &c->cotangents[0]) && fits(c, c->cotangents[0])) return true;
    gd_release(c->cotangents[0]);
    c->x->fault = none; /* it is read again, as a list */
    return false;
}

static bool read_entries(call *c, const json_t *j, const char *key, int n) {
    for (c->ncotangents = 0; c->ncotangents < n; c->ncotangents++)
        if (!read_cotangent(c, json_array_get(j, (size_t)c->ncotangents), key, c->ncotangents,
                            &c->cotangents[c->ncotangents]))
            return false;
    return true;
}

/* The same for an array that is still text: its entries are made tensors one by one. */
static bool read_text_entries(call *c, const gd_numbers *numbers, int n) {
    gd_exchange *x = c->x;
    bool nested = numbers->ndim != 1 || numbers->ragged || numbers->count != n;
    gd_numbers *entries = nested ? gd_numbers_entries(numbers) : NULL;
    gd_value *flat = !nested ? gd_reading_alloc(&c->reading, (size_t)n, sizeof *flat) : NULL;
    bool ok = entries || (flat && gd_numbers_values(&x->body, numbers, flat, &x->fault));
    for (c->ncotangents = 0; ok && c->ncotangents < n; c->ncotangents++) {
        gd_dtype dtype = gd_dtype_of(c->outputs[c->ncotangents]);
        gd_tensor *t = entries ? gd_numbers_tensor(&x->body, &entries[c->ncotangents], x->ctx, &dtype, &x->fault)
                               : gd_from_value(x->ctx, &flat[c->ncotangents], &dtype, false);
        if (!t && !x->fault.code) gd_refuse_engine(x);
        if (!t) ok = false;
        c->cotangents[c->ncotangents] = t;
    }
    if (!ok && !x->fault.code) gd_refuse(x, "out_of_memory", "The server has no memory left for these gradients.");
    free(entries);
    return ok;
}

static bool read_cotangents(call *c, const char *key) {
    const json_t *j = json_object_get(c->x->body.root, key);
    if (!j || json_is_null(j)) return true;
    const gd_numbers *numbers = gd_body_numbers(&c->x->body, j);
    int64_t n = numbers ? numbers->sizes[0] : json_is_array(j) ? (int64_t)json_array_size(j) : 1;
    if (!(c->cotangents = gd_reading_alloc(&c->reading, (size_t)c->noutputs + 1, sizeof *c->cotangents))) return false;
    if (c->noutputs > 0 && take_bare(c, j, key)) {
        c->ncotangents = 1;
        return true;
    }
    if (n != c->noutputs && c->bare && plain_numbers(c->x, j)) { /* of the wrong shape: let the engine say so */
        if (!read_cotangent(c, j, key, 0, &c->cotangents[0])) return false;
        c->ncotangents = 1;
        return true;
    }
    if (n != c->noutputs)
        return gd_refuse(c->x, "runtime_error", "got %d tensors and %lld gradients", c->noutputs, (long long)n);
    if (numbers) return read_text_entries(c, numbers, (int)n);
    if (json_is_array(j)) return read_entries(c, j, key, (int)n);
    c->ncotangents = 1;
    if (read_cotangent(c, j, key, 0, &c->cotangents[0])) return true;
    c->ncotangents = 0;
    return false;
}

static bool read_options(call *c) {
    gd_exchange *x = c->x;
    const json_t *root = x->body.root, *retain = json_object_get(root, "retain_graph");
    bool given = retain && !json_is_null(retain);
    if (!gd_field_bool(x, root, "create_graph", &c->options.create_graph)) return false;
    c->options.retain_graph = c->options.create_graph;
    return !given || gd_field_bool(x, root, "retain_graph", &c->options.retain_graph);
}

/* ---- backward ------------------------------------------------------------------------------ */

/* Names of the tensors whose .grad was written. */
typedef struct written {
    gd_session *session;
    const char **names; /* owned; borrows the session's texts */
    size_t n, capacity;
    bool failed;
} written;

static void note(void *user, gd_tensor *t) {
    written *w = user;
    const char *name = gd_session_name_of(w->session, t);
    if (!name || w->failed) return;
    if (w->n == w->capacity) {
        size_t capacity = w->capacity ? 2 * w->capacity : 32;
        const char **names = realloc(w->names, capacity * sizeof *names);
        if (!names) {
            w->failed = true;
            return;
        }
        w->names = names;
        w->capacity = capacity;
    }
    w->names[w->n++] = name;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void put_written(gd_exchange *x, written *w) {
    if (w->n > 0) qsort(w->names, w->n, sizeof *w->names, by_text);
    GD_TEXT_LIT(&x->out, "{\"accumulated\":[");
    for (size_t i = 0; i < w->n; i++) {
        if (i > 0 && !strcmp(w->names[i], w->names[i - 1])) continue;
        if (i) GD_TEXT_LIT(&x->out, ",");
        gd_text_string(&x->out, w->names[i]);
    }
    GD_TEXT_LIT(&x->out, "]}");
}

static bool read_backward(call *c) {
    gd_exchange *x = c->x;
    bool ignored;
    if (!gd_fields(x, x->body.root, "tensors grad_tensors retain_graph create_graph inputs")) return false;
    if (!read_options(c) || !read_required(c, "tensors", &c->outputs, &c->noutputs, &c->bare)) return false;
    if (!read_cotangents(c, "grad_tensors")) return false;
    const json_t *inputs = json_object_get(x->body.root, "inputs");
    if (!inputs || json_is_null(inputs)) return true;
    if (!read_names(c, "inputs", &c->inputs, &c->ninputs, &ignored)) return false;
    return c->ninputs > 0 || gd_refuse(x, "runtime_error", "'inputs' argument to backward() cannot be empty.");
}

void gd_handle_backward(gd_exchange *x) {
    call c;
    written w = {.session = x->session};
    begin(&c, x);
    if (read_backward(&c)) {
        gd_hooks_mark(x->ctx);
        gd_code code = gd_backward(x->ctx, c.outputs, c.noutputs, c.ncotangents ? c.cotangents : NULL, c.inputs,
                                   c.ninputs, &c.options, note, &w);
        if (code == GD_OK)
            put_written(x, &w);
        else
            gd_refuse_engine(x), gd_hooks_rollback(x->ctx);
    }
    free(w.names);
    end(&c);
}

/* ---- grad ---------------------------------------------------------------------------------- */

static const char *out_name(const gd_exchange *x, int i) {
    const json_t *out = json_object_get(x->body.root, "out");
    return json_string_value(json_is_array(out) ? json_array_get(out, (size_t)i) : out);
}

/* Names for the gradients: checked before anything runs. */
static bool check_out(call *c) {
    gd_exchange *x = c->x;
    const json_t *out = json_object_get(x->body.root, "out");
    if (!out || json_is_null(out)) return true;
    if (!json_is_string(out) && !json_is_array(out)) return gd_refuse_field(x, "out", "a name or an array of names");
    int n = json_is_array(out) ? (int)json_array_size(out) : 1;
    if (n != c->ninputs) return gd_refuse(x, "bad_value", "out has %d names for %d gradients.", n, c->ninputs);
    for (int i = 0; i < n; i++) {
        if (json_is_array(out) && json_is_null(json_array_get(out, (size_t)i))) continue;
        if (!out_name(x, i)) return refuse_entry(x, "out", i, "names");
        if (!gd_check_tensor_name(x, out_name(x, i))) return false;
    }
    return true;
}

static bool read_grad(call *c) {
    gd_exchange *x = c->x;
    bool ignored;
    if (!gd_fields(x, x->body.root,
                   "outputs inputs grad_outputs retain_graph create_graph allow_unused is_grads_batched out"))
        return false;
    if (!read_options(c) || !gd_field_bool(x, x->body.root, "allow_unused", &c->options.allow_unused) ||
        !gd_field_bool(x, x->body.root, "is_grads_batched", &c->options.is_grads_batched))
        return false;
    if (!read_required(c, "outputs", &c->outputs, &c->noutputs, &c->bare)) return false;
    if (!read_required(c, "inputs", &c->inputs, &c->ninputs, &ignored)) return false;
    if (c->ninputs == 0) return gd_refuse(x, "bad_value", "grad requires non-empty inputs.");
    return read_cotangents(c, "grad_outputs") && check_out(c);
}

/* Writes and binds the gradients. */
static bool answer_grads(call *c, gd_data_mode mode) {
    gd_exchange *x = c->x;
    char(*fresh)[32] = gd_reading_alloc(&c->reading, (size_t)c->ngrads, sizeof *fresh);
    if (!fresh) return false;
    GD_TEXT_LIT(&x->out, "{\"grads\":[");
    for (int i = 0; i < c->ngrads; i++) {
        const char *name = out_name(x, i);
        if (i) GD_TEXT_LIT(&x->out, ",");
        if (!c->grads[i]) GD_TEXT_LIT(&x->out, "null");
        if (!c->grads[i]) continue;
        if (name)
            snprintf(fresh[i], 32, "%s", "");
        else
            gd_session_fresh_name(x->session, fresh[i]);
        if (!gd_put_document(&x->out, x->ctx, name ? name : fresh[i], c->grads[i], mode, &x->fault)) return false;
    }
    GD_TEXT_LIT(&x->out, "]}");
    for (int i = 0; i < c->ngrads; i++) {
        const char *name = out_name(x, i);
        if (c->grads[i] && !gd_bind_name(x, name ? name : fresh[i], gd_retain(c->grads[i]), NULL)) return false;
    }
    return true;
}

void gd_handle_grad(gd_exchange *x) {
    gd_data_mode mode;
    call c;
    if (!gd_query_data_mode(x, &mode)) return;
    begin(&c, x);
    if (read_grad(&c) && (c.grads = gd_reading_alloc(&c.reading, (size_t)c.ninputs, sizeof *c.grads))) {
        gd_hooks_mark(x->ctx);
        gd_code code = gd_autograd_grad(x->ctx, c.outputs, c.noutputs, c.ncotangents ? c.cotangents : NULL, c.inputs,
                                        c.ninputs, &c.options, c.grads);
        if (code == GD_OK) {
            c.ngrads = c.ninputs;
            answer_grads(&c, mode);
        } else
            gd_refuse_engine(x), gd_hooks_rollback(x->ctx);
    }
    end(&c);
}
