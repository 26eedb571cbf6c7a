/* fuzz_tesseract.c: whatever body comes to a Tesseract, the answer is JSON: arrays, or details as FastAPI gives them.
 * The first byte picks function and endpoint, and the encoding of the answer. */
#include "tests/fuzz/api_calls.h"

static const char *const endpoints[] = {"apply", "jacobian", "jacobian_vector_product", "vector_jacobian_product",
                                        "abstract_eval"};

static void start(void) {
    if (fuzz_api) return;
    fuzz_open();
    fuzz_store("f", "def f(x: float64[3], A: float32[2, 2], n: int = 2):\n"
                    "    return {\"y\": x ** n, \"z\": A.sum() * x.sum(), \"k\": (x > 0).sum()}\n");
    fuzz_store("g", "def g(x, y):\n    return x * y\n");
}

static void check_details(const json_t *j, int status) {
    const json_t *detail = json_object_get(j, "detail"), *entry;
    size_t i;
    expect(json_object_size(j) == 1 && (status == 422) == json_is_array(detail));
    json_array_foreach (detail, i, entry) {
        expect(json_is_string(json_object_get(entry, "type")) && json_is_string(json_object_get(entry, "msg")));
        expect(json_is_array(json_object_get(entry, "loc")) && json_object_get(entry, "input"));
        expect(!strcmp(json_string_value(json_array_get(json_object_get(entry, "loc"), 0)), "body"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    char path[64];
    start();
    if (bytes == 0) return 0;
    unsigned pick = data[0] - '0';
    snprintf(path, sizeof path, "/tesseract/%c/%s", pick / 5 % 2 ? 'g' : 'f', endpoints[pick % 5]);
    gd_api_request request = {.method = "POST",
                              .path = path,
                              .accept = pick / 10 % 2 ? "application/json+base64" : NULL,
                              .body = (const char *)data + 1,
                              .body_length = bytes - 1};
    gd_api_response r = {0};
    gd_api_handle(fuzz_api, &request, &r);
    json_t *j = fuzz_json(&r);
    if (r.status != 200) check_details(j, r.status);
    json_decref(j);
    gd_api_response_free(&r);
    return 0;
}
