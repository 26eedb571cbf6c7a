/* engine.c: the engine's own figures, without HTTP. Prints one "name value" line each; bench.py makes the table.
 * "engine program FILE" prints the milliseconds that one run of the program in FILE takes, best of seven; "engine
 * gradients" what value and gradient of the stored function Rosenbrock-100 take, at one point and at 10,000.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/api.h"
#include "core/function/function.h"
#include "core/gradd.h"
#include "core/program/program.h"
#include "tests/bench/bench.h"

static gd_ctx *ctx;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static gd_tensor *must(gd_tensor *t) {
    if (!t) {
        fprintf(stderr, "%s\n", gd_ctx_error(ctx)->message);
        exit(1);
    }
    return t;
}

static gd_tensor *leaf(double value) {
    gd_tensor *t = must(gd_scalar_f64(ctx, value, GD_FLOAT32));
    if (gd_set_requires_grad(ctx, t, true)) exit(1);
    return t;
}

static void backward(gd_tensor *y) {
    if (gd_backward(ctx, &y, 1, NULL, NULL, 0, &(gd_backward_options){0}, NULL, NULL)) must(NULL);
}

/* y = y * v, `length` times, backward, free; seconds. */
static double chain(int length) {
    gd_tensor *v = leaf(0.9999999), *y = gd_retain(v);
    double start = now();
    for (int i = 0; i < length; i++) {
        gd_tensor *next = must(gd_mul(ctx, y, v));
        gd_release(y);
        y = next;
    }
    backward(y);
    gd_release(y);
    double seconds = now() - start;
    gd_release(v);
    return seconds;
}

static double best_of(int rounds, double (*f)(int), int argument) {
    double best = 1e9;
    for (int i = 0; i < rounds; i++) {
        double s = f(argument);
        if (s < best) best = s;
    }
    return best;
}

/* x**2 * exp(x) over n float32, summed backward with ones; seconds. */
static gd_tensor *large_x, *large_ones;
static double fused(int unused) {
    (void)unused;
    double start = now();
    gd_tensor *square = must(gd_pow_scalar(ctx, large_x, 2)), *e = must(gd_exp(ctx, large_x));
    gd_tensor *y = must(gd_mul(ctx, square, e));
    gd_release(square), gd_release(e);
    if (gd_backward(ctx, &y, 1, &large_ones, NULL, 0, &(gd_backward_options){0}, NULL, NULL)) must(NULL);
    gd_release(y);
    double seconds = now() - start;
    if (gd_set_grad(ctx, large_x, NULL)) exit(1);
    return seconds;
}

static double large(int64_t n) {
    gd_tensor *zeros = must(gd_zeros(ctx, GD_FLOAT32, 1, &n));
    gd_tensor *half = must(gd_scalar_f64(ctx, 0.5, GD_FLOAT32)), *one = must(gd_scalar_f64(ctx, 1, GD_FLOAT32));
    large_x = must(gd_add(ctx, zeros, half)), large_ones = must(gd_add(ctx, zeros, one));
    gd_release(zeros), gd_release(half), gd_release(one);
    if (gd_set_requires_grad(ctx, large_x, true)) exit(1);
    double seconds = best_of(4, fused, 0);
    gd_release(large_x), gd_release(large_ones);
    return seconds;
}

/* Bytes of heap and mappings that one more one-element tensor takes. */
static double tensor_bytes(void) {
    enum { N = 200000 };
    gd_tensor **all = malloc(N * sizeof *all);
    if (!all) exit(1);
    size_t pages[2];
    for (int pass = 0; pass < 2; pass++) {
        FILE *f = fopen("/proc/self/statm", "r");
        if (!f || fscanf(f, "%*s %zu", &pages[pass]) != 1) exit(1);
        fclose(f);
        if (pass) break;
        memset(all, 0, N * sizeof *all);
        f = fopen("/proc/self/statm", "r");
        if (!f || fscanf(f, "%*s %zu", &pages[0]) != 1) exit(1);
        fclose(f);
        for (int i = 0; i < N; i++) all[i] = must(gd_scalar_f64(ctx, i, GD_FLOAT32));
    }
    for (int i = 0; i < N; i++) gd_release(all[i]);
    free(all);
    return (double)(pages[1] - pages[0]) * 4096 / N;
}

/* Milliseconds that one request takes within the process, best of three. */
static double request_ms(gd_api *api, const char *method, const char *path, const char *query, const char *body,
                         size_t length) {
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        gd_api_request request = {.method = method,
                                  .path = path,
                                  .query = query,
                                  .content_type = "application/json",
                                  .body = body,
                                  .body_length = length};
        gd_api_response response = {0};
        double start = now();
        gd_api_handle(api, &request, &response);
        double seconds = now() - start;
        if (response.status >= 300) fprintf(stderr, "%s: %.*s\n", path, (int)response.length, response.body), exit(1);
        gd_api_response_free(&response);
        if (seconds < best) best = seconds;
    }
    return best * 1e3;
}

/* A million doubles in [0, 1) as JSON, in and out through the api. */
static void json_figures(void) {
    enum { N = 1000000, ROOM = 24 };
    gd_registry *registry = gd_registry_new(&(gd_registry_options){0});
    gd_api *api = registry ? gd_api_new(registry) : NULL;
    char *body = malloc((size_t)N * ROOM + 64);
    if (!api || !body) exit(1);
    size_t n = (size_t)sprintf(body, "{\"dtype\":\"float64\",\"data\":[");
    srand48(0);
    for (int i = 0; i < N; i++) n += (size_t)sprintf(body + n, "%s%.17g", i ? "," : "", drand48());
    n += (size_t)sprintf(body + n, "]}");
    request_ms(api, "PUT", "/v1/sessions/b", NULL, NULL, 0);
    printf("json_in_ms %.2f\n", request_ms(api, "PUT", "/v1/sessions/b/tensors/a", "data=none", body, n));
    printf("json_out_ms %.2f\n", request_ms(api, "GET", "/v1/sessions/b/tensors/a/data", NULL, NULL, 0));
    free(body);
    gd_api_free(api);
    gd_registry_free(registry);
}

/* The whole file, NUL-terminated. */
static char *read_file(const char *path, size_t *bytes) {
    enum { MOST = 1 << 22 };
    FILE *f = fopen(path, "rb");
    char *text = malloc(MOST);
    if (!f || !text) exit(1);
    *bytes = fread(text, 1, MOST - 1, f);
    text[*bytes] = 0;
    fclose(f);
    return text;
}

/* Seconds from source to result in a fresh environment, so compiling is part of it. */
static double program_seconds(const char *source, size_t bytes) {
    gd_env *env = gd_env_new(ctx, NULL);
    if (!env) exit(1);
    gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_program_result result;
    options.limits.steps = 0;
    double start = now();
    gd_program_run(env, source, bytes, &options, &result);
    double seconds = now() - start;
    if (result.status != GD_PROGRAM_OK) fprintf(stderr, "%s\n", result.trace ? result.trace : "?"), exit(1);
    gd_program_result_clear(&result);
    gd_env_free(env);
    return seconds;
}

static int program_figure(const char *path) {
    size_t bytes;
    char *source = read_file(path, &bytes);
    double best = 1e9;
    for (int i = 0; i < 7; i++) {
        double s = program_seconds(source, bytes);
        if (s < best) best = s;
    }
    printf("program_ms %.4f\n", best * 1e3);
    free(source);
    gd_ctx_free(ctx);
    return 0;
}

enum { POINTS = 10000, WIDE = 100 };

/* Seconds of one gradient at `points` (batched if there are several). */
static double gradient_seconds(gd_functions *r, gd_function *f, gd_tensor *points) {
    gd_eval e = {.kind = GD_EVAL_GRADIENT, .batched = gd_ndim(points) == 2, .inputs = {gd_retain(points)}};
    gd_function_fault fault = {0};
    double start = now();
    if (!gd_function_eval(gd_functions_ctx(r), f, &e, &fault)) fprintf(stderr, "%s\n", fault.message), exit(1);
    double seconds = now() - start;
    gd_eval_clear(&e);
    return seconds;
}

static int gradient_figures(void) {
    static const char source[] = "def f(x: float64[100]):\n"
                                 "    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()\n";
    static double values[POINTS * WIDE];
    const int64_t sizes[] = {POINTS, WIDE};
    gd_functions *r =
        gd_functions_new(&(gd_function_options){.limits = GD_PROGRAM_DEFAULT_LIMITS, .plan_bytes = 1 << 26});
    gd_function_text text = {.source = source, .bytes = sizeof source - 1};
    gd_function_fault fault = {0};
    if (!r || !gd_functions_put(r, "f", &text, NULL, NULL, &fault)) fprintf(stderr, "%s\n", fault.message), exit(1);
    gd_function *f = gd_functions_find(r, "f");
    for (int i = 0; i < POINTS * WIDE; i++) values[i] = drand48();
    gd_tensor *many = must(gd_from_bytes(ctx, GD_FLOAT64, 2, sizes, values, sizeof values));
    gd_tensor *one = must(gd_from_bytes(ctx, GD_FLOAT64, 1, sizes + 1, values, WIDE * sizeof *values));
    double best[2] = {1e9, 1e9};
    for (int i = 0; i < 20; i++) {
        double start = now(), s;
        for (int k = 0; k < 1000; k++) gradient_seconds(r, f, one);
        if ((s = (now() - start) / 1000) < best[0]) best[0] = s;
        if ((s = gradient_seconds(r, f, many)) < best[1]) best[1] = s;
    }
    printf("gradient_us %.3f\ngradients_ms %.3f\n", best[0] * 1e6, best[1] * 1e3);
    gd_release(one);
    gd_release(many);
    gd_function_release(f);
    gd_functions_free(r);
    gd_ctx_free(ctx);
    return 0;
}

int main(int argc, char **argv) {
    ctx = gd_ctx_new(NULL);
    if (!ctx) return 1;
    if (argc == 3 && strcmp(argv[1], "program") == 0) return program_figure(argv[2]);
    if (argc == 2 && strcmp(argv[1], "gradients") == 0) return gradient_figures();
    if (argc == 2 && strcmp(argv[1], "functions") == 0) return function_figures(ctx);
    json_figures();
    printf("tensor_bytes %.0f\n", tensor_bytes());
    chain(1000);
    printf("mul_ns %.1f\n", best_of(200, chain, 1000) / 1000 * 1e9);
    printf("chain_s %.3f\n", best_of(3, chain, 1000000));
    printf("fused_ms %.1f\n", large(20000000) * 1e3);
    gd_ctx_free(ctx);
    return 0;
}
