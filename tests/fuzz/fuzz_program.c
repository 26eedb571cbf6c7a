/* fuzz_program.c: a libFuzzer target for whole programs: whatever the text, a run ends within its small limits, gives
 * all memory back, and leaves its environment usable. `make fuzz` runs it over corpus/program.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool ignore(void *user) { return (void)user, true; }
static bool ignore_boolean(void *user, bool v) { return (void)user, (void)v, true; }
static bool ignore_integer(void *user, int64_t v) { return (void)user, (void)v, true; }
static bool ignore_real(void *user, double v) { return (void)user, (void)v, true; }
static bool ignore_text(void *user, const char *text, size_t bytes) { return (void)user, (void)text, bytes < SIZE_MAX; }
static bool ignore_tensor(void *user, gd_tensor *t, const char *name) { return (void)user, (void)name, t != NULL; }

static const gd_program_visitor visitor = {ignore,        ignore_boolean, ignore_integer, ignore_real,   ignore_text,
                                           ignore_tensor, ignore_boolean, ignore_text,    ignore_boolean};

static void run(gd_env *env, const char *source, size_t bytes) {
    gd_program_options options = {
        .limits = {
            .steps = 20000, .seconds = 1, .memory_bytes = (size_t)4 << 20, .recursion = 60, .output_bytes = 1 << 16}};
    gd_program_result result;
    gd_program_run(env, source, bytes, &options, &result);
    (void)gd_program_walk(&result, 100, &visitor, NULL);
    gd_program_result_clear(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gd_account *account = gd_account_new((size_t)32 << 20, NULL);
    gd_ctx *ctx = account ? gd_ctx_new(account) : NULL;
    gd_env *env = ctx ? gd_env_new(ctx, NULL) : NULL;
    if (!env) abort();
    run(env, (const char *)data, size);
    /* What it defined must not spoil what comes after. */
    static const char after[] = "r = [f() for f in []]\nprint(1 + 1)\nr\n";
    run(env, after, sizeof after - 1);
    gd_env_free(env);
    gd_ctx_free(ctx);
    gd_account_release(account);
    if (gd_account_used(NULL)) abort();
    return 0;
}
