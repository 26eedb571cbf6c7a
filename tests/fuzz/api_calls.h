/* api_calls.h: what the fuzz targets of the api share: one api in process, and requests to it. */
#ifndef GD_FUZZ_API_CALLS_H
#define GD_FUZZ_API_CALLS_H

#include "api/api.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static gd_api *fuzz_api;

static void expect(bool holds) {
    if (!holds) __builtin_trap();
}

/* Answers from `r`, which the caller frees. */
static inline int fuzz_call(gd_api_response *r, const char *method, const char *path, const char *type,
                            const void *body, size_t bytes) {
    gd_api_request request = {.method = method,
                              .path = path,
                              .content_type = type,
                              .body = bytes ? body : "",
                              .body_length = bytes,
                              .id = "fuzz"};
    *r = (gd_api_response){0};
    gd_api_handle(fuzz_api, &request, r);
    return r->status;
}

static inline int fuzz_send(const char *method, const char *path, const char *type, const void *body, size_t bytes) {
    gd_api_response r;
    int status = fuzz_call(&r, method, path, type, body, bytes);
    gd_api_response_free(&r);
    return status;
}

/* Small limits: whatever comes, a run of the target is short. */
static inline void fuzz_open(void) {
    gd_registry_options options = {
        .memory_bytes = (size_t)64 << 20, .session_memory_bytes = (size_t)32 << 20, .max_sessions = 4};
    if (fuzz_api) return;
    gd_registry *registry = gd_registry_new(&options);
    fuzz_api = registry ? gd_api_new(registry) : NULL;
    if (!fuzz_api) abort();
}

static inline void fuzz_store(const char *name, const char *source) {
    char path[64];
    snprintf(path, sizeof path, "/v1/functions/%s", name);
    expect(fuzz_send("PUT", path, "text/plain", source, strlen(source)) == 201);
}

/* The answer is JSON; its document, to be released. */
static inline json_t *fuzz_json(const gd_api_response *r) {
    json_t *j = json_loadb(r->body, r->length, 0, NULL);
    expect(j != NULL);
    return j;
}

#endif
