/* fuzz_safetensors.c: whatever bytes come as a safetensors file, they are loaded or refused, and what was loaded goes
 * out as a file that loads again and is the same. */
#include "tests/fuzz/api_calls.h"

static const char path[] = "/v1/sessions/fuzz/snapshot", type[] = "application/vnd.safetensors";

static void check_snapshot(void) {
    gd_api_response first, second;
    expect(fuzz_call(&first, "GET", path, NULL, NULL, 0) == 200);
    expect(fuzz_send("PUT", "/v1/sessions/again", NULL, NULL, 0) < 300);
    expect(fuzz_send("PUT", "/v1/sessions/again/snapshot", type, first.body, first.length) < 300);
    expect(fuzz_call(&second, "GET", "/v1/sessions/again/snapshot", NULL, NULL, 0) == 200);
    expect(first.length == second.length && !memcmp(first.body, second.body, first.length));
    gd_api_response_free(&first);
    gd_api_response_free(&second);
    expect(fuzz_send("DELETE", "/v1/sessions/again", NULL, NULL, 0) == 204);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    fuzz_open();
    expect(fuzz_send("PUT", "/v1/sessions/fuzz", NULL, NULL, 0) < 300);
    if (fuzz_send("PUT", path, type, data, bytes) < 300) check_snapshot();
    expect(fuzz_send("DELETE", "/v1/sessions/fuzz", NULL, NULL, 0) == 204);
    return 0;
}
