/* test_program.c: whole programs through program.h: each construct, what is printed, shown, assigned and raised, every
 * limit, the binding of globals to tensors outside, hooks as source, and the walk over a result.
 */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"

Suite *program_suite(void);

static gd_ctx *ctx;
static gd_env *env;
static gd_program_options options;
static gd_program_result result;

static void setup(void) {
    ctx = gd_ctx_new(NULL);
    ck_assert_ptr_nonnull(ctx);
    env = gd_env_new(ctx, NULL);
    ck_assert_ptr_nonnull(env);
    options = (gd_program_options){.limits = GD_PROGRAM_DEFAULT_LIMITS};
}

static void teardown(void) {
    gd_program_result_clear(&result);
    gd_env_free(env);
    gd_ctx_free(ctx);
    ck_assert_uint_eq(gd_account_used(NULL), 0);
}

static void run(const char *source) {
    if (result.env) gd_program_result_clear(&result);
    gd_program_run(env, source, strlen(source), &options, &result);
}

static void prints(const char *source, const char *output) {
    run(source);
    ck_assert_msg(result.status == GD_PROGRAM_OK, "%s\n%s", source, result.trace);
    ck_assert_msg(!strcmp(result.output, output), "%s\nprinted: %s\nnot: %s", source, result.output, output);
}

static void shows(const char *source, const char *shown) {
    run(source);
    ck_assert_msg(result.status == GD_PROGRAM_OK, "%s\n%s", source, result.trace);
    if (shown)
        ck_assert_str_eq(result.shown, shown);
    else
        ck_assert_ptr_null(result.shown);
}

static void raises(const char *source, const char *exception, const char *message) {
    run(source);
    ck_assert_msg(result.status == GD_PROGRAM_RAISED, "%s: status %d", source, result.status);
    ck_assert_str_eq(result.exception, exception);
    ck_assert_str_eq(result.message, message);
}

static void passes(const char *source, gd_limit limit) {
    run(source);
    ck_assert_msg(result.status == GD_PROGRAM_LIMIT, "%s: status %d %s", source, result.status, result.trace);
    ck_assert_msg(result.limit == limit, "%s: limit %s", source, gd_limit_name(result.limit));
    ck_assert_ptr_nonnull(result.message);
    ck_assert_ptr_nonnull(result.trace);
    shows("1 + 1", "2"); /* the environment is usable afterwards */
}

/* ---- the language ---------------------------------------------------------------------------- */

static const struct {
    const char *source, *output;
} printed[] = {
    {"print(1 + 2 * 3, 7 // 2, -7 // 2, -7 % 3, 7 / 2, 2 ** 10)", "7 3 -4 2 3.5 1024\n"},
    {"x = 5\nprint(1 < x < 10, 1 < x > 6, x == 5.0, not x)", "True False True False\n"},
    {"print(0 or [] or 'x', 1 and 0 and 2, 1 if [] else 2)", "x 0 2\n"},
    {"i = 0\nwhile i < 5:\n    i += 1\n    if i == 2: continue\n    if i == 4: break\nelse:\n    print('no')\nprint(i)",
     "4\n"},
    {"for i in range(3): pass\nelse: print('else', i)", "else 2\n"},
    {"for i in range(10, 0, -3): print(i, end=' ')", "10 7 4 1 "},
    {"a, (b, *c), d = 1, (2, 3, 4), 5\nprint(a, b, c, d)", "1 2 [3, 4] 5\n"},
    {"a = b = [1]\na += [2]\nprint(b, a is b)\na, b = b, 3\nprint(a, b)", "[1, 2] True\n[1, 2] 3\n"},
    {"l = [1, 2, 3, 4]\nl[1:3] = [9]\nl[0] += 5\ndel l[-1]\nprint(l)", "[6, 9]\n"},
    {"d = {'a': 1, **{'b': 2}}\nd['a'] += 1\nprint(d, [*d, 0], {*[1, 1]}, (*'ab',))",
     "{'a': 2, 'b': 2} ['a', 'b', 0] {1} ('a', 'b')\n"},
    {"print([i * i for i in range(5) if i % 2], {k: v for k, v in [(1, 2)]}, {i % 2 for i in range(3)})",
     "[1, 9] {1: 2} {0, 1}\n"},
    {"print([(x, y) for x in range(3) for y in range(x)], [[j for j in range(i)] for i in range(3)])",
     "[(1, 0), (2, 0), (2, 1)] [[], [0], [0, 1]]\n"},
    {"g = (x * 2 for x in range(3))\nprint(next(g), list(g), list(g), sum(x for x in [1, 2]))", "0 [2, 4] [] 3\n"},
    {"print([m := 5, m * 2], m)\nprint([y := x for x in range(3)], y)", "[5, 10] 5\n[0, 1, 2] 2\n"},
    {"def f(a, b=2, *c, d, e=5, **k): return a, b, c, d, e, k\nprint(f(1, d=4), f(1, 2, 3, d=4, z=6))",
     "(1, 2, (), 4, 5, {}) (1, 2, (3,), 4, 5, {'z': 6})\n"},
    {"def f(a, /, b, *, c): return a, b, c\nprint(f(1, b=2, c=3), f(*[1], **{'b': 2, 'c': 3}))",
     "(1, 2, 3) (1, 2, 3)\n"},
    {"def counter():\n    n = 0\n    def inc():\n        nonlocal n\n        n += 1\n        return n\n    return inc\n"
     "c = counter()\nprint(c(), c(), counter()())",
     "1 2 1\n"},
    {"print([f() for f in [lambda: i for i in range(3)]], [f() for f in [lambda i=i: i for i in range(3)]])",
     "[2, 2, 2] [0, 1, 2]\n"},
    {"def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(15))", "610\n"},
    {"def f():\n    'text'\nprint(f.__name__, f.__doc__, (lambda: 0).__name__)", "f text <lambda>\n"},
    {"def f():\n    for i in range(3):\n        try:\n            if i == 1: continue\n            if i == 2: return 'r'\n"
     "        finally: print('fin', i)\nprint(f())",
     "fin 0\nfin 1\nfin 2\nr\n"},
    {"def f():\n    try: return 'a'\n    finally: return 'b'\nprint(f())", "b\n"},
    {"try: 1 / 0\nexcept (KeyError, ZeroDivisionError) as e: print(e)\nelse: print('no')\nfinally: print('fin')",
     "division by zero\nfin\n"},
    {"try:\n    try: {}['k']\n    except KeyError: raise\nexcept Exception as e: print(repr(e))", "KeyError('k')\n"},
    {"def again():\n    raise\ntry:\n    try: [][0]\n    except IndexError: again()\nexcept IndexError as e: print(e)",
     "list index out of range\n"},
    {"try: raise ValueError('v') from KeyError('k')\nexcept ValueError as e: print(repr(e.__cause__))",
     "KeyError('k')\n"},
    {"def f():\n    try: 1 / 0\n    except ZeroDivisionError as e: pass\n    return e\ntry: f()\n"
     "except UnboundLocalError as e: print(e)",
     "cannot access local variable 'e' where it is not associated with a value\n"},
    {"import torch\ndef f():\n    with torch.no_grad():\n        return torch.is_grad_enabled()\n"
     "print(f(), torch.is_grad_enabled())",
     "False True\n"},
    {"import torch\nfor i in range(2):\n    with torch.no_grad() as m, torch.enable_grad():\n        print(m)\n        break\n"
     "print(torch.is_grad_enabled())",
     "None\nTrue\n"},
    {"import torch\ntry:\n    with torch.no_grad(): 1 / 0\nexcept ZeroDivisionError: print(torch.is_grad_enabled())",
     "True\n"},
    {"import torch\n@torch.no_grad()\ndef f(): return torch.is_grad_enabled()\nprint(f(), f.__name__)", "False f\n"},
    {"x = 3\nprint(f'{x!r:>5}|{x=}|{x:03d}|{{}}|{3.14159:{7}.{2}f}|{\"s\"!s}')", "    3|x=3|003|{}|   3.14|s\n"},
    {"x = 1\ndef f():\n    global x\n    x += 1\nf()\nf()\nprint(x)", "3\n"},
    {"import torch.nn.functional as F, math\nfrom torch.autograd import grad as g\nimport torch.optim\n"
     "print(F.relu(torch.tensor([-1., 2.])), math.floor(2.5))",
     "tensor([0., 2.]) 2\n"},
    {"l = [1, 2]\nfor v in l:\n    if len(l) < 4: l.append(v)\nprint(l)", "[1, 2, 1, 2]\n"},
    {"x = 1.5\nx += 1\ny = 'a'\ny += 'b'\nz = 9223372036854775806\nz += 1\nprint(x, y, z)",
     "2.5 ab 9223372036854775807\n"},
    {"import torch\nx = torch.ones(2)\ny = x\ny += 1\nprint(x)\nx = x + 1\nprint(y)",
     "tensor([2., 2.])\ntensor([2., 2.])\n"},
    {"import torch\nx = torch.tensor([2.], requires_grad=True)\nh = x.register_hook(lambda g: g * 10)\n"
     "(x * x).backward()\nprint(x.grad)",
     "tensor([40.])\n"},
    {"a: int = 5\nb: int\nprint(a)", "5\n"},
    {"print(sorted([3, 1, 2], key=lambda v: -v), list(map(lambda a: a + 1, [1])))", "[3, 2, 1] [2]\n"},
};

START_TEST(constructs) { prints(printed[_i].source, printed[_i].output); }
END_TEST

static const struct {
    const char *source, *exception, *message;
} raised[] = {
    {"nope", "NameError", "name 'nope' is not defined"},
    {"del nope", "NameError", "name 'nope' is not defined"},
    {"9223372036854775807 + 1", "OverflowError", "integer overflow: this language has 64-bit integers"},
    {"i = 9223372036854775807\ni += 1", "OverflowError", "integer overflow: this language has 64-bit integers"},
    {"1 // 0", "ZeroDivisionError", "integer division or modulo by zero"},
    {"def f(x): pass\nf()", "TypeError", "f() missing 1 required positional argument: 'x'"},
    {"def f(a, b, c): pass\nf()", "TypeError", "f() missing 3 required positional arguments: 'a', 'b', and 'c'"},
    {"def f(a, b=1): pass\nf(1, 2, 3)", "TypeError", "f() takes from 1 to 2 positional arguments but 3 were given"},
    {"def f(a, b): pass\nf(1, 2, 3)", "TypeError", "f() takes 2 positional arguments but 3 were given"},
    {"def f(x): pass\nf(z=1)", "TypeError", "f() got an unexpected keyword argument 'z'"},
    {"def f(x): pass\nf(1, x=1)", "TypeError", "f() got multiple values for argument 'x'"},
    {"def f(*, k): pass\nf()", "TypeError", "f() missing 1 required keyword-only argument: 'k'"},
    {"def f(a, /): pass\nf(a=1)", "TypeError",
     "f() got some positional-only arguments passed as keyword arguments: 'a'"},
    {"def f(**k): pass\nf(**1)", "TypeError", "__main__.f() argument after ** must be a mapping, not int"},
    {"def f(*k): pass\nf(*1)", "TypeError", "__main__.f() argument after * must be an iterable, not int"},
    {"a, b = [1]", "ValueError", "not enough values to unpack (expected 2, got 1)"},
    {"a, b = 1, 2, 3", "ValueError", "too many values to unpack (expected 2)"},
    {"a, b = 5", "TypeError", "cannot unpack non-iterable int object"},
    {"5()", "TypeError", "'int' object is not callable"},
    {"with 5: pass", "TypeError", "'int' object does not support the context manager protocol"},
    {"raise 5", "TypeError", "exceptions must derive from BaseException"},
    {"raise", "RuntimeError", "No active exception to reraise"},
    {"assert 1 == 2, 'why'", "AssertionError", "why"},
    {"torch.ones(2, device=1.5)", "TypeError", "ones(): argument 'device' must be torch.device, not float"},
    {"torch.ones(2, pin_memory=True)", "TypeError", "ones(): argument 'pin_memory' must be False, not bool"},
    {"torch.relu(torch.ones(2), device='cpu')", "TypeError", "relu() got an unexpected keyword argument 'device'"},
    {"from torch import nothing", "ImportError", "cannot import name 'nothing' from 'torch' (unknown location)"},
    {"def f():\n    x = x + 1\nf()", "UnboundLocalError",
     "cannot access local variable 'x' where it is not associated with a value"},
    {"def f():\n    def g(): return y\n    g()\n    y = 1\nf()", "NameError",
     "cannot access free variable 'y' where it is not associated with a value in enclosing scope"},
    {"a = []\na.append(a)\nb = []\nb.append(b)\na == b", "RecursionError",
     "maximum recursion depth exceeded in comparison"},
    {"g = (x for x in [1])\nfor i in range(300): g = (x for x in g)\nlist(g)", "RecursionError",
     "maximum recursion depth exceeded"},
};

START_TEST(errors) {
    raises(raised[_i].source, raised[_i].exception, raised[_i].message);
    ck_assert_uint_gt(result.line, 0);
    shows("1 + 1", "2");
}
END_TEST

static const struct {
    const char *source, *message;
} wrong[] = {
    {"return 1", "'return' outside function"},
    {"from math import *", "this language has no import *: write the names that are wanted"},
    {"break", "'break' outside loop"},
    {"def f():\n    nonlocal x", "no binding for nonlocal 'x' found"},
    {"nonlocal x", "nonlocal declaration not allowed at module level"},
    {"def f(x):\n    global x", "name 'x' is parameter and global"},
    {"def f():\n    x = 1\n    global x", "name 'x' is assigned to before global declaration"},
    {"def f():\n    print(x)\n    global x", "name 'x' is used prior to global declaration"},
};

START_TEST(syntax) {
    run(wrong[_i].source);
    ck_assert_int_eq(result.status, GD_PROGRAM_SYNTAX);
    ck_assert_str_eq(result.exception, "SyntaxError");
    ck_assert_str_eq(result.message, wrong[_i].message);
}
END_TEST

START_TEST(traces) {
    run("def g(y):\n    return y / 0\ndef f(x):\n    return g(x) + 1\nf(3)");
    ck_assert_str_eq(result.trace, "Traceback (most recent call last):\n"
                                   "  File \"<program>\", line 5, in <module>\n    f(3)\n"
                                   "  File \"<program>\", line 4, in f\n    return g(x) + 1\n           ^^^^\n"
                                   "  File \"<program>\", line 2, in g\n    return y / 0\n           ~~^~~\n"
                                   "ZeroDivisionError: division by zero");
    ck_assert_uint_eq(result.line, 2);
    ck_assert_uint_eq(result.column, 12);
    ck_assert_uint_eq(result.end_column, 17);
    run("try: {}['k']\nexcept KeyError as e: raise ValueError('v') from e");
    ck_assert_str_eq(result.trace, "Traceback (most recent call last):\n"
                                   "  File \"<program>\", line 1, in <module>\n    try: {}['k']\n         ~~^^^^^\n"
                                   "KeyError: 'k'\n\n"
                                   "The above exception was the direct cause of the following exception:\n\n"
                                   "Traceback (most recent call last):\n"
                                   "  File \"<program>\", line 2, in <module>\n"
                                   "    except KeyError as e: raise ValueError('v') from e\n"
                                   "                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nValueError: v");
    run("def r(n):\n    if n == 0: raise ValueError\n    r(n - 1)\nr(10)");
    ck_assert_ptr_nonnull(strstr(result.trace, "  [Previous line repeated 7 more times]\n"));
}
END_TEST

START_TEST(shown) {
    shows("1 + 1", "2");
    shows("None", NULL);
    shows("x = 5", NULL);
    shows("x\ny = 1", NULL);
    shows("'a'; x", "5");
    shows("import torch\ntorch.ones(2)", "tensor([1., 1.])");
}
END_TEST

START_TEST(functions_live_on) {
    run("import torch\nk = 2\ndef f(x):\n    return x * k / zero");
    ck_assert_uint_eq(result.nassigned, 2); /* modules aside */
    ck_assert_str_eq(result.assigned[0], "f");
    ck_assert_str_eq(result.assigned[1], "k");
    shows("zero = 1\nk = 3\nf(4)", "12.0");
    run("zero = 0\n\nf(1)");
    ck_assert_uint_eq(result.line, 3); /* of this source */
    ck_assert_ptr_nonnull(strstr(result.trace, "line 4, in f\n    return x * k / zero\n"));
    shows("zero = 2\nf(1)", "1.5");
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

static const struct {
    const char *source;
    gd_limit limit;
} endless[] = {
    {"while True: pass", GD_LIMIT_STEPS},
    {"def f():\n    try:\n        while 1: pass\n    except: pass\n    finally: print('no')\nf()", GD_LIMIT_STEPS},
    {"for i in range(10 ** 12): pass", GD_LIMIT_STEPS},
    {"sum(range(10 ** 12))", GD_LIMIT_STEPS},
    {"i = 0\nwhile i >= 0: i += 1", GD_LIMIT_STEPS},
    {"def f(): f()\nf()", GD_LIMIT_RECURSION},
    {"f = lambda g: g(g)\nf(f)", GD_LIMIT_RECURSION},
    {"'x' * 10 ** 12", GD_LIMIT_MEMORY},
    {"[0] * 10 ** 12", GD_LIMIT_MEMORY},
    {"x = 'a'\nwhile True: x += x", GD_LIMIT_MEMORY},
    {"x = []\nwhile True: x = [x, x]", GD_LIMIT_MEMORY},
    {"[[i] for i in range(10 ** 9)]", GD_LIMIT_MEMORY},
    {"'%1000000000d' % 1", GD_LIMIT_MEMORY},
    {"'{:>1000000000}'.format(1)", GD_LIMIT_MEMORY},
    {"while True: print('x' * 1000)", GD_LIMIT_OUTPUT},
};

START_TEST(limits) {
    options.limits.steps = endless[_i].limit == GD_LIMIT_STEPS ? 2000000 : 0;
    options.limits.memory_bytes = (size_t)16 << 20;
    options.limits.output_bytes = 100000;
    passes(endless[_i].source, endless[_i].limit);
}
END_TEST

START_TEST(time_and_stop) {
    options.limits.steps = 0;
    options.limits.seconds = 0.05;
    passes("while True: pass", GD_LIMIT_SECONDS);
    passes("import torch\nx = torch.ones(1000)\nwhile True: x = x * 1", GD_LIMIT_SECONDS);
    static atomic_bool stop = true;
    options.stop = &stop;
    run("while True: pass");
    ck_assert_int_eq(result.limit, GD_LIMIT_STOPPED);
    options.stop = NULL;
    options.limits.steps = 1000;
    run("import torch\nwith torch.no_grad():\n    while True: pass");
    ck_assert_int_eq(result.limit, GD_LIMIT_STEPS);
    ck_assert_int_eq(gd_ctx_grad_mode(ctx), GD_MODE_GRAD); /* the context was left */
}
END_TEST

/* Built-ins that walk far pay on the way, so that they can be stopped there. */
START_TEST(long_walks_are_paid) {
    options.limits.steps = 50000;
    passes("('ab' * 10 ** 6).count('b')", GD_LIMIT_STEPS);
    passes("('ab' * 10 ** 6).replace('a', 'c')", GD_LIMIT_STEPS);
    shows("('ab' * 10 ** 5).count('b')", "100000");
}
END_TEST

START_TEST(cycles_are_collected) {
    options.limits.memory_bytes = (size_t)4 << 20;
    prints("def f(n):\n    l = [0] * 100\n    l[0] = lambda: l\n    return n\nfor i in range(20000): f(i)\nprint(i)",
           "19999\n");
    run("x = []\nx.append(x)\ndel x");
    size_t before = gd_env_bytes(env);
    run("x = []\nx.append(x)\ndel x");
    ck_assert_uint_le(gd_env_bytes(env), before);
}
END_TEST

static bool take(void *user, const char *text, size_t bytes) {
    strncat(user, text, bytes);
    return strlen(user) < 6;
}

START_TEST(streams) {
    char text[64] = "";
    options.write = take;
    options.user = text;
    run("print('abc')\nprint('def')\nprint('ghi')");
    ck_assert_str_eq(text, "abc\ndef");
    ck_assert_int_eq(result.limit, GD_LIMIT_STOPPED);
    ck_assert_ptr_null(result.output);
}
END_TEST

/* ---- tensors outside ------------------------------------------------------------------------- */

enum { MOST = 8 };
static struct {
    char name[16];
    gd_tensor *t;
} outside[MOST];

static int find(const char *name) {
    for (int i = 0; i < MOST; i++)
        if (outside[i].t && !strcmp(outside[i].name, name)) return i;
    return -1;
}

static gd_tensor *outside_get(void *user, const char *name) {
    (void)user;
    int i = find(name);
    return i < 0 ? NULL : outside[i].t;
}

static void outside_forget(void *user, const char *name) {
    (void)user;
    int i = find(name);
    if (i < 0) return;
    gd_release(outside[i].t);
    outside[i].t = NULL;
}

static gd_code outside_bind(void *user, const char *name, gd_tensor *t) {
    outside_forget(user, name);
    int i = 0;
    while (i < MOST && outside[i].t) i++;
    if (i == MOST || !strcmp(name, "data")) {
        gd_release(t);
        return GD_E_VALUE;
    }
    (void)snprintf(outside[i].name, sizeof outside[i].name, "%s", name);
    outside[i].t = t;
    return GD_OK;
}

static void setup_binding(void) {
    setup();
    gd_env_free(env);
    env = gd_env_new(ctx, &(gd_env_binding){outside_get, outside_bind, outside_forget, NULL});
    ck_assert_ptr_nonnull(env);
}

static void teardown_binding(void) {
    if (result.env) gd_program_result_clear(&result);
    for (int i = 0; i < MOST; i++) {
        gd_release(outside[i].t);
        outside[i].t = NULL;
    }
    teardown();
}

START_TEST(binding) {
    run("import torch\nx = torch.ones(2)\ny = 5\ndata = torch.zeros(1)");
    ck_assert_int_ge(find("x"), 0);
    ck_assert_int_lt(find("y"), 0);
    shows("y, data", "(5, tensor([0.]))"); /* what cannot be bound outside lives inside */
    outside_forget(NULL, "x");
    raises("x", "NameError", "name 'x' is not defined");
    ck_assert_int_eq(outside_bind(NULL, "y", gd_scalar_f64(ctx, 7, GD_FLOAT32)), GD_OK);
    shows("y", "tensor(7.)");               /* a tensor outside wins */
    run("y = 6\nz = torch.ones(1)\n1 / 0"); /* also after failure */
    ck_assert_int_lt(find("y"), 0);
    ck_assert_int_ge(find("z"), 0);
    run("del z");
    ck_assert_int_lt(find("z"), 0);
    run("def f(g): return g * y");
    gd_env_forget(env, "y");
    raises("y", "NameError", "name 'y' is not defined");
}
END_TEST

START_TEST(hooks_as_source) {
    run("import torch\nx = torch.ones(1, requires_grad=True)\nk = 3");
    uint64_t handle;
    gd_tensor *x = outside_get(NULL, "x");
    const char *hook = "lambda grad: grad * k";
    gd_program_result_clear(&result);
    ck_assert(gd_program_add_hook(env, x, hook, strlen(hook), &options.limits, &handle, &result));
    gd_tensor *y = gd_mul(ctx, x, x);
    ck_assert_int_eq(gd_backward(ctx, &y, 1, NULL, NULL, 0, &(gd_backward_options){.retain_graph = true}, NULL, NULL),
                     GD_OK);
    ck_assert_float_eq(*(const float *)gd_contiguous_data(gd_grad(x)), 6);
    run("k = None");
    ck_assert_int_ne(gd_backward(ctx, &y, 1, NULL, NULL, 0, &(gd_backward_options){0}, NULL, NULL), GD_OK);
    ck_assert_ptr_nonnull(strstr(gd_ctx_error(ctx)->message, "TypeError"));
    gd_release(y);
    gd_program_result_clear(&result);
    ck_assert(!gd_program_add_hook(env, x, "5", 1, &options.limits, &handle, &result));
    ck_assert_int_eq(result.status, GD_PROGRAM_RAISED);
    gd_program_result_clear(&result);
    ck_assert(!gd_program_add_hook(env, x, "lambda", 6, &options.limits, &handle, &result));
    ck_assert_int_eq(result.status, GD_PROGRAM_SYNTAX);
}
END_TEST

/* ---- the walk -------------------------------------------------------------------------------- */

static char told[4096];
static bool tell(const char *format, const char *text) {
    size_t n = strlen(told);
    (void)snprintf(told + n, sizeof told - n, format, text);
    return true;
}
static bool tell_none(void *user) { return (void)user, tell("%s ", "null"); }
static bool tell_boolean(void *user, bool v) { return (void)user, tell("%s ", v ? "true" : "false"); }
static bool tell_integer(void *user, int64_t v) {
    char text[32];
    (void)user;
    (void)snprintf(text, sizeof text, "%lld", (long long)v);
    return tell("%s ", text);
}
static bool tell_real(void *user, double v) {
    char text[32];
    (void)user;
    (void)snprintf(text, sizeof text, "%g", v);
    return tell("%s ", text);
}
static bool tell_text(void *user, const char *text, size_t bytes) {
    return (void)user, (void)bytes, tell("'%s' ", text);
}
static bool tell_tensor(void *user, gd_tensor *t, const char *global) {
    (void)user, (void)t;
    return tell("<%s> ", global ? global : "");
}
static bool tell_begin(void *user, bool is_dict) { return (void)user, tell("%s ", is_dict ? "{" : "["); }
static bool tell_end(void *user, bool is_dict) { return (void)user, tell("%s ", is_dict ? "}" : "]"); }
static bool tell_key(void *user, const char *text, size_t bytes) { return (void)user, (void)bytes, tell("%s: ", text); }

static const gd_program_visitor visitor = {tell_none,   tell_boolean, tell_integer, tell_real, tell_text,
                                           tell_tensor, tell_begin,   tell_key,     tell_end};

static void walks(const char *source, const char *expected) {
    run(source);
    told[0] = 0;
    ck_assert(gd_program_walk(&result, 20, &visitor, NULL));
    ck_assert_str_eq(told, expected);
}

START_TEST(walk) {
    walks("x = 1", "null ");
    walks("[1, 2.5, None, True, 'a']", "[ 1 2.5 null true 'a' ] ");
    walks("{'a': (1,), 2: range(3)}", "{ a: [ 1 ] 2: [ 0 1 2 ] } ");
    walks("{5, 2}, set()", "[ [ 2 5 ] [ ] ] ");
    walks("import torch\nx = torch.ones(2, 3)\nx, x.shape, x + 1", "[ <x> [ 2 3 ] <> ] ");
    walks("list(range(100))[:21]", "'[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]' ");
    walks("torch.float32", "'torch.float32' ");
    run("l = []\nl.append(l)\nl");
    told[0] = 0;
    ck_assert(gd_program_walk(&result, 1000, &visitor, NULL));
    ck_assert_ptr_nonnull(strstr(told, "'[[...]]'"));
}
END_TEST

Suite *program_suite(void) {
    Suite *s = suite_create("program");
    TCase *t = tcase_create("language");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, constructs, 0, (int)(sizeof printed / sizeof *printed));
    tcase_add_loop_test(t, errors, 0, (int)(sizeof raised / sizeof *raised));
    tcase_add_loop_test(t, syntax, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(t, traces);
    tcase_add_test(t, shown);
    tcase_add_test(t, functions_live_on);
    suite_add_tcase(s, t);
    t = tcase_create("limits");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, limits, 0, (int)(sizeof endless / sizeof *endless));
    tcase_add_test(t, time_and_stop);
    tcase_add_test(t, long_walks_are_paid);
    tcase_add_test(t, cycles_are_collected);
    tcase_add_test(t, streams);
    suite_add_tcase(s, t);
    t = tcase_create("outside");
    tcase_add_checked_fixture(t, setup_binding, teardown_binding);
    tcase_add_test(t, binding);
    tcase_add_test(t, hooks_as_source);
    tcase_add_test(t, walk);
    suite_add_tcase(s, t);
    return s;
}
