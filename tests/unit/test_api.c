/* test_api.c: every route in process, good and bad; uploads; costs. */
#include "api/api.h"
#include "api/npy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gd_registry *registry;
static gd_api *api;
static gd_api_response answer;
static char *text; /* the answer's body with a NUL */

static void setup(void) {
    gd_registry_options options = {.max_sessions = 8};
    registry = gd_registry_new(&options);
    api = gd_api_new(registry);
    ck_assert(registry && api);
}

static void teardown(void) {
    gd_api_response_free(&answer);
    free(text);
    text = NULL;
    gd_api_free(api);
    gd_registry_free(registry);
}

static int handle(const gd_api_request *r) {
    gd_api_response_free(&answer);
    gd_api_handle(api, r, &answer);
    free(text);
    text = malloc(answer.length + 1);
    memcpy(text, answer.body, answer.length);
    text[answer.length] = 0;
    return answer.status;
}

/* "PUT /path?query", body or NULL. */
static int call(const char *line, const char *body) {
    char method[16], path[512], *query;
    ck_assert_int_eq(sscanf(line, "%15s %511s", method, path), 2);
    if ((query = strchr(path, '?'))) *query++ = 0;
    return handle(&(gd_api_request){.method = method,
                                    .path = path,
                                    .query = query,
                                    .body = body,
                                    .body_length = body ? strlen(body) : 0,
                                    .id = "r1"});
}

static void has(const char *part) { ck_assert_msg(strstr(text, part) != NULL, "%s lacks %s", text, part); }

static void problem(const char *line, const char *body, int status, const char *code) {
    char expected[80];
    int got = call(line, body);
    ck_assert_msg(got == status, "%s %s: %d %s", line, body ? body : "", got, text);
    ck_assert_str_eq(answer.content_type, "application/problem+json");
    snprintf(expected, sizeof expected, "\"code\":\"%s\"", code);
    has(expected);
    snprintf(expected, sizeof expected, "\"type\":\"/problems/%s\"", code);
    has(expected);
}

static void good(const char *line, const char *body, int status) {
    int got = call(line, body);
    ck_assert_msg(got == status, "%s %s: %d %s", line, body ? body : "", got, text);
}

#define S "/v1/sessions/s"

static void session(void) { good("PUT " S, NULL, 201); }

START_TEST(sessions) {
    good("POST /v1/sessions", "{\"name\":\"a\",\"ttl_seconds\":60}", 201);
    ck_assert_str_eq(answer.location, "/v1/sessions/a");
    has("\"ttl_seconds\":60.0");
    good("POST /v1/sessions", NULL, 201);
    good("PUT " S, NULL, 201);
    good("PUT " S, "{}", 200);
    good("GET " S, NULL, 200);
    has("\"grad_mode\":\"grad\"");
    good("GET /v1/sessions?limit=1", NULL, 200);
    has("\"next\":\"a\"");
    good("GET /v1/sessions?after=a&unknown=1", NULL, 200);
    has("\"next\":null");
    problem("GET /v1/sessions?limit=0", NULL, 422, "bad_query");
    problem("POST /v1/sessions", "{\"name\":\"a\"}", 409, "session_exists");
    problem("POST /v1/sessions", "{\"name\":\"-a\"}", 422, "bad_name");
    problem("POST /v1/sessions", "{\"name\":\"b\",\"ttl_seconds\":-1}", 422, "bad_argument");
    problem("POST /v1/sessions", "{\"nam\":\"b\"}", 422, "unknown_field");
    problem("PUT /v1/sessions/..", NULL, 422, "bad_name");
    problem("PUT /v1/sessions/a%00b", NULL, 400, "bad_path");
    problem("PUT /v1/sessions/a%2Fb", NULL, 400, "bad_path");
    problem("GET /v1/sessions/none", NULL, 404, "unknown_session");
    good("DELETE " S, NULL, 204);
    ck_assert_uint_eq(answer.length, 0);
    problem("DELETE " S, NULL, 404, "unknown_session");
    for (int i = 0; i < 6; i++) good("POST /v1/sessions", "{}", 201);
    problem("POST /v1/sessions", "{}", 429, "too_many_sessions");
}
END_TEST

START_TEST(tensors) {
    session();
    good("PUT " S "/tensors/w", "{\"data\":[[1,2],[3,4.5]],\"requires_grad\":true}", 201);
    ck_assert_str_eq(answer.location, S "/tensors/w");
    has("\"data\":[[1.0,2.0],[3.0,4.5]],\"grad\":null,\"repr\":\"tensor([[1.0000, 2.0000],\\n");
    has("{\"name\":\"w\",\"dtype\":\"float32\",\"shape\":[2,2],\"stride\":[2,1],\"numel\":4,\"nbytes\":16,\"is_leaf\":true,\"requires_grad\":true,"
        "\"retains_grad\":false,\"is_view\":false,\"version\":0,\"grad_fn\":null,\"output_nr\":0,");
    good("PUT " S "/tensors/w", "{\"data\":1,\"dtype\":\"float64\"}", 200);
    good("GET " S "/tensors", NULL, 200);
    has("\"next\":null");
    ck_assert_ptr_null(strstr(text, "\"data\""));
    good("GET " S "/tensors/w?data=none", NULL, 200);
    ck_assert_ptr_null(strstr(text, "\"data\""));
    good("GET " S "/tensors/w/data", NULL, 200);
    ck_assert_str_eq(text, "1.0\n");
    good("GET " S "/tensors/w/grad", NULL, 204);
    good("PUT " S "/tensors/w/grad", "{\"data\":2}", 200);
    has("\"grad\":{\"dtype\":\"float64\",\"shape\":[],\"data\":2.0}");
    good("GET " S "/tensors/w/grad", NULL, 200);
    good("DELETE " S "/tensors/w/grad", NULL, 204);
    good("PUT " S "/tensors/w/data", "{\"data\":7}", 200);
    has("\"data\":7.0");
    good("PATCH " S "/tensors/w", "{\"requires_grad\":true,\"retains_grad\":true}", 200);
    has("\"requires_grad\":true");
    good("DELETE " S "/tensors/w", NULL, 204);
    problem("DELETE " S "/tensors/w", NULL, 404, "unknown_tensor");
}
END_TEST

START_TEST(wrong_tensors) {
    session();
    good("PUT " S "/tensors/i", "{\"data\":[1,2]}", 201);
    problem("PUT " S "/tensors/t", "{\"data\":[1],\"requires_grad\":true}", 422, "dtype_mismatch");
    problem("PUT " S "/tensors/t", "{\"data\":[[1,2],[3]]}", 422, "bad_value");
    has("expected sequence of length 2 at dim 1 (got 1)");
    has("\"pointer\":\"/data\"");
    problem("PUT " S "/tensors/t", "{\"data\":[\"a\"]}", 422, "bad_value");
    problem("PUT " S "/tensors/t", "{\"data\":{}}", 422, "bad_argument");
    problem("PUT " S "/tensors/t", "{\"data\":null}", 422, "runtime_error");
    problem("PUT " S "/tensors/t", "{\"data\":[1],\"dtype\":\"float99\"}", 422, "bad_argument");
    problem("PUT " S "/tensors/t", "{}", 422, "missing_argument");
    problem("PUT " S "/tensors/t", "", 400, "malformed_json");
    problem("PUT " S "/tensors/t", "[1]", 422, "bad_argument");
    problem("PUT " S "/tensors/t.grad", "{\"data\":1}", 422, "bad_name");
    problem("PUT " S "/tensors/t-t", "{\"data\":1}", 422, "bad_name");
    problem("PUT " S "/tensors/i/grad", "{\"data\":[1,2,3]}", 422, "shape_mismatch");
    problem("PATCH " S "/tensors/i", "{\"requires_grad\":true}", 422, "dtype_mismatch");
    problem("PATCH " S "/tensors/i", "{\"retains_grad\":true}", 409, "bad_state");
    problem("PATCH " S "/tensors/i", "{\"requires_grad\":1}", 422, "bad_argument");
    problem("GET " S "/tensors/t", NULL, 404, "unknown_tensor");
    problem("GET " S "/tensors/i?data=some", NULL, 422, "bad_query");
    gd_api_request r = {
        .method = "PUT", .path = S "/tensors/t", .content_type = "text/plain", .body = "{}", .body_length = 2};
    ck_assert_int_eq(handle(&r), 415);
}
END_TEST

static int put_bytes(const char *path, const char *query, const char *type, const void *bytes, size_t n) {
    return handle(&(gd_api_request){
        .method = "PUT", .path = path, .query = query, .content_type = type, .body = bytes, .body_length = n});
}

START_TEST(binary_values) {
    double values[] = {0, 1, 2, 3, 4, 5};
    char file[GD_NPY_WRITE_MAX + sizeof values];
    session();
    ck_assert_int_eq(
        put_bytes(S "/tensors/a", "dtype=float64&shape=2,3&requires_grad=true", "application/octet-stream", values, 48),
        201);
    has("\"data\":[[0.0,1.0,2.0],[3.0,4.0,5.0]]");
    has("\"requires_grad\":true");
    ck_assert_int_eq(put_bytes(S "/tensors/e", "shape=0,3", "application/octet-stream", "", 0), 201);
    has("\"data\":[]");
    ck_assert_int_eq(put_bytes(S "/tensors/z", "dtype=int64&shape=", "application/octet-stream", values, 8), 201);
    has("\"shape\":[]");
    ck_assert_int_eq(put_bytes(S "/tensors/b", "dtype=bool", "application/octet-stream", "\0\7", 2), 201);
    has("\"data\":[false,true]");
    ck_assert_int_eq(put_bytes(S "/tensors/c", "dtype=float64&shape=7", "application/octet-stream", values, 48), 422);
    has("wrong_length");
    ck_assert_int_eq(put_bytes(S "/tensors/c", "shape=4611686018427387904,4", "application/octet-stream", values, 48),
                     422);
    ck_assert_int_eq(put_bytes(S "/tensors/c", "shape=1,", "application/octet-stream", values, 4), 422);
    ck_assert_int_eq(put_bytes(S "/tensors/a/data", "", "application/octet-stream", values, 48), 200);
    int64_t sizes[] = {3, 2};
    size_t n = gd_npy_write(file, GD_FLOAT64, 2, sizes);
    memcpy(file + n, values, sizeof values);
    ck_assert_int_eq(put_bytes(S "/tensors/n", NULL, "application/x-npy", file, n + 48), 201);
    has("\"data\":[[0.0,1.0],[2.0,3.0],[4.0,5.0]]");
    char *order = memmem(file, n, "False", 5);
    memcpy(order, "True ", 5);
    ck_assert_int_eq(put_bytes(S "/tensors/f", NULL, "application/x-npy", file, n + 48), 201);
    has("\"data\":[[0.0,3.0],[1.0,4.0],[2.0,5.0]]");
    ck_assert_int_eq(put_bytes(S "/tensors/c", NULL, "application/x-npy", file, n + 40), 422);
    ck_assert_int_eq(put_bytes(S "/tensors/c", NULL, "application/x-npy", file, 20), 400);
    ck_assert_int_eq(put_bytes(S "/tensors/c", NULL, "application/x-npy", "", 0), 400);
    gd_api_request get = {.method = "GET",
                          .path = S "/tensors/n/data",
                          .accept = "text/html, application/x-npy;q=0.9, application/json;q=0.1"};
    ck_assert_int_eq(handle(&get), 200);
    ck_assert_str_eq(answer.content_type, "application/x-npy");
    ck_assert(answer.length == n + 48 && !memcmp(answer.body + n, values, 48));
    get.accept = "application/octet-stream";
    ck_assert_int_eq(handle(&get), 200);
    ck_assert(answer.length == 48 && !memcmp(answer.body, values, 48));
    get.accept = "image/png";
    ck_assert_int_eq(handle(&get), 200);
    ck_assert_str_eq(answer.content_type, "application/json");
}
END_TEST

/* The bytes in pieces, then the request. */
static int upload(const char *query, const char *type, const char *bytes, size_t n, size_t piece) {
    gd_api_request r = {.method = "PUT", .path = S "/tensors/u", .query = query, .content_type = type};
    r.upload = gd_api_upload_begin(api, &r, n);
    ck_assert_ptr_nonnull(r.upload);
    for (size_t at = 0; at < n; at += piece)
        ck_assert(gd_api_upload_write(r.upload, bytes + at, n - at < piece ? n - at : piece));
    ck_assert(!gd_api_try(api, &r, &answer));
    int status = handle(&r);
    gd_api_upload_free(r.upload);
    return status;
}

START_TEST(uploads) {
    enum { N = 20000 };
    char *file = calloc(1, GD_NPY_WRITE_MAX + 8 * N);
    int64_t size = N;
    size_t head = gd_npy_write(file, GD_FLOAT64, 1, &size), n = head + 8 * N;
    double last = 42;
    memcpy(file + n - 8, &last, 8);
    session();
    for (size_t piece = 1; piece <= n; piece = piece * 37 + 1) {
        int status = upload("data=none", "application/x-npy", file, n, piece);
        ck_assert_msg(status == 200 || status == 201, "%d %s", status, text);
        good("POST " S "/ops", "{\"op\":\"sum\",\"args\":[\"u\"]}", 201);
        has("\"data\":42.0");
    }
    ck_assert_int_eq(upload("dtype=float64&data=none", "application/octet-stream", file + head, 8 * N, 4096), 200);
    has("\"shape\":[20000]");
    ck_assert_int_eq(upload("shape=3", "application/octet-stream", file, 8 * N, 4096), 422);
    ck_assert_int_eq(upload(NULL, "application/x-npy", file, n - 1, 4096), 422);
    memset(file, 'x', 100);
    ck_assert_int_eq(upload(NULL, "application/x-npy", file, n, 4096), 400);
    gd_api_request small = {.method = "PUT", .path = S "/tensors/u", .content_type = "application/octet-stream"};
    ck_assert_ptr_null(gd_api_upload_begin(api, &small, 100));
    ck_assert_ptr_null(gd_api_upload_begin(api, &small, UINT64_MAX));
    small.path = "/v1/sessions/none/tensors/u";
    ck_assert_ptr_null(gd_api_upload_begin(api, &small, 1 << 20));
    free(file);
}
END_TEST

START_TEST(ops) {
    session();
    good("PUT " S "/tensors/x", "{\"data\":[2.0]}", 201);
    good("PUT " S "/tensors/w", "{\"data\":[2.1],\"requires_grad\":true}", 201);
    good("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",\"w\"],\"out\":\"y\"}", 201);
    has("{\"outputs\":[{\"name\":\"y\"");
    has("\"grad_fn\":{\"id\":\"n");
    has("\"repr\":\"tensor([4.2000], grad_fn=<MulBackward0>)\"");
    good("POST " S "/ops", "{\"op\":\"exp\",\"args\":[\"x\"]}", 201);
    has("\"name\":\"_1\"");
    good("POST " S "/ops", "{\"op\":\"add_\",\"args\":[\"x\",1]}", 201);
    has("\"name\":\"x\"");
    has("\"version\":1");
    good("POST " S "/ops", "{\"op\":\"mul_\",\"args\":[\"w.data\",2]}", 201);
    has("\"name\":\"w.data\"");
    good("POST " S "/ops", "{\"op\":\"item\",\"args\":[2.5]}", 201);
    ck_assert_str_eq(text, "{\"value\":2.5}\n");
    good("POST " S "/ops", "{\"op\":\"manual_seed\",\"args\":[0]}", 201);
    ck_assert_str_eq(text, "{\"value\":null}\n");
    good("POST " S "/ops", "{\"op\":\"max\",\"args\":[[3,1,2],0],\"out\":[\"v\",\"i\"]}", 201);
    has("\"name\":\"i\"");
    good("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"w\",2],\"grad_mode\":\"no_grad\"}", 201);
    has("\"requires_grad\":false");
    good("POST " S "/ops", "{\"op\":\"clamp\",\"args\":[[1.0,9.0]],\"kwargs\":{\"max\":\"Infinity\",\"min\":2}}", 201);
    has("\"data\":[2.0,9.0]");
    good("POST " S "/ops", "{\"op\":\"__getitem__\",\"args\":[[[1,2],[3,4]],[\"...\",{\"slice\":[1,null]}]]}", 201);
    has("\"data\":[[2],[4]]");
    good("POST " S "/ops", "[{\"op\":\"ones\",\"args\":[2],\"out\":\"a\"},{\"op\":\"mul\",\"args\":[\"a\",3]}]", 201);
    has("},{\"outputs\":[{");
    good("POST " S "/ops", "[]", 201);
}
END_TEST

START_TEST(wrong_ops) {
    session();
    good("PUT " S "/tensors/x", "{\"data\":[1.0,2.0,3.0]}", 201);
    problem("POST " S "/ops", "{\"op\":\"frobnicate\",\"args\":[]}", 422, "unknown_op");
    problem("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\"]}", 422, "missing_argument");
    problem("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",\"nope\"]}", 404, "unknown_name");
    problem("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",\"x\"],\"out\":\"a.grad\"}", 422, "bad_name");
    problem("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",\"x\"],\"out\":[\"a\",\"b\"]}", 422, "bad_value");
    problem("POST " S "/ops", "{\"op\":\"max\",\"args\":[\"x\",0],\"out\":[\"a\"]}", 422, "bad_value");
    problem("POST " S "/ops", "{\"op\":\"mul_\",\"args\":[\"x\",2],\"out\":[]}", 422, "bad_value");
    good("GET " S "/tensors/x/data", NULL, 200);
    ck_assert_str_eq(text, "[1.0,2.0,3.0]\n");
    problem("POST " S "/ops", "{\"op\":\"add\",\"args\":[\"x\",[1,2]]}", 422, "shape_mismatch");
    problem("POST " S "/ops", "{\"op\":\"mul\",\"args\":{}}", 422, "bad_argument");
    problem("POST " S "/ops", "{\"op\":\"mul\",\"args\":[{\"a\":1}]}", 422, "bad_argument");
    has("\"pointer\":\"/args/0\"");
    problem("POST " S "/ops", "{\"args\":[]}", 422, "missing_argument");
    problem("POST " S "/ops", "{\"op\":1}", 422, "bad_argument");
    problem("POST " S "/ops", "{\"op\":\"add\",\"arg\":[]}", 422, "unknown_field");
    problem("POST " S "/ops", "{\"op\":\"zeros\",\"args\":[[4611686018427387904,4]]}", 422, "too_large");
    problem("POST " S "/ops", "[{\"op\":\"ones\",\"args\":[2],\"out\":\"d\"},{\"op\":\"ones\",\"args\":[\"q\"]}]", 422,
            "bad_argument");
    has("\"pointer\":\"/1\"");
    good("GET " S "/tensors/d", NULL, 200);
    problem("POST /v1/sessions/none/ops", "{\"op\":\"ones\",\"args\":[2]}", 404, "unknown_session");
    problem("GET " S "/tensors/_1", NULL, 404, "unknown_tensor");
}
END_TEST

/* Numbers in large arrays take another way than in small ones: it must not show. */
START_TEST(large_constants) {
    char body[8192], *p = body;
    session();
    p += sprintf(p, "{\"op\":\"cat\",\"args\":[[[");
    for (int i = 0; i < 100; i++) p += sprintf(p, "%s%d", i ? "," : "", i);
    p += sprintf(p, "],[1,2,3]]]}");
    good("POST " S "/ops", body, 201);
    has("\"shape\":[103]");
    p = body + sprintf(body, "{\"op\":\"stack\",\"args\":[[");
    for (int i = 0; i < 100; i++) p += sprintf(p, "%s[%d,1]", i ? "," : "", i);
    p += sprintf(p, "]]}");
    good("POST " S "/ops", body, 201);
    has("\"shape\":[100,2]");
    p = body + sprintf(body, "{\"op\":\"__getitem__\",\"args\":[[5,6,7],[[");
    for (int i = 0; i < 100; i++) p += sprintf(p, "%s%d", i ? "," : "", i % 3);
    p += sprintf(p, "]]]}");
    good("POST " S "/ops", body, 201);
    has("\"shape\":[100]");
    p = body + sprintf(body, "{\"data\":[");
    for (int i = 0; i < 100; i++) p += sprintf(p, "%s%s", i ? "," : "", i == 50 ? "0.5" : i == 51 ? "1e999" : "1");
    sprintf(p, "],\"requires_grad\":true}");
    good("PUT " S "/tensors/t", body, 201);
    has("1.0,0.5,\"Infinity\",1.0");
    p = body + sprintf(body, "{\"tensors\":\"t\",\"grad_tensors\":[");
    for (int i = 0; i < 100; i++) p += sprintf(p, "%s%d", i ? "," : "", i);
    strcpy(p, "]}");
    good("POST " S "/backward", body, 200);
    good("GET " S "/tensors/t/grad", NULL, 200);
    has(",98.0,99.0]");
    p = body + sprintf(body, "{\"data\":[");
    for (int i = 0; i < 100; i++) p += sprintf(p, "[%d,2%s],", i, i == 77 ? ",3" : "");
    strcpy(p - 1, "]}");
    problem("PUT " S "/tensors/t", body, 422, "bad_value");
    has("expected sequence of length 2 at dim 1 (got 3)");
}
END_TEST

START_TEST(autograd) {
    session();
    good("PUT " S "/tensors/x", "{\"data\":3.0,\"requires_grad\":true}", 201);
    good("PUT " S "/tensors/u", "{\"data\":1.0,\"requires_grad\":true}", 201);
    good("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",\"x\"],\"out\":\"y\"}", 201);
    good("POST " S "/backward", "{\"tensors\":\"y\",\"retain_graph\":true}", 200);
    ck_assert_str_eq(text, "{\"accumulated\":[\"x\"]}\n");
    good("POST " S "/backward", "{\"tensors\":[\"y\"],\"grad_tensors\":[2],\"inputs\":[\"x\"],\"retain_graph\":true}",
         200);
    good("GET " S "/tensors/x/grad", NULL, 200);
    ck_assert_str_eq(text, "18.0\n");
    good(
        "POST " S "/grad",
        "{\"outputs\":\"y\",\"inputs\":[\"x\",\"u\"],\"allow_unused\":true,\"create_graph\":true,\"out\":[\"g\",null]}",
        200);
    has("{\"grads\":[{\"name\":\"g\"");
    has(",null]}");
    problem("POST " S "/grad", "{\"outputs\":\"y\",\"inputs\":[\"u\"],\"retain_graph\":true}", 409, "unused_input");
    problem("POST " S "/grad", "{\"outputs\":\"y\",\"inputs\":[\"x\"],\"out\":[\"a\",\"b\"]}", 422, "bad_value");
    problem("POST " S "/grad", "{\"outputs\":\"y\",\"inputs\":[]}", 422, "bad_value");
    problem("POST " S "/grad", "{\"outputs\":\"y\"}", 422, "missing_argument");
    problem("POST " S "/backward", "{\"tensors\":\"y\",\"inputs\":[]}", 422, "runtime_error");
    problem("POST " S "/backward", "{\"tensors\":\"y\",\"grad_tensors\":[1,2]}", 422, "shape_mismatch");
    problem("POST " S "/backward", "{\"tensors\":[\"y\",\"y\"],\"grad_tensors\":[1]}", 422, "runtime_error");
    problem("POST " S "/backward", "{\"tensors\":\"nope\"}", 404, "unknown_name");
    problem("POST " S "/backward", "{\"tensors\":1}", 422, "bad_argument");
    problem("POST " S "/backward", "{\"tensors\":[1]}", 422, "bad_argument");
    good("POST " S "/backward", "{\"tensors\":\"y\"}", 200);
    problem("POST " S "/backward", "{\"tensors\":\"y\"}", 409, "graph_freed");
    good("PUT " S "/grad-mode", "{\"mode\":\"no_grad\"}", 200);
    good("GET " S "/grad-mode", NULL, 200);
    ck_assert_str_eq(text, "{\"mode\":\"no_grad\"}\n");
    problem("PUT " S "/grad-mode", "{\"mode\":\"x\"}", 422, "bad_argument");
    problem("PUT " S "/grad-mode", "{}", 422, "missing_argument");
}
END_TEST

START_TEST(graph) {
    session();
    good("PUT " S "/tensors/x", "{\"data\":[1.0],\"requires_grad\":true}", 201);
    good("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",3],\"out\":\"y\"}", 201);
    good("GET " S "/graph?of=y", NULL, 200);
    has("\"name\":\"MulBackward0\",\"next\":[[\"n");
    has("[null,0]]");
    has("\"name\":\"AccumulateGrad\"");
    has("\"tensor\":\"x\"");
    has("\"saved\":[\"other\",\"self\"]");
    char id[32] = "", line[128];
    sscanf(strstr(text, "\"roots\":[\""), "\"roots\":[\"%31[n0-9]", id);
    snprintf(line, sizeof line, "GET %s/nodes/%s", S, id);
    good(line, NULL, 200);
    has("\"next_functions\":[{\"id\":\"n");
    good("GET " S "/graph?format=dot", NULL, 200);
    has("digraph");
    good("GET " S "/graph?of=x&format=mermaid", NULL, 200);
    has("graph TD");
    problem("GET " S "/graph?of=q", NULL, 404, "unknown_tensor");
    problem("GET " S "/graph?format=png", NULL, 422, "bad_query");
    problem("GET " S "/nodes/n99", NULL, 404, "unknown_node");
    problem("GET " S "/nodes/99", NULL, 404, "unknown_node");
}
END_TEST

START_TEST(hooks) {
    session();
    good("PUT " S "/tensors/x", "{\"data\":[2.0],\"requires_grad\":true}", 201);
    good("POST " S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",3],\"out\":\"y\"}", 201);
    good("POST " S "/tensors/y/hooks", "{\"record\":true}", 201);
    char line[64];
    snprintf(line, sizeof line, "GET %s", answer.location);
    good("POST " S "/backward", "{\"tensors\":\"y\",\"grad_tensors\":[5.0],\"retain_graph\":true}", 200);
    good(line, NULL, 200);
    has("\"calls\":[[5.0]]");
    problem("POST " S "/backward", "{\"tensors\":[\"y\"],\"grad_tensors\":[[1,2,3]]}", 422, "shape_mismatch");
    good("GET " S "/tensors/y/hooks", NULL, 200);
    has("\"count\":1}],\"next\":null}");
    problem("POST " S "/tensors/y/hooks", "{\"source\":\"lambda g:\"}", 400, "syntax_error");
    problem("POST " S "/tensors/y/hooks", "{\"source\":\"g\",\"record\":true}", 422, "bad_argument");
    problem("POST " S "/tensors/y/hooks", "{}", 422, "missing_argument");
    memcpy(line, "DELETE ", 7);
    snprintf(line, sizeof line, "DELETE %s", S "/hooks/h1");
    good(line, NULL, 204);
    problem(line, NULL, 404, "unknown_hook");
    good("POST " S "/tensors/y/hooks", "{\"record\":true}", 201);
    good("DELETE " S "/tensors/y", NULL, 204);
    good("PUT " S "/tensors/c", "{\"data\":[2.0]}", 201);
    problem("POST " S "/tensors/c/hooks", "{\"record\":true}", 409, "bad_state");
}
END_TEST

START_TEST(programs) {
    static _Atomic bool stop = true;
    session();
    good("POST " S "/run", "x = torch.ones(2)\nprint(x)\nx.shape", 200);
    ck_assert_str_eq(text, "{\"stdout\":\"tensor([1., 1.])\\n\",\"result\":[2],\"assigned\":[\"x\"]}\n");
    problem("POST " S "/run", "y = 1\n1 / 0", 422, "program_error");
    has("\"line\":2,\"column\":1,\"exception\":\"ZeroDivisionError\",\"stdout\":\"\",\"assigned\":[\"y\"]}");
    problem("POST " S "/run", "1 +", 400, "syntax_error");
    problem("POST " S "/run?data=x", "1", 422, "bad_query");
    gd_api_set_program_limits(api, &(gd_program_limits){.steps = 1000});
    problem("POST " S "/run", "while True: pass", 413, "program_limit");
    has("\"limit\":\"steps\"");
    gd_api_request r = {.method = "POST", .path = S "/run", .body = "1", .body_length = 1, .stop = &stop};
    ck_assert_int_eq(handle(&r), GD_STATUS_LEFT); /* its client had left: it never ran */
    ck_assert_uint_eq(answer.length, 0);
    gd_api_set_draining(api, true);
    ck_assert_int_eq(handle(&r), 503);
    stop = false;
    ck_assert_int_eq(handle(&r), 200);
    gd_api_response_free(&answer);
    ck_assert(!gd_api_try(api, &r, &answer));
    r.path = S "/backward";
    ck_assert(!gd_api_try(api, &r, &answer)); /* hooks may be programs */
}
END_TEST

START_TEST(the_service) {
    session();
    good("GET /healthz", NULL, 200);
    good("HEAD /healthz", NULL, 200);
    good("GET /readyz", NULL, 200);
    gd_api_set_draining(api, true);
    problem("GET /readyz", NULL, 503, "draining");
    gd_api_set_draining(api, false);
    good("GET /metrics", NULL, 200);
    ck_assert_str_eq(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    has("gradd_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 2\n");
    good("GET /version", NULL, 200);
    good("GET /openapi.json", NULL, 200);
    has("\"/v1/sessions/{s}/ops\"");
    good("GET /docs", NULL, 200);
    good("GET /", NULL, 200);
    good("GET /problems/graph_freed", NULL, 200);
    problem("GET /problems/nope", NULL, 404, "unknown_problem");
    good("GET /v1/ops?limit=1000", NULL, 200);
    has("\"next\":null");
    good("GET /v1/ops/add", NULL, 200);
    has("\"signature\":\"add(Tensor self, Tensor other");
    has("\"inplace\":\"add_\"");
    problem("GET /v1/ops/nope", NULL, 404, "unknown_op");
    problem("GET /nope", NULL, 404, "not_found");
    problem("GET /v1/sessions/", NULL, 404, "not_found");
    problem("PATCH " S, "{}", 405, "method_not_allowed");
    ck_assert_str_eq(answer.allow, "GET, HEAD, PUT, DELETE");
    good("OPTIONS " S, NULL, 204);
    ck_assert_str_eq(answer.allow, "GET, HEAD, PUT, DELETE, OPTIONS");
    gd_api_response_free(&answer);
    gd_api_problem(&answer, 0, "body_too_large", "too large", "id");
    ck_assert_int_eq(answer.status, 413);
}
END_TEST

/* Is the request answered by a thread that must not compute for long? */
static bool is_brief(const char *method, const char *path, const char *body) {
    gd_api_request r = {.method = method, .path = path, .body = body, .body_length = body ? strlen(body) : 0};
    gd_api_response_free(&answer);
    return gd_api_try(api, &r, &answer);
}

START_TEST(costs) {
    session();
    good("PUT " S "/tensors/x", "{\"data\":[2.5]}", 201);
    ck_assert(is_brief("POST", S "/ops", "{\"op\":\"mul\",\"args\":[\"x\",0.123456789012345]}"));
    ck_assert(!is_brief("POST", S "/ops", "{\"op\":\"randn\",\"args\":[[1000,1000]]}"));
    good("POST " S "/ops", "{\"op\":\"ones\",\"args\":[[2000,1]],\"out\":\"a\"}", 201);
    good("POST " S "/ops", "{\"op\":\"ones\",\"args\":[[1,2000]],\"out\":\"b\"}", 201);
    good("POST " S "/ops", "{\"op\":\"zeros\",\"args\":[100000],\"out\":\"big\"}", 201);
    ck_assert(!is_brief("POST", S "/ops", "{\"op\":\"mul\",\"args\":[\"a\",\"b\"]}"));
    ck_assert(is_brief("POST", S "/ops", "{\"op\":\"mul\",\"args\":[\"a\",\"a\"]}"));
    ck_assert(!is_brief("POST", S "/ops", "{\"op\":\"mul\",\"args\":[\"big.data\",2]}"));
    ck_assert(!is_brief("GET", S "/tensors/big/data", NULL));
    ck_assert(is_brief("GET", S "/tensors/x", NULL));
    ck_assert(is_brief("GET", "/healthz", NULL));
    ck_assert(is_brief("GET", "/v1/sessions/none", NULL));
    gd_session *held;
    ck_assert_int_eq(gd_session_acquire(registry, "s", &held), GD_SESSION_OK);
    ck_assert(!is_brief("GET", S "/tensors/x", NULL));
    gd_session_unlock(held);
}
END_TEST

Suite *api_suite(void);
Suite *api_suite(void) {
    Suite *suite = suite_create("api");
    TCase *tc = tcase_create("api");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, sessions);
    tcase_add_test(tc, tensors);
    tcase_add_test(tc, wrong_tensors);
    tcase_add_test(tc, binary_values);
    tcase_add_test(tc, uploads);
    tcase_add_test(tc, ops);
    tcase_add_test(tc, wrong_ops);
    tcase_add_test(tc, large_constants);
    tcase_add_test(tc, autograd);
    tcase_add_test(tc, graph);
    tcase_add_test(tc, hooks);
    tcase_add_test(tc, programs);
    tcase_add_test(tc, the_service);
    tcase_add_test(tc, costs);
    suite_add_tcase(suite, tc);
    return suite;
}
