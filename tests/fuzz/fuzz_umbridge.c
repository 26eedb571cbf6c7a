/* fuzz_umbridge.c: whatever body comes to an endpoint of UM-Bridge, the answer is a result, or the protocol's error
 * object with the status that goes with its type. The first byte picks the endpoint. */
#include "tests/fuzz/api_calls.h"

static const char *const paths[] = {"/Evaluate",  "/Gradient",    "/ApplyJacobian", "/ApplyHessian",
                                    "/ModelInfo", "/OutputSizes", "/InputSizes"};

static void start(void) {
    if (fuzz_api) return;
    fuzz_open();
    fuzz_store("f", "def f(x: float64[3], A: float32[2, 2], n: int = 2):\n"
                    "    return {\"y\": x ** n, \"z\": A.sum() * x.sum(), \"k\": (x > 0).sum()}\n");
    fuzz_store("g", "def g(x: float64[70]):\n    return (x * x).sum().log()\n");
    fuzz_store(
        "k",
        "def k(n: int64[2], b: torch.bool[1], s: str = \"a\", t: float = 1.0, q: bool = True):\n    return n * b\n");
}

static void check_error(const json_t *j, int status) {
    const json_t *error = json_object_get(j, "error");
    const char *type = json_string_value(json_object_get(error, "type"));
    expect(json_object_size(j) == 1 && json_object_size(error) == 2 && type);
    expect(json_is_string(json_object_get(error, "message")));
    expect(!strcmp(type, "InvalidOutput") ? status == 500 : status == 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    gd_api_response r;
    start();
    if (bytes == 0) return 0;
    size_t which = (data[0] | 0x20) % (sizeof paths / sizeof *paths);
    int status = fuzz_call(&r, "POST", paths[which], NULL, data + 1, bytes - 1);
    expect(r.content_type && !strcmp(r.content_type, "application/json"));
    /* with allow_nonfinite the answer is what Python calls JSON */
    json_t *j = status == 200 && memmem(data, bytes, "allow_nonfinite", 15) ? NULL : fuzz_json(&r);
    if (status != 200) check_error(j, status);
    json_decref(j);
    gd_api_response_free(&r);
    return 0;
}
