/* sessions.c: /v1/sessions and /v1/sessions/{s}, and the grad mode. */
#include "api/router.h"

#include <stdlib.h>

static void put_session(gd_text *t, const gd_session_info *info) {
    GD_TEXT_LIT(t, "{\"name\":");
    gd_text_string(t, info->name);
    gd_text_f(t, ",\"grad_mode\":\"%s\",\"tensors\":%zu,\"nodes\":%llu,\"bytes\":%zu,\"created\":",
              gd_mode_name(info->grad_mode), info->tensors, (unsigned long long)info->nodes, info->bytes);
    gd_text_time(t, info->created);
    GD_TEXT_LIT(t, ",\"last_used\":");
    gd_text_time(t, info->last_used);
    GD_TEXT_LIT(t, ",\"ttl_seconds\":");
    if (info->ttl_seconds > 0)
        gd_text_f64(t, info->ttl_seconds);
    else
        GD_TEXT_LIT(t, "null");
    GD_TEXT_LIT(t, "}");
}

static void describe(gd_exchange *x, gd_session *s) {
    gd_session_info info;
    gd_session_describe(s, &info);
    put_session(&x->out, &info);
}

bool gd_refuse_session(gd_exchange *x, gd_session_status status, const char *name) {
    switch (status) {
    case GD_SESSION_BAD_NAME:
        return gd_refuse(x, "bad_name", "\"%.140s\" is no name for a session: [A-Za-z0-9][A-Za-z0-9._-]{0,127}.", name);
    case GD_SESSION_FULL: return gd_refuse(x, "too_many_sessions", "The server holds as many sessions as it may.");
    case GD_SESSION_EXISTS: return gd_refuse(x, "session_exists", "There is a session %s already.", name);
    default: return gd_refuse(x, "out_of_memory", "The server has no memory left for a session.");
    }
}

/* Makes (or finds) the session and answers with it. */
static void create(gd_exchange *x, const char *name, double ttl, bool may_exist) {
    gd_session *s;
    gd_session_status status = gd_session_create(gd_api_registry(x->api), name, ttl, may_exist, &s);
    if (status != GD_SESSION_OK && status != GD_SESSION_CREATED) {
        gd_refuse_session(x, status, name ? name : "");
        return;
    }
    if (status == GD_SESSION_OK) x->status = 200;
    describe(x, s);
    snprintf(x->params[0], sizeof x->params[0], "%s", gd_session_name(s));
    if (status == GD_SESSION_CREATED) gd_set_location(x, NULL, NULL);
    gd_session_unlock(s);
}

/* ttl_seconds: -1 (the server's default) when it is not given; null and 0 mean never. */
static bool read_ttl(gd_exchange *x, double *ttl) {
    *ttl = -1;
    const json_t *j = json_object_get(x->body.root, "ttl_seconds");
    if (json_is_null(j))
        *ttl = 0;
    else if (!gd_field_number(x, x->body.root, "ttl_seconds", ttl))
        return false;
    if (!j || (*ttl >= 0 && *ttl <= 1e9)) return true;
    return gd_refuse_field(x, "ttl_seconds", "from 0 (never expires) to 1e9");
}

void gd_handle_post_session(gd_exchange *x) {
    const char *name = NULL;
    double ttl;
    if (!gd_fields(x, x->body.root, "name ttl_seconds") || !read_ttl(x, &ttl)) return;
    if (!json_is_null(json_object_get(x->body.root, "name")) && !gd_field_string(x, x->body.root, "name", &name))
        return;
    create(x, name, ttl, false);
}

void gd_handle_put_session(gd_exchange *x) {
    double ttl;
    if (gd_fields(x, x->body.root, "ttl_seconds") && read_ttl(x, &ttl)) create(x, x->params[0], ttl, true);
}

void gd_handle_get_session(gd_exchange *x) { describe(x, x->session); }

void gd_handle_delete_session(gd_exchange *x) {
    if (!gd_session_delete(gd_api_registry(x->api), x->params[0]))
        gd_refuse(x, "unknown_session", "There is no session %s.", x->params[0]);
}

void gd_handle_list_sessions(gd_exchange *x) {
    size_t limit;
    char after[GD_PARAM_BYTES];
    bool more = false;
    if (!gd_query_page(x, &limit, after)) return;
    gd_session_info *infos = malloc(limit * sizeof *infos);
    if (!infos) {
        gd_refuse(x, "out_of_memory", "The server has no memory left for this list.");
        return;
    }
    size_t n = gd_registry_list(gd_api_registry(x->api), *after ? after : NULL, limit, infos, &more);
    GD_TEXT_LIT(&x->out, "{\"sessions\":[");
    for (size_t i = 0; i < n; i++) {
        if (i) GD_TEXT_LIT(&x->out, ",");
        put_session(&x->out, &infos[i]);
    }
    gd_put_next(x, more && n ? infos[n - 1].name : NULL);
    free(infos);
}

/* ---- grad mode ----------------------------------------------------------------------------- */

void gd_handle_get_grad_mode(gd_exchange *x) {
    gd_text_f(&x->out, "{\"mode\":\"%s\"}", gd_mode_name(gd_ctx_grad_mode(x->ctx)));
}

void gd_handle_put_grad_mode(gd_exchange *x) {
    gd_grad_mode mode = gd_ctx_grad_mode(x->ctx);
    if (!gd_fields(x, x->body.root, "mode")) return;
    if (!json_object_get(x->body.root, "mode")) {
        gd_refuse(x, "missing_argument", "mode is missing: grad, no_grad or inference.");
        gd_fault_pointer(&x->fault, "/mode");
        return;
    }
    if (!gd_field_mode(x, x->body.root, "mode", &mode)) return;
    gd_ctx_set_grad_mode(x->ctx, mode);
    gd_handle_get_grad_mode(x);
}
