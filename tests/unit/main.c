/* main.c: runs the unit suites; `run NAME…` runs only those. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#define SUITES(X) \
    X(tensor) X(repr) X(autograd) X(bind) X(session) X(pointwise) X(reduce) X(random) X(shape) X(index) \
    X(linalg) X(json) X(npy) X(api) X(options) X(guard) X(threads) X(parser) X(program) X(objects) X(torch_programs) \
    X(autograd_programs) X(builtins) X(extreme) X(narrow) X(trace) X(plan) X(safetensors) X(function) X(function_threads)
/* clang-format on */

#define X(name) Suite *name##_suite(void);
SUITES(X)
#undef X

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define X(name) {#name, name##_suite},
    SUITES(X)
#undef X
};

static int wanted(const char *name, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name)) return 1;
    return argc < 2;
}

int main(int argc, char **argv) {
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (wanted(suites[i].name, argc, argv)) srunner_add_suite(runner, suites[i].make());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
