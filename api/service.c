/* service.c: what the server says about itself: health, version, problems, the first page. */
#include "api/router.h"

#define PLAIN "text/plain; charset=utf-8"
#define HTML "text/html; charset=utf-8"

static void put_plain(gd_exchange *x, const char *text) {
    gd_text_puts(&x->out, text);
    x->content_type = PLAIN;
}

void gd_handle_healthz(gd_exchange *x) { put_plain(x, "ok\n"); }

void gd_handle_readyz(gd_exchange *x) {
    if (gd_api_is_draining(x->api))
        gd_refuse(x, "draining", "The server is finishing its last requests.");
    else
        put_plain(x, "ready\n");
}

void gd_handle_version(gd_exchange *x) {
    gd_text_f(&x->out, "{\"name\":\"gradd\",\"version\":\"%s\",\"api\":\"v1\"}", GRADD_VERSION);
}

void gd_handle_openapi(gd_exchange *x) {
    size_t n;
    const char *text = gd_api_openapi(x->api, &n);
    if (text)
        gd_text_put(&x->out, text, n);
    else
        gd_refuse(x, "out_of_memory", "The server has no memory left for its description.");
}

/* Does the client rather want a page? Browsers name text/html first. */
static bool wants_html(const gd_exchange *x) { return x->in->accept && strstr(x->in->accept, "text/html") != NULL; }

static void put_escaped(gd_text *t, const char *s) {
    for (; *s; s++) {
        if (*s == '<')
            GD_TEXT_LIT(t, "&lt;");
        else if (*s == '&')
            GD_TEXT_LIT(t, "&amp;");
        else if (*s == '"')
            GD_TEXT_LIT(t, "&quot;");
        else
            gd_text_put(t, s, 1);
    }
}

static void begin_page(gd_exchange *x, const char *title) {
    x->content_type = HTML;
    GD_TEXT_LIT(&x->out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    put_escaped(&x->out, title);
    GD_TEXT_LIT(
        &x->out,
        "</title><style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;"
        "margin:2rem auto;padding:0 1rem}pre,code{font-family:ui-monospace,monospace}pre{overflow:auto;padding:1rem;"
        "border:1px solid #8888}td{padding:.2rem .8rem .2rem 0;vertical-align:top}</style></head><body><main><h1>");
    put_escaped(&x->out, title);
    GD_TEXT_LIT(&x->out, "</h1>\n");
}

static void end_page(gd_exchange *x) { GD_TEXT_LIT(&x->out, "</main></body></html>\n"); }

void gd_handle_get_problem(gd_exchange *x) {
    const gd_problem_kind *kind = gd_problem_find(x->params[0]);
    if (!kind) {
        gd_refuse(x, "unknown_problem", "No problem has the code %s.", x->params[0]);
        return;
    }
    if (!wants_html(x)) {
        gd_text_f(&x->out, "%s (%d %s)\n\n%s\n", kind->code, kind->status, kind->title, kind->advice);
        x->content_type = PLAIN;
        return;
    }
    begin_page(x, kind->title);
    gd_text_f(&x->out, "<p><code>%s</code>, status %d</p><p>", kind->code, kind->status);
    put_escaped(&x->out, kind->advice);
    GD_TEXT_LIT(&x->out, "</p>");
    end_page(x);
}

void gd_handle_docs(gd_exchange *x) {
    gd_text *t = &x->out;
    begin_page(x, "gradd: the routes");
    GD_TEXT_LIT(t, "<p>Machines read <a href=\"/openapi.json\">/openapi.json</a>.</p><table>\n");
    for (size_t i = 0; i < gd_route_count; i++) {
        gd_text_f(t, "<tr><td><code>%s</code></td><td><code>%s</code></td><td>", gd_routes[i].method,
                  gd_routes[i].path);
        put_escaped(t, gd_routes[i].summary);
        GD_TEXT_LIT(t, "</td></tr>\n");
    }
    GD_TEXT_LIT(t, "</table><h2>Problems</h2><table>\n");
    for (size_t i = 0; gd_problem_at(i); i++) {
        const gd_problem_kind *k = gd_problem_at(i);
        gd_text_f(t, "<tr><td>%d</td><td><code>%s</code></td><td>", k->status, k->code);
        put_escaped(t, k->advice);
        GD_TEXT_LIT(t, "</td></tr>\n");
    }
    GD_TEXT_LIT(t, "</table>");
    end_page(x);
}

static const char first_steps[] = "S=http://127.0.0.1:4242/v1/sessions/demo\n"
                                  "curl -X PUT $S\n"
                                  "curl -X PUT --json '{\"data\":[2.0],\"requires_grad\":true}' $S/tensors/x\n"
                                  "curl --json '{\"op\":\"pow\",\"args\":[\"x\",2],\"out\":\"y\"}' $S/ops\n"
                                  "curl --json '{\"tensors\":\"y\"}' $S/backward\n"
                                  "curl $S/tensors/x/grad\n"
                                  "curl -H 'Accept: text/plain' -d 'print(x.grad * 10)' $S/run\n\n"
                                  "F=http://127.0.0.1:4242/v1/functions/f\n"
                                  "curl -X PUT -H 'Content-Type: text/plain' -d 'def f(x): return (x ** 2).sum()' $F\n"
                                  "curl --json '{\"inputs\":{\"x\":[3,4]}}' $F/gradient\n";

void gd_handle_index(gd_exchange *x) {
    if (!wants_html(x)) {
        gd_text_f(&x->out,
                  "gradd %s: PyTorch's autograd over HTTP\n\n%s\nRoutes: /docs or /openapi.json. Ops: /v1/ops\n",
                  GRADD_VERSION, first_steps);
        x->content_type = PLAIN;
        return;
    }
    begin_page(x, "gradd");
    gd_text_f(&x->out, "<p>PyTorch's autograd over HTTP, version %s. A first gradient:</p><pre>", GRADD_VERSION);
    put_escaped(&x->out, first_steps);
    GD_TEXT_LIT(&x->out, "</pre><p><a href=\"/docs\">The routes</a> · <a href=\"/v1/ops?limit=1000\">The ops</a> · "
                         "<a href=\"/openapi.json\">OpenAPI</a></p>");
    end_page(x);
}
