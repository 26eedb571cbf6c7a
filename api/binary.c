/* binary.c: see binary.h; gd_api_upload_… takes large bodies as they arrive, each byte copied once, to where it stays.
 */
#include "api/binary.h"
#include "api/encoding.h"
#include "api/npy.h"
#include "api/router.h"
#include "core/kernels/kernels.h"

#include <stdlib.h>
#include <strings.h>

enum { UPLOAD_FROM = 64 * 1024, STORAGE_FROM = 256 * 1024 };

/* ---- media types --------------------------------------------------------------------------- */

static bool is_type(const char *text, size_t n, const char *type) {
    return n == strlen(type) && !strncasecmp(text, type, n);
}

static gd_form form_of(const char *text, size_t n) {
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t')) n--;
    if (n == 0 || is_type(text, n, "application/json")) return GD_FORM_JSON;
    if (is_type(text, n, "application/x-npy")) return GD_FORM_NPY;
    if (is_type(text, n, "application/octet-stream")) return GD_FORM_RAW;
    if (is_type(text, n, GD_SAFETENSORS_TYPE)) return GD_FORM_SAFETENSORS;
    return n > 5 && !strncasecmp(text, "application/", 12) && !strncasecmp(text + n - 5, "+json", 5) ? GD_FORM_JSON
                                                                                                     : GD_FORM_OTHER;
}

gd_form gd_form_of(const char *content_type) {
    return content_type ? form_of(content_type, strcspn(content_type, ";")) : GD_FORM_JSON;
}

/* The weight in thousandths of one range of Accept: ";q=0.5". */
static int weight(const char *p, size_t n) {
    for (size_t i = 0; i + 2 < n; i++) {
        if ((p[i] | 0x20) != 'q' || p[i + 1] != '=' || i == 0 || (p[i - 1] != ';' && p[i - 1] != ' ')) continue;
        char text[8] = {0};
        memcpy(text, p + i + 2, n - i - 2 < 5 ? n - i - 2 : 5);
        double q = strtod(text, NULL);
        return q >= 0 && q <= 1 ? (int)(q * 1000) : 0;
    }
    return 1000;
}

gd_form gd_form_accepted(const char *accept) {
    return gd_form_accepted_of(accept, 1U << GD_FORM_JSON | 1U << GD_FORM_NPY | 1U << GD_FORM_RAW);
}

gd_form gd_form_accepted_of(const char *accept, unsigned forms) {
    gd_form best = GD_FORM_JSON;
    int most = 0;
    for (const char *p = accept ? accept : ""; *p; p += *p == ',') {
        while (*p == ' ' || *p == '\t') p++;
        size_t n = strcspn(p, ","), name = strcspn(p, ",;");
        gd_form form = name > 0 ? form_of(p, name) : GD_FORM_OTHER;
        int q = weight(p + name, n - name);
        if ((forms >> form & 1U) && q > most) best = form, most = q;
        p += n;
    }
    return best;
}

int gd_accept_weight(const char *accept, const char *type) {
    for (const char *p = accept ? accept : ""; *p; p += *p == ',') {
        while (*p == ' ' || *p == '\t') p++;
        size_t n = strcspn(p, ","), name = strcspn(p, ",; \t");
        if (is_type(p, name, type)) return weight(p + name, n - name);
        p += n;
    }
    return 0;
}

/* ---- taking bytes -------------------------------------------------------------------------- */

/* Which tensor a binary body makes, and how far it has come. The caller's own context or the session's makes it. */
typedef struct intake {
    gd_ctx *ctx;
    gd_fault *fault;
    bool npy, ready; /* ready: `form` is known and `t` made */
    gd_npy form;
    uint64_t length; /* of the whole body */
    gd_tensor *t;    /* in the file's order of elements */
    size_t used;     /* bytes of t filled */
} intake;

/* Parses "2,3"; "" is a shape of no dimensions. */
static bool read_shape(const char *text, gd_npy *form) {
    for (form->ndim = 0; *text;) {
        if (form->ndim == GD_MAX_DIMS || *text < '0' || *text > '9') return false;
        int64_t v = 0;
        for (; *text >= '0' && *text <= '9'; text++)
            if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *text - '0', &v)) return false;
        form->sizes[form->ndim++] = v;
        if (*text == ',' && text[1])
            text++;
        else if (*text)
            return false;
    }
    return true;
}

/* dtype and shape of a raw body: from the query, else from `like`, else float32 and one dimension as long as the body.
 */
static bool raw_form(gd_exchange *x, const gd_tensor *like, uint64_t length, gd_npy *form) {
    char text[512];
    *form = (gd_npy){.dtype = like ? gd_dtype_of(like) : GD_FLOAT32, .ndim = like ? gd_ndim(like) : 1};
    for (int i = 0; like && i < form->ndim; i++) form->sizes[i] = gd_sizes(like)[i];
    if (gd_query(x, "dtype", text, sizeof text) && !gd_dtype_parse(text, &form->dtype))
        return gd_refuse(x, "bad_query", "dtype must be one of float32, float64, int64, int32, uint8, bool.");
    if (!like) form->sizes[0] = (int64_t)(length / gd_dtype_bytes(form->dtype));
    if (gd_query(x, "shape", text, sizeof text) && !read_shape(text, form))
        return gd_refuse(x, "bad_query", "shape must be sizes with commas between them: shape=2,3.");
    return !x->fault.code;
}

/* Once the form is known: is the length right, and is there memory? */
static bool make_tensor(intake *in) {
    int64_t sizes[GD_MAX_DIMS], numel;
    const gd_npy *form = &in->form;
    char text[256];
    for (int i = 0; i < form->ndim; i++) sizes[i] = form->sizes[form->fortran ? form->ndim - 1 - i : i];
    in->ready = true;
    if (gd_checked_numel(in->ctx, form->dtype, form->ndim, sizes, &numel) != GD_OK)
        return gd_fault_engine(in->fault, in->ctx);
    uint64_t needed = (uint64_t)numel * gd_dtype_bytes(form->dtype), got = in->length - form->header_bytes;
    if (in->length < form->header_bytes || needed != got)
        return gd_fault_set(in->fault, "wrong_length", "A %s tensor of shape %s takes %llu bytes, got %llu.",
                            gd_dtype_name(form->dtype), gd_shape_text(text, sizeof text, form->ndim, form->sizes),
                            (unsigned long long)needed, (unsigned long long)got);
    in->t = gd_empty(in->ctx, form->dtype, form->ndim, sizes);
    return in->t || gd_fault_engine(in->fault, in->ctx);
}

/* Reads the .npy header if it is whole: true also when more is needed. */
static bool take_header(intake *in, const char *bytes, size_t n) {
    const char *why;
    gd_npy_status status = gd_npy_read(bytes, n, &in->form, &why);
    if (status == GD_NPY_MORE && n < in->length) return true;
    if (status == GD_NPY_MORE) return gd_fault_set(in->fault, "bad_npy", "The .npy header ends too early.");
    if (status == GD_NPY_BAD) return gd_fault_set(in->fault, "bad_npy", "%s", why);
    return make_tensor(in);
}

static void take_values(intake *in, const char *bytes, size_t n) {
    size_t left = gd_nbytes(in->t) - in->used;
    if (n > left) n = left;
    if (n > 0) memcpy(in->t->data + in->used, bytes, n);
    in->used += n;
}

/* A file in Fortran order, whose dimensions `t` has reversed, in our order. Takes t. */
static gd_tensor *reorder(intake *in, gd_tensor *t) {
    int64_t strides[GD_MAX_DIMS];
    const gd_npy *form = &in->form;
    for (int i = 0; i < form->ndim; i++) strides[i] = gd_strides(t)[form->ndim - 1 - i];
    gd_tensor *view = gd_alias(in->ctx, t, form->ndim, form->sizes, strides, 0);
    gd_tensor *ordered = view ? gd_empty(in->ctx, form->dtype, form->ndim, form->sizes) : NULL;
    if (ordered)
        gd_copy_values(ordered, view);
    else
        gd_fault_engine(in->fault, in->ctx);
    gd_release(view);
    gd_release(t);
    return ordered;
}

/* The finished tensor: new, or NULL with the fault set. */
static gd_tensor *finish(intake *in) {
    gd_tensor *t = in->t;
    in->t = NULL;
    if (!in->fault->code && (!t || in->used != gd_nbytes(t)))
        gd_fault_set(in->fault, "bad_npy", "The body ends too early.");
    if (in->fault->code) {
        gd_release(t);
        return NULL;
    }
    size_t width = gd_dtype_bytes(in->form.dtype);
    if (in->form.swapped) gd_npy_swap(t->data, (size_t)gd_numel(t), width);
    if (in->form.dtype == GD_BOOL) /* kernels rely on 0 and 1 */
        for (size_t i = 0; i < in->used; i++) t->data[i] = t->data[i] != 0;
    return in->form.fortran && in->form.ndim > 1 ? reorder(in, t) : t;
}

/* ---- uploads ------------------------------------------------------------------------------- */

struct gd_api_upload {
    intake in;
    gd_fault fault;
    char *head; /* the beginning of a .npy file until its header is whole; owned */
    size_t head_bytes;
};

static bool is_upload(const gd_route *route, gd_form form) {
    if (route && (route->flags & GD_R_EVALUATION)) return form == GD_FORM_NPY;
    return route && (route->flags & GD_R_BINARY) && !strcmp(route->method, "PUT");
}

/* A context charged to the session's account, so that memory can be had without holding the session, and what a raw
 * body leaves open. */
static bool prepare(gd_exchange *x, gd_api_upload *u) {
    bool busy = false;
    if (x->route->flags & GD_R_EVALUATION) return (u->in.ctx = gd_ctx_new(NULL)) != NULL; /* no session: the process */
    if (gd_session_try_acquire(gd_api_registry(x->api), x->params[0], &x->session, &busy) != GD_SESSION_OK)
        return false;
    u->in.ctx = gd_ctx_new(gd_session_ctx(x->session)->account);
    gd_tensor *like =
        strcmp(x->route->path, "/v1/sessions/{s}/tensors/{t}") ? gd_session_get(x->session, x->params[1]) : NULL;
    bool ok = u->in.ctx != NULL;
    if (ok && !u->in.npy) ok = raw_form(x, like, u->in.length, &u->in.form);
    gd_session_unlock(x->session);
    return ok;
}

gd_api_upload *gd_api_upload_begin(gd_api *api, const gd_api_request *request, uint64_t length) {
    gd_form form = gd_form_of(request->content_type);
    if (gd_encoding_of(request->content_encoding) != GD_ENCODING_NONE) return NULL;
    if (length < UPLOAD_FROM || length == UINT64_MAX || (form != GD_FORM_NPY && form != GD_FORM_RAW)) return NULL;
    gd_exchange x;
    char allow[64];
    bool options;
    x.api = api;
    x.in = request;
    x.fault.code = NULL;
    x.route = gd_route_find(request->method, request->path, 0, x.params, allow, &options, &x.fault);
    gd_api_upload *u = is_upload(x.route, form) ? calloc(1, sizeof *u) : NULL;
    if (!u) return NULL;
    u->in.fault = &u->fault;
    u->in.length = length;
    u->in.npy = form == GD_FORM_NPY;
    if (!prepare(&x, u)) {
        gd_api_upload_free(u);
        return NULL;
    }
    if (!u->in.npy) make_tensor(&u->in); /* what is wrong is told when the body has come */
    return u;
}

/* Gathers a header that comes in pieces. */
static bool gather(gd_api_upload *u, const char **bytes, size_t *n) {
    char *head = realloc(u->head, u->head_bytes + *n);
    if (!head) return false;
    memcpy(head + u->head_bytes, *bytes, *n);
    u->head = head;
    u->head_bytes += *n;
    *bytes = head;
    *n = u->head_bytes;
    return true;
}

bool gd_api_upload_write(gd_api_upload *u, const char *bytes, size_t n) {
    intake *in = &u->in;
    if (u->fault.code) return true; /* the rest is passed over */
    if (!in->ready) {
        bool whole = !u->head && take_header(in, bytes, n);
        if (u->fault.code) return true;
        if (!whole || !in->ready) {
            if (!gather(u, &bytes, &n)) return false;
            if (!take_header(in, bytes, n) || !in->ready) return true;
        }
        bytes += in->form.header_bytes;
        n -= in->form.header_bytes;
    }
    take_values(in, bytes, n);
    return true;
}

void gd_api_upload_free(gd_api_upload *u) {
    if (!u) return;
    gd_release(u->in.t);
    gd_ctx_free(u->in.ctx);
    free(u->head);
    free(u);
}

static gd_tensor *take_upload(gd_exchange *x) {
    gd_api_upload *u = x->in->upload;
    gd_tensor *t = finish(&u->in);
    if (t && gd_ctx_grad_mode(x->ctx) == GD_MODE_INFERENCE) t->flags |= GD_F_INFERENCE;
    if (!t) x->fault = u->fault;
    return t;
}

gd_tensor *gd_binary_tensor(gd_exchange *x, const gd_tensor *like) {
    intake in = {.ctx = x->ctx, .fault = &x->fault, .length = x->in->body_length};
    const char *bytes = x->in->body ? x->in->body : "";
    if (x->in->upload) return take_upload(x);
    in.npy = gd_form_of(x->in->content_type) == GD_FORM_NPY;
    bool ok = in.npy ? take_header(&in, bytes, in.length) : raw_form(x, like, in.length, &in.form) && make_tensor(&in);
    if (ok && !in.t) ok = gd_refuse(x, "bad_npy", "The body is no .npy file.");
    if (ok) take_values(&in, bytes + in.form.header_bytes, in.length - in.form.header_bytes);
    return finish(&in);
}

/* ---- binary answers ------------------------------------------------------------------------ */

static void release_storage(void *storage) { gd_storage_release(storage); }

/* Memory for an answer of n bytes. Large ones come from the tensors' cache, charged to the process, as they are soon
 * used again. */
static char *answer_memory(gd_exchange *x, size_t n) {
    if (n < STORAGE_FROM) {
        x->answer->release = free;
        x->answer->owner = malloc(n ? n : 1);
        return x->answer->owner;
    }
    gd_ctx *ctx = gd_ctx_new(NULL);
    gd_storage *s = ctx ? gd_storage_new(ctx, n, false) : NULL;
    gd_ctx_free(ctx);
    x->answer->release = s ? release_storage : NULL;
    x->answer->owner = s;
    return s ? s->bytes : NULL;
}

/* A copy, since the session goes on while the answer is sent. */
static bool answer_bytes(gd_exchange *x, gd_tensor *t, gd_form form) {
    char head[GD_NPY_WRITE_MAX];
    size_t n = form == GD_FORM_NPY ? gd_npy_write(head, gd_dtype_of(t), gd_ndim(t), gd_sizes(t)) : 0, total;
    char *p = gd_add_size(n, gd_nbytes(t), &total) ? answer_memory(x, total) : NULL;
    if (!p) return gd_refuse(x, "out_of_memory", "The server has no memory left for this answer.");
    memcpy(p, head, n);
    gd_read_bytes(t, p + n);
    x->answer->status = x->status;
    x->answer->content_type = form == GD_FORM_NPY ? "application/x-npy" : "application/octet-stream";
    x->answer->body = p;
    x->answer->length = total;
    x->answered = true;
    return true;
}

bool gd_answer_result(gd_exchange *x, gd_tensor *t) {
    char head[GD_NPY_WRITE_MAX];
    gd_api_response *a = x->answer;
    const char *values = gd_contiguous_data(t);
    if (!values || gd_nbytes(t) < STORAGE_FROM || !gd_npy_knows(gd_dtype_of(t)))
        return gd_answer_value(x, t, GD_FORM_NPY);
    size_t n = gd_npy_write(head, gd_dtype_of(t), gd_ndim(t), gd_sizes(t));
    if (n > sizeof a->text) return gd_answer_value(x, t, GD_FORM_NPY);
    *a = (gd_api_response){.status = x->status,
                           .content_type = "application/x-npy",
                           .body = a->text,
                           .length = n,
                           .rest = values,
                           .rest_length = gd_nbytes(t),
                           .release = release_storage,
                           .owner = gd_storage_retain(t->storage)};
    memcpy(a->text, head, n);
    x->answered = true;
    return true;
}

bool gd_answer_safetensors(gd_exchange *x, gd_named_tensor *tensors, size_t count, const char *const *metadata,
                           size_t npairs) {
    gd_text head = {0};
    for (size_t i = 0; i < count; i++)
        if (!gd_safetensors_dtype(gd_dtype_of(tensors[i].tensor)))
            return gd_refuse(x, "not_acceptable", "safetensors files have no dtype %s: ask for application/json.",
                             gd_dtype_name(gd_dtype_of(tensors[i].tensor)));
    gd_safetensors_header(&head, tensors, count, metadata, npairs);
    size_t total = head.n;
    bool ok = !head.failed;
    for (size_t i = 0; i < count; i++) ok &= gd_add_size(total, gd_nbytes(tensors[i].tensor), &total);
    char *p = ok ? answer_memory(x, total) : NULL;
    if (p) memcpy(p, head.data, head.n);
    x->answer->body = p;
    for (size_t i = 0; p && i < count; i++) {
        if (i == 0) p += head.n;
        gd_read_bytes(tensors[i].tensor, p);
        p += gd_nbytes(tensors[i].tensor);
    }
    gd_text_free(&head);
    if (!x->answer->body) return gd_refuse(x, "out_of_memory", "The server has no memory left for this answer.");
    x->answer->status = x->status;
    x->answer->content_type = GD_SAFETENSORS_TYPE;
    x->answer->length = total;
    x->answered = true;
    return true;
}

bool gd_answer_value(gd_exchange *x, gd_tensor *t, gd_form form) {
    if (form == GD_FORM_NPY && !gd_npy_knows(gd_dtype_of(t)))
        return gd_refuse(x, "dtype_mismatch",
                         "Got unsupported ScalarType %s: .npy files have no such type. Ask for application/json or "
                         "application/octet-stream, or convert the tensor first.",
                         gd_dtype_scalar_name(gd_dtype_of(t)));
    if (form != GD_FORM_JSON) return answer_bytes(x, t, form);
    if (!gd_put_data(&x->out, t, &x->fault)) return false;
    GD_TEXT_LIT(&x->out, "\n");
    return true;
}
