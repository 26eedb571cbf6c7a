/* test_builtins.c: strings, numbers, formats, exceptions, built-in functions and modules of programs, against what
 * CPython made of the same expressions (data/builtins_cases.txt, written by record_builtins.py), and what CPython
 * cannot be asked: limits, and where this language says that it has no more. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"

Suite *builtins_suite(void);

static gd_ctx *ctx;
static gd_env *env;

static void open_env(void) {
    ck_assert_int_eq(gd_init(), GD_OK);
    ctx = gd_ctx_new(NULL);
    env = gd_env_new(ctx, NULL);
    ck_assert_ptr_nonnull(env);
}

static void close_env(void) {
    gd_env_free(env);
    gd_ctx_free(ctx);
}

static void run(const char *source, gd_program_result *result) {
    gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_program_run(env, source, strlen(source), &options, result);
}

/* repr(expression), or "Type: message", or the limit it passed. New. */
static char *answer(const char *expression) {
    char *source = NULL, *text = NULL;
    gd_program_result result;
    ck_assert_int_gt(asprintf(&source,
                              "import math, torch\ntry:\n    print(repr((%s)), end='')\nexcept Exception as e:\n"
                              "    print(type(e).__name__ + ': ' + str(e), end='')\n",
                              expression),
                     0);
    run(source, &result);
    free(source);
    if (result.status == GD_PROGRAM_LIMIT)
        ck_assert_int_gt(asprintf(&text, "limit %s", gd_limit_name(result.limit)), 0);
    else if (result.status == GD_PROGRAM_OK)
        text = strdup(result.output ? result.output : "");
    else
        ck_assert_int_gt(asprintf(&text, "uncaught %s: %s", result.exception, result.message), 0);
    gd_program_result_clear(&result);
    ck_assert_ptr_nonnull(text);
    return text;
}

static bool same(const char *expression, const char *want) {
    char *got = answer(expression);
    bool equal = !strcmp(got, want);
    if (!equal) fprintf(stderr, "%s\n  wanted %s\n  not    %.300s\n", expression, want, got);
    free(got);
    return equal;
}

/* Each line: an expression, a tab, the answer. */
START_TEST(expressions_are_as_cpython_has_them) {
    const char *path = getenv("BUILTINS_CASES");
    FILE *cases = fopen(path ? path : "tests/unit/data/builtins_cases.txt", "r");
    char *line = NULL;
    size_t room = 0, n = 0, wrong = 0;
    ck_assert_ptr_nonnull(cases);
    for (ssize_t length; (length = getline(&line, &room, cases)) > 0; n++) {
        char *tab = strchr(line, '\t');
        ck_assert_ptr_nonnull(tab);
        if (line[length - 1] == '\n') line[length - 1] = '\0';
        *tab = '\0';
        wrong += !same(line, tab + 1);
    }
    free(line);
    (void)fclose(cases);
    ck_assert_uint_gt(n, 4000);
    ck_assert_msg(wrong == 0, "%zu of %zu expressions differ", wrong, n);
}
END_TEST

typedef struct pair {
    const char *expression, *want;
} pair;

static void all_same(const pair *pairs, size_t n) {
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += !same(pairs[i].expression, pairs[i].want);
    ck_assert_msg(wrong == 0, "%zu differ", wrong);
}
#define ALL_SAME(pairs) all_same(pairs, sizeof(pairs) / sizeof *(pairs))

#define OVERFLOW "OverflowError: integer overflow: this language has 64-bit integers"

START_TEST(integers_end_at_64_bits) {
    static const pair pairs[] = {
        {"9223372036854775807 + 1", OVERFLOW},
        {"-9223372036854775807 - 2", OVERFLOW},
        {"10**10**10", OVERFLOW},
        {"2**62 * 2", OVERFLOW},
        {"(-9223372036854775807 - 1) // -1", OVERFLOW},
        {"divmod(-9223372036854775807 - 1, -1)", OVERFLOW},
        {"(-9223372036854775807 - 1) % -1", "0"},
        {"abs(-9223372036854775807 - 1)", OVERFLOW},
        {"-(-9223372036854775807 - 1)", OVERFLOW},
        {"round(-9223372036854775807 - 1, -1)", OVERFLOW},
        {"1 << 64", OVERFLOW},
        {"-1 << 63", "-9223372036854775808"},
        {"int('9223372036854775807')", "9223372036854775807"},
        {"int('-9223372036854775808')", "-9223372036854775808"},
        {"int('9223372036854775808')", OVERFLOW},
        {"int(1e19)", OVERFLOW},
        {"int(-9.223372036854775808e18)", "-9223372036854775808"},
        {"'%d' % 1e30", OVERFLOW},
        {"math.factorial(20)", "2432902008176640000"},
        {"math.factorial(21)", OVERFLOW},
        {"math.comb(10**18, 5 * 10**17)", OVERFLOW},
        {"hash(-9223372036854775807 - 1)", "-4"},
        {"(1e-30).as_integer_ratio()", OVERFLOW},
        {"pow(3, 10**18, 10**18 + 9)", "235787227556774884"},
    };
    ALL_SAME(pairs);
}
END_TEST

START_TEST(what_there_is_not_says_so) {
    static const pair pairs[] = {
        {"(-8) ** 0.5",
         "ValueError: a negative number to a fractional power is complex: this language has no complex numbers"},
        {"'a'.encode()", "TypeError: str.encode() is not available: this language has no bytes"},
        {"open('/etc/passwd')",
         "RuntimeError: open() is not available: programs here are hermetic and reach nothing but their tensors"},
        {"eval('1')",
         "RuntimeError: eval() is not available: programs here are hermetic and reach nothing but their tensors"},
        {"__import__('os')",
         "RuntimeError: __import__() is not available: programs here are hermetic and reach nothing "
         "but their tensors"},
        {"print(1, file=2)", "TypeError: print() has no files to write to: programs here are hermetic"},
        {"chr(0xD800)", "ValueError: chr() arg is a surrogate, which is no character by itself"},
        {"torch", "<module 'torch'>"},
        {"torch.nn.functional", "<module 'torch.nn.functional'>"},
        {"math", "<module 'math' (built-in)>"},
        {"math.nothing", "AttributeError: module 'math' has no attribute 'nothing'"},
        {"__name__", "'__main__'"},
        {"id(None) == id(None), id([]) == id(7)", "(True, False)"},
        {"dir('')[:3]", "['capitalize', 'casefold', 'center']"},
    };
    ALL_SAME(pairs);
}
END_TEST

START_TEST(nothing_grows_past_the_limits) {
    static const pair pairs[] = {
        {"'x' * 10**12", "limit memory"},
        {"'%1000000000d' % 1", "limit memory"},
        {"'%.1000000000f' % 1.5", "limit memory"},
        {"'{:>1000000000}'.format(1)", "limit memory"},
        {"'{:01000000000,}'.format(1)", "limit memory"},
        {"'{:.1000000000e}'.format(1.5)", "limit memory"},
        {"'{:{}}'.format(1, 10**15)", "limit memory"},
        {"f'{1:{10**15}}'", "limit memory"},
        {"'a'.center(10**12)", "limit memory"},
        {"'\\t'.expandtabs(10**12)", "limit memory"},
        {"('a' * 10**5).replace('', 'b' * 10**5)", "limit memory"},
        {"('b' * 10**6).join([''] * 10**4)", "limit memory"},
        {"'{:{:{:{}}}}'.format(1, 2, 3, 4)", "ValueError: Max string recursion exceeded"},
        {"'{:.2147483648f}'.format(1.5)", "ValueError: precision too big"},
        {"sum(range(10**12))", "limit steps"},
        {"all(map(bool, range(1, 10**12)))", "limit steps"},
        {"('a' * 10**6).strip('b' * 10**6 + 'a')", "limit steps"},
        {"('a' * 10**6).rfind('b' + 'a' * 500000)", "-1"},
        {"len(('{}' * 1000).format(*range(1000)))", "2890"},
        {"('{0' + '.real' * 10**4 + '}').format(1)", "'1'"},
        {"('%(' * 10000) % {}", "ValueError: incomplete format key"},
        {"(lambda e: (setattr(e, 'args', (e,)), str(e)))(ValueError())",
         "RecursionError: maximum recursion depth exceeded"},
        {"round(1.5, -10**18), round(1.5, 10**18), round(5, -10**18)", "(0.0, 1.5, 0)"},
        {"int('9' * 10**5)", OVERFLOW},
        {"float('1' * 10**5)", "inf"},
    };
    ALL_SAME(pairs);
}
END_TEST

/* A name that is not there, with what is. */
START_TEST(foreign_modules_are_refused) {
    gd_program_result result;
    run("import numpy", &result);
    ck_assert_int_eq(result.status, GD_PROGRAM_RAISED);
    ck_assert_str_eq(result.exception, "ModuleNotFoundError");
    ck_assert_ptr_nonnull(strstr(result.message, "No module named 'numpy'. Programs here have torch, torch.nn, "));
    gd_program_result_clear(&result);
}
END_TEST

static const char exceptions_source[] =
    "def f(e):\n"
    "    try:\n"
    "        raise e\n"
    "    except BaseException as x:\n"
    "        return type(x).__name__, x.args, str(x), repr(x)\n"
    "print(f(ValueError), f(ValueError('a', 1)), f(KeyError('k')), f(KeyError()))\n"
    "print(f(3))\n"
    "e = ValueError('a')\n"
    "e.args = ['b', 2]\n"
    "print(e, repr(e), e.__cause__, e.with_traceback(None) is e)\n"
    "try:\n"
    "    try:\n"
    "        1 / 0\n"
    "    except ZeroDivisionError as z:\n"
    "        raise RuntimeError('outer') from z\n"
    "except RuntimeError as r:\n"
    "    print(repr(r.__cause__))\n"
    "print(isinstance(KeyError(), LookupError), issubclass(ModuleNotFoundError, ImportError), KeyError)\n";
static const char exceptions_output[] =
    "('ValueError', (), '', 'ValueError()') ('ValueError', ('a', 1), \"('a', 1)\", \"ValueError('a', 1)\") "
    "('KeyError', ('k',), \"'k'\", \"KeyError('k')\") ('KeyError', (), '', 'KeyError()')\n"
    "('TypeError', ('exceptions must derive from BaseException',), 'exceptions must derive from BaseException', "
    "\"TypeError('exceptions must derive from BaseException')\")\n"
    "('b', 2) ValueError('b', 2) None True\n"
    "ZeroDivisionError('division by zero')\n"
    "True True <class 'KeyError'>\n";

START_TEST(exceptions_are_objects) {
    gd_program_result result;
    run(exceptions_source, &result);
    ck_assert_int_eq(result.status, GD_PROGRAM_OK);
    ck_assert_str_eq(result.output, exceptions_output);
    gd_program_result_clear(&result);
}
END_TEST

/* An engine error keeps its code on its way through a program. */
START_TEST(engine_errors_keep_their_code) {
    gd_program_result result;
    run("import torch\ntorch.zeros(2, 3) @ torch.zeros(2, 3)", &result);
    ck_assert_int_eq(result.status, GD_PROGRAM_RAISED);
    ck_assert_str_eq(result.exception, "RuntimeError");
    ck_assert_int_eq(result.code, GD_E_SHAPE);
    gd_program_result_clear(&result);
}
END_TEST

Suite *builtins_suite(void) {
    Suite *suite = suite_create("builtins");
    TCase *tests = tcase_create("built-ins");
    tcase_add_checked_fixture(tests, open_env, close_env);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, expressions_are_as_cpython_has_them);
    tcase_add_test(tests, integers_end_at_64_bits);
    tcase_add_test(tests, what_there_is_not_says_so);
    tcase_add_test(tests, nothing_grows_past_the_limits);
    tcase_add_test(tests, foreign_modules_are_refused);
    tcase_add_test(tests, exceptions_are_objects);
    tcase_add_test(tests, engine_errors_keep_their_code);
    suite_add_tcase(suite, tests);
    return suite;
}
