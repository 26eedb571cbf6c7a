/* snapshot.c: /v1/sessions/{s}/snapshot: a session's tensors as a safetensors file, and back.
 *
 * In the file each named tensor stands under its name and its gradient under `NAME.grad`, which no tensor may be
 * called. The metadata tell what a file of values cannot: `requires_grad` (names of leaves, with spaces between),
 * `same`
 * ("b=a": a further name of the same tensor, which is in the file once) and `grad_mode`. What has no place there comes
 * back as its value alone: a tensor with a graph as a leaf that requires no grad, a view as a tensor of its own. Hooks,
 * plain values and functions of programs and the generator stay behind.
 *
 * Any other safetensors file loads as well. Names that no tensor may have are made into ones: `layers/0:weight` becomes
 * `layers_0_weight`; the answer tells. All or nothing. */
#include "api/binary.h"
#include "api/router.h"
#include "core/tensor/tensor.h"

#include <stdlib.h>

enum { NAME_BYTES = 129, PAGE = 256 };

static bool refuse_memory(gd_exchange *x) {
    return gd_refuse(x, "out_of_memory", "The server has no memory left for this snapshot.");
}

/* ---- out ----------------------------------------------------------------------------------- */

typedef struct snapshot {
    gd_exchange *x;
    gd_named_tensor *tensors; /* owned */
    size_t n, capacity;
    char **grads; /* names made here, `ngrads` of them; owned */
    size_t ngrads;
    gd_text requires_grad, same;
} snapshot;

static bool add_tensor(snapshot *s, const char *name, const gd_tensor *t) {
    if (s->n == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 64, bytes;
        void *p = gd_mul_size(capacity, sizeof *s->tensors, &bytes) ? realloc(s->tensors, bytes) : NULL;
        if (!p) return refuse_memory(s->x);
        s->tensors = p;
        s->capacity = capacity;
    }
    s->tensors[s->n++] = (gd_named_tensor){name, t};
    return true;
}

static void put_word(gd_text *t, const char *word) {
    if (t->n) GD_TEXT_LIT(t, " ");
    gd_text_puts(t, word);
}

static bool add_grad(snapshot *s, const char *name, gd_tensor *t) {
    size_t bytes;
    if (!gd_grad(t)) return true;
    if (!gd_mul_size(s->ngrads + 1, sizeof *s->grads, &bytes)) return refuse_memory(s->x);
    char **grads = (s->ngrads & (s->ngrads - 1)) ? s->grads : realloc(s->grads, bytes * 2);
    if (!grads) return refuse_memory(s->x);
    s->grads = grads;
    char *own = malloc(strlen(name) + sizeof ".grad");
    if (!own) return refuse_memory(s->x);
    s->grads[s->ngrads++] = own;
    memcpy(own, name, strlen(name));
    memcpy(own + strlen(name), ".grad", sizeof ".grad");
    return add_tensor(s, own, gd_grad(t));
}

static bool add_name(snapshot *s, const char *name) {
    gd_tensor *t = gd_session_get(s->x->session, name);
    const char *first = gd_session_name_of(s->x->session, t);
    if (first && strcmp(first, name)) {
        put_word(&s->same, name);
        GD_TEXT_LIT(&s->same, "=");
        gd_text_puts(&s->same, first);
        return true;
    }
    if (gd_is_leaf(t) && gd_requires_grad(t)) put_word(&s->requires_grad, name);
    return add_tensor(s, name, t) && add_grad(s, name, t);
}

static bool add_names(snapshot *s) {
    const char *names[PAGE], *after = NULL;
    for (bool more = true; more;) {
        size_t n = gd_session_names(s->x->session, after, PAGE, names, &more);
        for (size_t i = 0; i < n; i++)
            if (!add_name(s, names[i])) return false;
        if (n == 0) break;
        after = names[n - 1];
    }
    return true;
}

static void answer(snapshot *s) {
    gd_text_put(&s->requires_grad, "", 1);
    gd_text_put(&s->same, "", 1);
    if (s->requires_grad.failed || s->same.failed) {
        refuse_memory(s->x);
        return;
    }
    const char *metadata[] = {"format",        "gradd",
                              "grad_mode",     gd_mode_name(gd_ctx_grad_mode(s->x->ctx)),
                              "requires_grad", s->requires_grad.data,
                              "same",          s->same.data};
    gd_answer_safetensors(s->x, s->tensors, s->n, metadata, sizeof metadata / sizeof *metadata / 2);
}

void gd_handle_get_snapshot(gd_exchange *x) {
    snapshot s = {.x = x};
    if (add_names(&s)) answer(&s);
    for (size_t i = 0; i < s.ngrads; i++) free(s.grads[i]);
    free(s.grads);
    free(s.tensors);
    gd_text_free(&s.requires_grad);
    gd_text_free(&s.same);
}

/* ---- in ------------------------------------------------------------------------------------ */

/* One tensor of the file, or one more name of it, on its way. */
typedef struct incoming {
    const gd_safetensor *from; /* NULL: a further name */
    char plain[NAME_BYTES];    /* the name that it has there, made into one that tensors may have */
    char name[NAME_BYTES];     /* the name that it gets; "": none, it is a gradient */
    gd_tensor *t;              /* owned */
    gd_tensor *was;            /* what the name meant before; owned while binding */
} incoming;

typedef struct loading {
    gd_exchange *x;
    gd_safetensors file;
    incoming *in; /* by index in the file, then further names; owned */
    size_t n, capacity;
    const incoming **sorted; /* those with a name, by `plain`; owned */
    size_t nsorted;
} loading;

static incoming *find(const loading *l, const char *name) {
    const gd_safetensor *one = gd_safetensors_find(&l->file, name);
    return one ? &l->in[one - l->file.tensors] : NULL;
}

/* ---- names ---- */

static bool may_be_in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static void make_plain(const char *from, char *to) {
    size_t n = 0;
    if (*from == '.' || (*from >= '0' && *from <= '9')) to[n++] = '_';
    for (; *from && n < NAME_BYTES - 1; from++) to[n++] = may_be_in_name(*from) ? *from : '_';
    if (n == 0) to[n++] = '_';
    to[n] = 0;
    if (gd_session_tensor_name_ok(to)) return;
    memcpy(to + (n == NAME_BYTES - 1 ? n - 1 : n), "_", 2); /* its last part was data or grad */
}

static int by_plain(const void *a, const void *b) {
    const incoming *s = *(const incoming *const *)a, *t = *(const incoming *const *)b;
    int order = strcmp(s->plain, t->plain);
    if (order) return order;
    int renamed = strcmp(s->plain, s->from->name) != 0, other = strcmp(t->plain, t->from->name) != 0;
    return renamed == other ? strcmp(s->from->name, t->from->name) : renamed - other;
}

static bool is_taken(const loading *l, const char *name) {
    for (size_t low = 0, high = l->nsorted; low < high;) {
        size_t middle = (low + high) / 2;
        int order = strcmp(l->sorted[middle]->plain, name);
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Two names of the file became one: this one gets a number, one that no other gets. */
static void number_name(const loading *l, incoming *one, uint64_t *number) {
    char suffix[24];
    do {
        int n = snprintf(suffix, sizeof suffix, "_%llu", (unsigned long long)++*number);
        snprintf(one->name, sizeof one->name, "%.*s%s", NAME_BYTES - 1 - n, one->plain, suffix);
    } while (is_taken(l, one->name));
}

/* `x.grad` where the file has an x that it can be the gradient of; that x, or NULL. */
static incoming *gradient_of(const loading *l, const gd_safetensor *grad) {
    size_t n = strlen(grad->name), tail = strlen(".grad");
    char name[NAME_BYTES];
    if (n <= tail || n - tail >= sizeof name || strcmp(grad->name + n - tail, ".grad")) return NULL;
    memcpy(name, grad->name, n - tail);
    name[n - tail] = 0;
    incoming *of = gd_session_tensor_name_ok(name) ? find(l, name) : NULL;
    const int64_t *sizes = l->file.sizes;
    bool fits = of && of->from->dtype == grad->dtype && of->from->ndim == grad->ndim && gd_dtype_is_float(grad->dtype);
    for (int i = 0; fits && i < grad->ndim; i++)
        fits = sizes[of->from->shape + (size_t)i] == sizes[grad->shape + (size_t)i];
    return fits ? of : NULL;
}

static bool name_all(loading *l) {
    uint64_t number = 1;
    l->n = l->file.count;
    l->capacity = l->n + 16;
    l->in = calloc(l->capacity, sizeof *l->in);
    l->sorted = calloc(l->n + 1, sizeof *l->sorted);
    if (!l->in || !l->sorted) return refuse_memory(l->x);
    for (size_t i = 0; i < l->n; i++) l->in[i].from = &l->file.tensors[i];
    for (size_t i = 0; i < l->n; i++) {
        incoming *one = &l->in[i];
        if (gradient_of(l, one->from)) continue;
        make_plain(one->from->name, one->plain);
        memcpy(one->name, one->plain, sizeof one->name);
        l->sorted[l->nsorted++] = one;
    }
    qsort(l->sorted, l->nsorted, sizeof *l->sorted, by_plain);
    for (size_t i = 1; i < l->nsorted; i++)
        if (!strcmp(l->sorted[i]->plain, l->sorted[i - 1]->plain))
            number_name(l, &l->in[l->sorted[i]->from - l->file.tensors], &number);
    return true;
}

/* ---- tensors ---- */

static bool make_tensors(loading *l) {
    gd_exchange *x = l->x;
    for (size_t i = 0; i < l->n; i++)
        if (!(l->in[i].t = gd_safetensors_tensor(x->ctx, &l->file, l->in[i].from, &x->fault))) return false;
    for (size_t i = 0; i < l->n; i++) {
        if (*l->in[i].name) continue;
        if (gd_set_grad(x->ctx, gradient_of(l, l->in[i].from)->t, l->in[i].t) != GD_OK) return gd_refuse_engine(x);
    }
    return true;
}

/* The next word of a list with spaces between, into buf; one too long for a name is cut, and so is none. */
static bool next_word(const char **list, char buf[2 * NAME_BYTES + 2]) {
    *list += strspn(*list, " ");
    size_t n = strcspn(*list, " "), kept = n < 2 * NAME_BYTES ? n : 2 * NAME_BYTES;
    memcpy(buf, *list, kept);
    buf[kept] = 0;
    *list += n;
    return n > 0;
}

static bool set_flags(loading *l, const char *list) {
    char name[2 * NAME_BYTES + 2];
    while (next_word(&list, name)) {
        incoming *one = find(l, name);
        if (!one || !gd_dtype_is_float(one->from->dtype)) continue;
        if (gd_set_requires_grad(l->x->ctx, one->t, true) != GD_OK) return gd_refuse_engine(l->x);
    }
    return true;
}

static bool add_same(loading *l, const char *name, const incoming *of) {
    if (l->n == l->capacity) {
        size_t bytes;
        void *p = gd_mul_size(2 * l->capacity, sizeof *l->in, &bytes) ? realloc(l->in, bytes) : NULL;
        if (!p) return refuse_memory(l->x);
        of = (const incoming *)p + (of - l->in);
        l->in = p;
        l->capacity *= 2;
    }
    incoming *one = &l->in[l->n++];
    *one = (incoming){.t = gd_retain(of->t)};
    memcpy(one->name, name, strlen(name) + 1); /* a name that tensors may have: it fits */
    return true;
}

/* Further names: b=a. */
static bool add_names_of_same(loading *l, const char *list) {
    char word[2 * NAME_BYTES + 2];
    while (next_word(&list, word)) {
        char *equals = strchr(word, '=');
        if (!equals) continue;
        *equals = 0;
        const incoming *of = find(l, equals + 1);
        if (!of || !*of->name || !gd_session_tensor_name_ok(word) || is_taken(l, word)) continue;
        if (!add_same(l, word, of)) return false;
    }
    return true;
}

static bool apply_metadata(loading *l) {
    const char *format = gd_safetensors_metadata(&l->file, "format");
    if (!format || strcmp(format, "gradd")) return true; /* other writers may use these words otherwise */
    const char *requires_grad = gd_safetensors_metadata(&l->file, "requires_grad");
    const char *same = gd_safetensors_metadata(&l->file, "same");
    return (!requires_grad || set_flags(l, requires_grad)) && (!same || add_names_of_same(l, same));
}

static void apply_mode(loading *l) {
    const char *format = gd_safetensors_metadata(&l->file, "format");
    const char *mode = format && !strcmp(format, "gradd") ? gd_safetensors_metadata(&l->file, "grad_mode") : NULL;
    for (int m = GD_MODE_GRAD; mode && m <= GD_MODE_INFERENCE; m++)
        if (!strcmp(mode, gd_mode_name((gd_grad_mode)m))) gd_ctx_set_grad_mode(l->x->ctx, (gd_grad_mode)m);
}

/* Binds all names or none. A name that is known takes no memory to rebind. */
static bool bind_all(loading *l) {
    gd_session *s = l->x->session;
    size_t done = 0;
    bool rebound, ok = true;
    for (; ok && done < l->n; done++) {
        incoming *one = &l->in[done];
        if (!*one->name) continue;
        one->was = gd_retain(gd_session_get(s, one->name));
        ok = gd_session_bind(s, one->name, gd_retain(one->t), &rebound) == GD_OK;
    }
    if (!ok) gd_refuse_engine(l->x);
    for (size_t i = done; i-- > 0;) {
        incoming *one = &l->in[i];
        bool back = !ok && *one->name;
        if (back && (!one->was || gd_session_bind(s, one->name, gd_retain(one->was), &rebound) != GD_OK))
            gd_session_forget(s, one->name);
        gd_release(one->was);
    }
    return ok;
}

/* ---- the request ---- */

static void answer_loaded(loading *l) {
    gd_text *t = &l->x->out;
    bool first = true;
    GD_TEXT_LIT(t, "{\"loaded\":[");
    for (size_t i = 0; i < l->n; i++) {
        if (!*l->in[i].name) continue;
        if (!first) GD_TEXT_LIT(t, ",");
        first = false;
        gd_text_string(t, l->in[i].name);
    }
    GD_TEXT_LIT(t, "],\"renamed\":{");
    first = true;
    for (size_t i = 0; i < l->file.count; i++) {
        const incoming *one = &l->in[i];
        if (!*one->name || !strcmp(one->name, one->from->name)) continue;
        if (!first) GD_TEXT_LIT(t, ",");
        first = false;
        gd_text_string(t, one->from->name);
        GD_TEXT_LIT(t, ":");
        gd_text_string(t, one->name);
    }
    GD_TEXT_LIT(t, "}}");
}

/* The session is made if it is not there; and it goes again if the file cannot be loaded. */
static void load(loading *l) {
    gd_exchange *x = l->x;
    gd_registry *r = gd_api_registry(x->api);
    gd_session_status status = gd_session_create(r, x->params[0], -1, true, &x->session);
    if (status != GD_SESSION_OK && status != GD_SESSION_CREATED) {
        x->session = NULL;
        gd_refuse_session(x, status, x->params[0]);
        return;
    }
    bool created = status == GD_SESSION_CREATED;
    x->ctx = gd_session_ctx(x->session);
    x->ctx->error.code = GD_OK;
    x->status = created ? 201 : 200;
    if (make_tensors(l) && apply_metadata(l) && bind_all(l)) {
        apply_mode(l);
        answer_loaded(l);
        if (created) gd_set_location(x, NULL, NULL);
    } else if (created)
        gd_session_delete(r, x->params[0]);
}

static bool check_type(gd_exchange *x) {
    const char *type = x->in->content_type;
    gd_form form = gd_form_of(type);
    if (!type || !*type || form == GD_FORM_SAFETENSORS || form == GD_FORM_RAW) return true;
    return gd_refuse(x, "unsupported_media_type", "Content-Type is %.100s; send " GD_SAFETENSORS_TYPE ".", type);
}

void gd_handle_put_snapshot(gd_exchange *x) {
    loading l = {.x = x};
    const char *body = x->in->body ? x->in->body : "";
    if (check_type(x) && gd_safetensors_read(&l.file, body, x->in->body_length, &x->fault) && name_all(&l)) load(&l);
    for (size_t i = 0; i < l.n && l.in; i++) gd_release(l.in[i].t);
    free(l.in);
    free(l.sorted);
    gd_safetensors_free(&l.file);
}
