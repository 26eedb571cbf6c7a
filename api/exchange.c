/* exchange.c: what handlers share: query parameters, fields of the body, names, lists. */
#include "api/exchange.h"

#include <errno.h>
#include <stdlib.h>

/* ---- query parameters ---------------------------------------------------------------------- */

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes n bytes of a query value; false if malformed, longer than size - 1, or with a NUL in it. */
static bool decode(const char *p, size_t n, char *buf, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        int c = (unsigned char)p[i];
        if (c == '%') {
            int high = i + 2 < n ? hex(p[i + 1]) : -1, low = i + 2 < n ? hex(p[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = high * 16 + low;
            i += 2;
        } else if (c == '+')
            c = ' ';
        if (c == 0 || used + 1 >= size) return false;
        buf[used++] = (char)c;
    }
    buf[used] = 0;
    return true;
}

bool gd_query(gd_exchange *x, const char *key, char *buf, size_t size) {
    size_t length = strlen(key);
    *buf = 0;
    for (const char *p = x->in->query; p && *p; p += *p == '&') {
        size_t n = strcspn(p, "&");
        if (n >= length && !memcmp(p, key, length) && (n == length || p[length] == '=')) {
            if (n == length) return true;
            if (decode(p + length + 1, n - length - 1, buf, size)) return true;
            *buf = 0;
            return gd_refuse(x, "bad_query", "The query parameter %s is malformed or too long.", key);
        }
        p += n;
    }
    return false;
}

bool gd_query_page(gd_exchange *x, size_t *limit, char after[GD_PARAM_BYTES]) {
    char text[24];
    *limit = GD_LIST_LIMIT;
    if (gd_query(x, "limit", text, sizeof text)) {
        char *end;
        errno = 0;
        long v = strtol(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno || v < 1 || v > GD_LIST_LIMIT_MAX)
            return gd_refuse(x, "bad_query", "limit must be a number from 1 to %d.", GD_LIST_LIMIT_MAX);
        *limit = (size_t)v;
    }
    gd_query(x, "after", after, GD_PARAM_BYTES);
    return !x->fault.code;
}

bool gd_query_data_mode(gd_exchange *x, gd_data_mode *mode) {
    char text[16];
    *mode = GD_DATA_AUTO;
    if (!x->in->query || !gd_query(x, "data", text, sizeof text)) return !x->fault.code;
    if (!strcmp(text, "full"))
        *mode = GD_DATA_FULL;
    else if (!strcmp(text, "none"))
        *mode = GD_DATA_NONE;
    else
        return gd_refuse(x, "bad_query", "data must be full or none.");
    return true;
}

bool gd_query_flag(gd_exchange *x, const char *key, bool *flag) {
    char text[16];
    if (!gd_query(x, key, text, sizeof text)) return !x->fault.code;
    *flag = !strcmp(text, "true") || !strcmp(text, "1");
    if (*flag || !strcmp(text, "false") || !strcmp(text, "0")) return true;
    return gd_refuse(x, "bad_query", "%s must be true or false.", key);
}

/* ---- fields -------------------------------------------------------------------------------- */

/* The index of the word `key` in "op args out", or -1. */
static int index_of_word(const char *words, const char *key) {
    for (int i = 0;; i++) {
        const char *k = key;
        while (*k && *k == *words) k++, words++;
        if (!*k && (*words == ' ' || !*words)) return i;
        while (*words && *words != ' ') words++;
        if (!*words++) return -1;
    }
}

bool gd_fields_pick(gd_exchange *x, const json_t *object, const char *fields, const json_t **values) {
    const char *key;
    json_t *value;
    if (!object) return true;
    if (!json_is_object(object))
        return gd_refuse(x, "bad_argument", "The body should be an object with the fields: %s.", fields);
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        int i = index_of_word(fields, key);
        if (i >= 0 && values) values[i] = value;
        if (i >= 0) continue;
        gd_refuse(x, "unknown_field", "There is no field \"%.60s\" here; known are: %s.", key, fields);
        gd_fault_pointer(&x->fault, "/%s", key);
        return false;
    }
    return true;
}

bool gd_fields(gd_exchange *x, const json_t *object, const char *fields) {
    return gd_fields_pick(x, object, fields, NULL);
}

bool gd_refuse_field(gd_exchange *x, const char *key, const char *what) {
    gd_refuse(x, "bad_argument", "%s should be %s.", key, what);
    gd_fault_pointer(&x->fault, "/%s", key);
    return false;
}

bool gd_field_bool(gd_exchange *x, const json_t *object, const char *key, bool *v) {
    const json_t *j = json_object_get(object, key);
    if (!j || json_is_null(j)) return true;
    if (!json_is_boolean(j)) return gd_refuse_field(x, key, "true or false");
    *v = json_is_true(j);
    return true;
}

bool gd_field_string(gd_exchange *x, const json_t *object, const char *key, const char **v) {
    const json_t *j = json_object_get(object, key);
    if (!j) return true;
    if (!json_is_string(j)) return gd_refuse_field(x, key, "a string");
    *v = json_string_value(j);
    return true;
}

bool gd_field_number(gd_exchange *x, const json_t *object, const char *key, double *v) {
    const json_t *j = json_object_get(object, key);
    if (!j) return true;
    if (!json_is_number(j)) return gd_refuse_field(x, key, "a number");
    *v = json_number_value(j);
    return true;
}

bool gd_field_dtype(gd_exchange *x, const json_t *object, gd_dtype *dtype, bool *given) {
    const char *text = NULL;
    *given = false;
    const json_t *j = json_object_get(object, "dtype");
    if (!j || json_is_null(j)) return true;
    if (!gd_field_string(x, object, "dtype", &text)) return false;
    *given = gd_dtype_parse(text, dtype);
    return *given || gd_refuse_field(x, "dtype", "one of float32, float64, int64, int32, uint8, bool");
}

static const char *const mode_names[] = {
    [GD_MODE_GRAD] = "grad", [GD_MODE_NO_GRAD] = "no_grad", [GD_MODE_INFERENCE] = "inference"};

const char *gd_mode_name(gd_grad_mode mode) { return mode_names[mode]; }

bool gd_field_mode(gd_exchange *x, const json_t *object, const char *key, gd_grad_mode *mode) {
    const char *text = NULL;
    if (!gd_field_string(x, object, key, &text)) return false;
    if (!text) return true;
    for (unsigned i = 0; i < sizeof mode_names / sizeof *mode_names; i++)
        if (!strcmp(mode_names[i], text)) {
            *mode = (gd_grad_mode)i;
            return true;
        }
    return gd_refuse_field(x, key, "grad, no_grad or inference");
}

/* ---- names --------------------------------------------------------------------------------- */

gd_tensor *gd_param_tensor(gd_exchange *x) {
    gd_tensor *t = gd_session_get(x->session, x->params[1]);
    if (!t) gd_refuse(x, "unknown_tensor", "The session %s has no tensor %s.", x->params[0], x->params[1]);
    return t;
}

bool gd_check_tensor_name(gd_exchange *x, const char *name) {
    if (gd_session_tensor_name_ok(name)) return true;
    return gd_refuse(
        x, "bad_name",
        "\"%.140s\" is no name for a tensor: [A-Za-z_][A-Za-z0-9_.]{0,127}, the last part neither data nor grad.",
        name);
}

bool gd_bind_name(gd_exchange *x, const char *name, gd_tensor *t, bool *rebound) {
    bool ignored;
    if (gd_session_bind(x->session, name, t, rebound ? rebound : &ignored) == GD_OK) return true;
    return gd_refuse_engine(x);
}

void gd_set_etag(gd_exchange *x, const char *etag) {
    snprintf(x->answer->tag, sizeof x->answer->tag, "%s", etag);
    x->answer->etag = x->answer->tag;
}

void gd_set_location(gd_exchange *x, const char *kind, const char *name) {
    char *p = x->answer->text;
    int n = snprintf(p, sizeof x->answer->text, "/v1/sessions/%s%s%s%s%s", x->params[0], kind ? "/" : "",
                     kind ? kind : "", name ? "/" : "", name ? name : "");
    if (n > 0 && n < (int)sizeof x->answer->text) x->answer->location = p;
}

void gd_put_next(gd_exchange *x, const char *last) {
    GD_TEXT_LIT(&x->out, "],\"next\":");
    gd_text_string(&x->out, last);
    GD_TEXT_LIT(&x->out, "}");
}
