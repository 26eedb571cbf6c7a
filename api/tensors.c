/* tensors.c: /v1/sessions/{s}/tensors: documents, values, gradients. */
#include "api/binary.h"
#include "api/router.h"

#include <stdlib.h>

static bool put_document(gd_exchange *x, const char *name, gd_tensor *t, gd_data_mode mode) {
    return gd_put_document(&x->out, x->ctx, name, t, mode, &x->fault);
}

/* ---- reading ------------------------------------------------------------------------------- */

void gd_handle_get_tensor(gd_exchange *x) {
    gd_data_mode mode;
    gd_tensor *t = gd_param_tensor(x);
    if (t && gd_query_data_mode(x, &mode)) put_document(x, x->params[1], t, mode);
}

void gd_handle_list_tensors(gd_exchange *x) {
    size_t limit;
    char after[GD_PARAM_BYTES];
    bool more = false;
    if (!gd_query_page(x, &limit, after)) return;
    const char **names = malloc(limit * sizeof *names);
    if (!names) {
        gd_refuse(x, "out_of_memory", "The server has no memory left for this list.");
        return;
    }
    size_t n = gd_session_names(x->session, *after ? after : NULL, limit, names, &more);
    GD_TEXT_LIT(&x->out, "{\"tensors\":[");
    for (size_t i = 0; i < n && !x->fault.code; i++) {
        if (i) GD_TEXT_LIT(&x->out, ",");
        put_document(x, names[i], gd_session_get(x->session, names[i]), GD_DATA_NONE);
    }
    gd_put_next(x, more && n ? names[n - 1] : NULL);
    free(names);
}

void gd_handle_get_data(gd_exchange *x) {
    gd_tensor *t = gd_param_tensor(x);
    if (t) gd_answer_value(x, t, gd_form_accepted(x->in->accept));
}

void gd_handle_get_grad(gd_exchange *x) {
    gd_tensor *t = gd_param_tensor(x);
    if (!t) return;
    if (gd_grad(t))
        gd_answer_value(x, gd_grad(t), gd_form_accepted(x->in->accept));
    else
        x->status = 204;
}

/* ---- writing ------------------------------------------------------------------------------- */

/* The value in the body as new tensor, whatever its form; `like` (may be NULL) gives the dtype that is not said. */
static gd_tensor *read_tensor(gd_exchange *x, const char *fields, const gd_tensor *like) {
    gd_dtype dtype = like ? gd_dtype_of(like) : GD_FLOAT32;
    bool given;
    if (gd_form_of(x->in->content_type) != GD_FORM_JSON) return gd_binary_tensor(x, like);
    if (!gd_fields(x, x->body.root, fields) || !gd_field_dtype(x, x->body.root, &dtype, &given)) return NULL;
    const json_t *data = json_object_get(x->body.root, "data");
    if (!data) {
        gd_refuse(x, "missing_argument", "data is missing: a number, or numbers in nested arrays.");
        gd_fault_pointer(&x->fault, "/data");
        return NULL;
    }
    gd_tensor *t = gd_read_constant(x, data, given || like ? &dtype : NULL);
    if (!t && !x->fault.pointer[0]) gd_fault_pointer(&x->fault, "/data");
    return t;
}

static bool want_grad(gd_exchange *x, gd_tensor *t, bool wanted) {
    if (!wanted) return true;
    if (!gd_dtype_is_float(gd_dtype_of(t))) {
        gd_refuse(x, "dtype_mismatch", "Only Tensors of floating point and complex dtype can require gradients");
        gd_fault_pointer(&x->fault, "/requires_grad");
        return false;
    }
    return gd_set_requires_grad(x->ctx, t, true) == GD_OK || gd_refuse_engine(x);
}

void gd_handle_put_tensor(gd_exchange *x) {
    bool requires_grad = false, rebound = false, ok;
    gd_data_mode mode;
    const char *name = x->params[1];
    if (!gd_check_tensor_name(x, name) || !gd_query_data_mode(x, &mode)) return;
    if (!gd_query_flag(x, "requires_grad", &requires_grad)) return;
    if (json_is_object(x->body.root) && !gd_field_bool(x, x->body.root, "requires_grad", &requires_grad)) return;
    gd_tensor *t = read_tensor(x, "data dtype requires_grad", NULL);
    if (!t) return;
    ok = want_grad(x, t, requires_grad) && put_document(x, name, t, mode);
    if (!ok) {
        gd_release(t);
        return;
    }
    if (!gd_bind_name(x, name, t, &rebound)) return;
    if (rebound)
        x->status = 200;
    else
        gd_set_location(x, "tensors", name);
}

void gd_handle_put_data(gd_exchange *x) {
    gd_data_mode mode;
    gd_tensor *t = gd_param_tensor(x);
    if (!t || !gd_query_data_mode(x, &mode)) return;
    gd_tensor *source = read_tensor(x, "data dtype", t);
    if (!source) return;
    if (gd_set_data(x->ctx, t, source) != GD_OK)
        gd_refuse_engine(x);
    else
        put_document(x, x->params[1], t, mode);
    gd_release(source);
}

void gd_handle_put_grad(gd_exchange *x) {
    gd_data_mode mode;
    gd_tensor *t = gd_param_tensor(x);
    if (!t || !gd_query_data_mode(x, &mode)) return;
    gd_tensor *grad = read_tensor(x, "data dtype", t);
    if (!grad) return;
    if (gd_set_grad(x->ctx, t, grad) != GD_OK)
        gd_refuse_engine(x);
    else
        put_document(x, x->params[1], t, mode);
    gd_release(grad);
}

void gd_handle_delete_grad(gd_exchange *x) {
    gd_tensor *t = gd_param_tensor(x);
    if (t && gd_set_grad(x->ctx, t, NULL) != GD_OK) gd_refuse_engine(x);
}

/* retains_grad can be set only; both are tried or none. */
void gd_handle_patch_tensor(gd_exchange *x) {
    gd_data_mode mode;
    gd_tensor *t = gd_param_tensor(x);
    if (!t || !gd_query_data_mode(x, &mode) || !gd_fields(x, x->body.root, "requires_grad retains_grad")) return;
    bool was = gd_requires_grad(t), requires_grad = was, retains_grad = gd_retains_grad(t);
    if (!gd_field_bool(x, x->body.root, "requires_grad", &requires_grad)) return;
    if (!gd_field_bool(x, x->body.root, "retains_grad", &retains_grad)) return;
    if (gd_retains_grad(t) && !retains_grad) {
        gd_refuse(x, "bad_state", "retain_grad() cannot be undone.");
        return;
    }
    if (json_object_get(x->body.root, "requires_grad") && gd_set_requires_grad(x->ctx, t, requires_grad) != GD_OK) {
        gd_refuse_engine(x);
        return;
    }
    if (retains_grad && gd_retain_grad(x->ctx, t) != GD_OK) {
        gd_refuse_engine(x);
        if (requires_grad != was && gd_set_requires_grad(x->ctx, t, was) != GD_OK) return;
        return;
    }
    put_document(x, x->params[1], t, mode);
}

void gd_handle_delete_tensor(gd_exchange *x) {
    if (gd_param_tensor(x)) gd_session_forget(x->session, x->params[1]);
}
