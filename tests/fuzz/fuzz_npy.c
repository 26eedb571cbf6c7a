/* fuzz_npy.c: whatever bytes come as an .npy file, the reader says what they are or why not, and what it takes in comes
 * out the same. */
#include "tests/fuzz/api_calls.h"

#include "api/npy.h"

static const char tensor_path[] = "/v1/sessions/fuzz/tensors/t", npy_type[] = "application/x-npy";

static bool check_header(const uint8_t *data, size_t bytes) {
    gd_npy npy, again;
    const char *why = NULL;
    char text[GD_NPY_WRITE_MAX];
    gd_npy_status status = gd_npy_read((const char *)data, bytes, &npy, &why);
    expect(status != GD_NPY_BAD || (why && *why));
    if (status != GD_NPY_OK) return false;
    expect(npy.header_bytes <= bytes && npy.header_bytes <= GD_NPY_HEADER_MAX);
    expect(npy.ndim >= 0 && npy.ndim <= GD_MAX_DIMS);
    for (int i = 0; i < npy.ndim; i++) expect(npy.sizes[i] >= 0);
    size_t n = gd_npy_write(text, npy.dtype, npy.ndim, npy.sizes);
    expect(n <= sizeof text && gd_npy_read(text, n, &again, &why) == GD_NPY_OK && again.header_bytes == n);
    expect(again.dtype == npy.dtype && again.ndim == npy.ndim && !again.fortran && !again.swapped);
    expect(!memcmp(again.sizes, npy.sizes, (size_t)npy.ndim * sizeof *npy.sizes));
    return true;
}

/* Out and in again: the same bytes. */
static void check_tensor(void) {
    gd_api_request request = {.method = "GET", .path = "/v1/sessions/fuzz/tensors/t/data", .accept = npy_type};
    gd_api_response first = {0}, second = {0};
    gd_api_handle(fuzz_api, &request, &first);
    expect(first.status == 200);
    expect(fuzz_send("PUT", tensor_path, npy_type, first.body, first.length) == 200);
    gd_api_handle(fuzz_api, &request, &second);
    expect(first.length == second.length && !memcmp(first.body, second.body, first.length));
    gd_api_response_free(&first);
    gd_api_response_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    fuzz_open();
    expect(fuzz_send("PUT", "/v1/sessions/fuzz", NULL, NULL, 0) < 300);
    bool header = check_header(data, bytes);
    int status = fuzz_send("PUT", tensor_path, npy_type, data, bytes);
    expect(header || status >= 400);
    if (status < 300) check_tensor();
    expect(fuzz_send("DELETE", "/v1/sessions/fuzz", NULL, NULL, 0) == 204);
    return 0;
}
