/* openapi.c: /openapi.json, from the tables of routes and schemas. */
#include "api/openapi.h"
#include "api/binary.h"
#include "api/router.h"

static void put_key(gd_text *t, const char *key, bool *first) {
    if (!*first) GD_TEXT_LIT(t, ",");
    *first = false;
    gd_text_string(t, key);
    GD_TEXT_LIT(t, ":");
}

static void put_parameter(gd_text *t, const char *in, const char *name, const char *schema, bool *first) {
    if (!*first) GD_TEXT_LIT(t, ",");
    *first = false;
    gd_text_f(t, "{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":%s}", name, in,
              strcmp(in, "path") ? "false" : "true", schema);
}

static const char *path_schema(const char *name, size_t n) {
    if (n == 1 && (*name == 's' || *name == 'f'))
        return "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$\"}";
    if (n == 1 && *name == 't') return "{\"$ref\":\"#/components/schemas/Name\"}";
    return "{\"type\":\"string\"}";
}

static void put_parameters(gd_text *t, const gd_route *r) {
    bool first = true;
    GD_TEXT_LIT(t, ",\"parameters\":[");
    for (const char *p = r->path; (p = strchr(p, '{')); p++) {
        char name[16];
        size_t n = strcspn(p + 1, "}");
        snprintf(name, sizeof name, "%.*s", (int)n, p + 1);
        put_parameter(t, "path", name, path_schema(name, n), &first);
    }
    if (r->flags & GD_R_DATA)
        put_parameter(t, "query", "data", "{\"type\":\"string\",\"enum\":[\"full\",\"none\"]}", &first);
    if (r->flags & GD_R_PAGE) {
        put_parameter(t, "query", "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":100}",
                      &first);
        put_parameter(t, "query", "after", "{\"type\":\"string\"}", &first);
    }
    if (r->flags & GD_R_BINARY) {
        put_parameter(t, "query", "dtype", "{\"$ref\":\"#/components/schemas/Dtype\"}", &first);
        put_parameter(t, "query", "shape", "{\"type\":\"string\",\"pattern\":\"^([0-9]+(,[0-9]+)*)?$\"}", &first);
    }
    if (r->flags & GD_R_EVALUATION) {
        put_parameter(t, "query", "wrt", "{\"type\":\"string\",\"description\":\"Inputs with commas between.\"}",
                      &first);
        put_parameter(t, "query", "batched", "{\"type\":\"boolean\"}", &first);
    }
    if (r->handle == gd_handle_put_function || r->handle == gd_handle_delete_function)
        put_parameter(t, "header", "If-Match", "{\"type\":\"string\"}", &first);
    if (r->handle == gd_handle_put_function || r->handle == gd_handle_get_function)
        put_parameter(t, "header", "If-None-Match", "{\"type\":\"string\"}", &first);
    if (r->handle == gd_handle_put_tensor) put_parameter(t, "query", "requires_grad", "{\"type\":\"boolean\"}", &first);
    if (r->handle == gd_handle_get_graph) {
        put_parameter(t, "query", "of", "{\"$ref\":\"#/components/schemas/Name\"}", &first);
        put_parameter(t, "query", "format", "{\"type\":\"string\",\"enum\":[\"json\",\"dot\",\"mermaid\"]}", &first);
    }
    GD_TEXT_LIT(t, "]");
}

#define BINARY_CONTENT                                                                                                 \
    ",\"application/x-npy\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}},"                                 \
    "\"application/octet-stream\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}"

#define FILE_CONTENT "\"" GD_SAFETENSORS_TYPE "\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}"
#define ARRAYS_CONTENT ",\"application/x-npy\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}," FILE_CONTENT

#define TEXT_CONTENT ",\"text/plain\":{\"schema\":{\"type\":\"string\"}}"

static void put_request(gd_text *t, const gd_route *r) {
    if (r->flags & GD_R_SAFETENSORS)
        GD_TEXT_LIT(t, ",\"requestBody\":{\"required\":true,\"content\":{" FILE_CONTENT "}}");
    if (!*r->request) return;
    gd_text_f(
        t,
        ",\"requestBody\":{\"required\":%s,\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}",
        r->flags & GD_R_EMPTY ? "false" : "true", r->request);
    if (r->flags & GD_R_BINARY) GD_TEXT_LIT(t, BINARY_CONTENT);
    if (r->flags & GD_R_EVALUATION) GD_TEXT_LIT(t, ARRAYS_CONTENT);
    if (r->flags & GD_R_PROGRAM) GD_TEXT_LIT(t, TEXT_CONTENT);
    GD_TEXT_LIT(t, "}}");
}

static void put_content(gd_text *t, const gd_route *r) {
    if (!*r->response) return;
    if (strchr(r->response, '/')) {
        gd_text_f(t, ",\"content\":{\"%s\":{\"schema\":{\"type\":\"%s\"}}}", r->response,
                  strstr(r->response, "json") ? "object" : "string");
        return;
    }
    gd_text_f(t, ",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}", r->response);
    if (!strcmp(r->response, "Value")) GD_TEXT_LIT(t, BINARY_CONTENT);
    if (r->flags & GD_R_EVALUATION && r->handle != gd_handle_check) GD_TEXT_LIT(t, ARRAYS_CONTENT);
    if (!strcmp(r->response, "Graph"))
        GD_TEXT_LIT(t, ",\"text/vnd.graphviz\":{\"schema\":{\"type\":\"string\"}}" TEXT_CONTENT);
    if (r->handle == gd_handle_run) GD_TEXT_LIT(t, TEXT_CONTENT);
    GD_TEXT_LIT(t, "}");
}

#define ERROR(type, name) "\"" type "\":{\"schema\":{\"$ref\":\"#/components/schemas/" name "\"}}"

/* Problems, or what the clients of another protocol expect. */
static const char *error_schema(const gd_route *r) {
    if (!strncmp(r->response, "UMBridge", 8)) return ERROR("application/json", "UMBridgeError");
    if (!strncmp(r->path, "/tesseract/", 11)) return ERROR("application/json", "TesseractError");
    return ERROR("application/problem+json", "Problem");
}

static void put_responses(gd_text *t, const gd_route *r) {
    gd_text_f(t, ",\"responses\":{\"%d\":{\"description\":\"Done.\"", r->status);
    put_content(t, r);
    GD_TEXT_LIT(t, "}");
    if (r->status == 201 && !strcmp(r->method, "PUT")) {
        GD_TEXT_LIT(t, ",\"200\":{\"description\":\"It was there before.\"");
        put_content(t, r);
        GD_TEXT_LIT(t, "}");
    }
    if (r->handle == gd_handle_get_function)
        GD_TEXT_LIT(t, ",\"304\":{\"description\":\"If-None-Match names it: nothing has changed.\"}");
    if (r->handle == gd_handle_get_grad) GD_TEXT_LIT(t, ",\"204\":{\"description\":\"There is no gradient.\"}");
    gd_text_f(t, ",\"default\":{\"description\":\"What went wrong.\",\"content\":{%s", error_schema(r));
    if (r->handle == gd_handle_run) GD_TEXT_LIT(t, TEXT_CONTENT);
    GD_TEXT_LIT(t, "}}}");
}

static void put_method(gd_text *t, const gd_route *r) {
    for (const char *p = r->method; *p; p++) gd_text_put(t, (char[]){(char)(*p | 0x20)}, 1);
}

static void put_path(gd_text *t, size_t first_route) {
    const char *path = gd_routes[first_route].path;
    bool first = true;
    GD_TEXT_LIT(t, "{");
    for (size_t i = first_route; i < gd_route_count; i++) {
        const gd_route *r = &gd_routes[i];
        if (strcmp(r->path, path)) continue;
        gd_text_puts(t, first ? "\"" : ",\"");
        first = false;
        put_method(t, r);
        GD_TEXT_LIT(t, "\":{\"summary\":");
        gd_text_string(t, r->summary);
        gd_text_f(t, ",\"operationId\":\"%s\"", r->id);
        put_parameters(t, r);
        put_request(t, r);
        put_responses(t, r);
        GD_TEXT_LIT(t, "}");
    }
    GD_TEXT_LIT(t, "}");
}

static bool seen_before(size_t i) {
    for (size_t k = 0; k < i; k++)
        if (!strcmp(gd_routes[k].path, gd_routes[i].path)) return true;
    return false;
}

static void put_schemas(gd_text *t) {
    bool first = true;
#define SCHEMA(name, json)                                                                                             \
    put_key(t, #name, &first);                                                                                         \
    gd_text_puts(t, json);
#include "api/schemas.def"
#undef SCHEMA
}

void gd_openapi_write(gd_text *t) {
    bool first = true;
    gd_text_f(
        t,
        "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"gradd\",\"version\":\"%s\",\"description\":\"PyTorch's autograd over HTTP.\","
        "\"license\":{\"name\":\"MIT\",\"identifier\":\"MIT\"}},\"security\":[{},{\"bearer\":[]}],\"paths\":{",
        GRADD_VERSION);
    for (size_t i = 0; i < gd_route_count; i++) {
        if (seen_before(i)) continue;
        put_key(t, gd_routes[i].path, &first);
        put_path(t, i);
    }
    GD_TEXT_LIT(
        t,
        "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}},\"schemas\":{");
    put_schemas(t);
    GD_TEXT_LIT(t, "}}}\n");
}
