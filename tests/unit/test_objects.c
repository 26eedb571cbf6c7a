/* test_objects.c: the object model of programs: memory and its accounting, cycles, depth, and containers as C code uses
 * them. What programs see of it is in tests/programs (objects_*.py). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/vm.h"

Suite *objects_suite(void);

typedef struct place {
    gd_account *account;
    gd_ctx *ctx;
    gd_env *env;
} place;

static place place_new(size_t budget) {
    place p = {.account = gd_account_new(budget, NULL)};
    p.ctx = gd_ctx_new(p.account);
    p.env = gd_env_new(p.ctx, NULL);
    ck_assert_ptr_nonnull(p.env);
    return p;
}

static void place_free(place *p) {
    gd_env_free(p->env);
    ck_assert_uint_eq(gd_account_used(p->account), 0);
    gd_ctx_free(p->ctx);
    gd_account_release(p->account);
}

/* Runs and answers the status; *out (if wanted) gets "output|exception: message", to be freed. */
static gd_program_status run(place *p, const char *source, size_t memory, char **out) {
    gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_program_result result;
    if (memory) options.limits.memory_bytes = memory;
    options.limits.steps = 0;
    gd_program_run(p->env, source, strlen(source), &options, &result);
    gd_program_status status = result.status;
    if (status == GD_PROGRAM_LIMIT) ck_assert_int_eq(result.limit, GD_LIMIT_MEMORY);
    if (out && asprintf(out, "%s|%s: %s", result.output ? result.output : "", result.exception,
                        result.message ? result.message : "") < 0)
        *out = NULL;
    gd_program_result_clear(&result);
    return status;
}

static void expect(place *p, const char *source, const char *want) {
    char *got = NULL;
    (void)run(p, source, 0, &got);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, want);
    free(got);
}

/* Goes through every part of the object model, with a little of everything. */
static const char everything[] =
    "x = [3, 1, 2]; x += [5, 'a']; x.insert(1, (1, 2)); x.remove('a'); x.reverse(); y = x[::-1] * 3 + [None]\n"
    "y[1:4] = range(9); y[::2] = list(y[::2]); del y[1::3]; del y[:2]; z = [x, y, {'k': x}, (x, y)]; z.append(z)\n"
    "s = repr(z) + str(tuple(range(9))); z2 = sorted([5, 3, 9, 1], key=lambda v: -v, reverse=True)\n"
    "d = {i: str(i) for i in range(20)}; d.update(a=1); d |= {'b': [1]}; d.pop(3); d.setdefault('q', {})\n"
    "d.popitem(); e = dict(d.items()) | d.copy(); e[(1, 2)] = e.keys() & [1, 2]; t = repr(e) + repr(d.values())\n"
    "u = {1, 2, 3} | set(range(40)); u -= {5}; u ^= {1, 99}; u &= set(range(30)); u.discard(2); v = u.union([7], 'ab')\n"
    "w = list(enumerate(zip(x, map(str, range(9)), strict=False), 5)) + list(filter(None, [0, 1, 'b', []]))\n"
    "r = list(reversed(range(0, 50, 3)[2:9])) + list(reversed('abc')) + list(reversed(d)) + [slice(1, 2).indices(5)]\n"
    "m = x.append; m([1]); a, *b, c = range(6); h = hash((1, 2.5, 'x', (None, True))); x.sort(key=str)\n"
    "print(len(s), len(t), h, sorted(v, key=str), w, r, z2, a, b, c)\n";

START_TEST(accounts) {
    place p = place_new(0);
    size_t idle = gd_account_used(p.account);
    ck_assert_int_eq(run(&p, "x = [[i] for i in range(100000)]", 0, NULL), GD_PROGRAM_OK);
    ck_assert_uint_ge(gd_account_used(p.account), 100000 * sizeof(gd_any) * 2);
    ck_assert_uint_ge(gd_account_used(p.account), gd_env_bytes(p.env));
    ck_assert_int_eq(run(&p, "del x", 0, NULL), GD_PROGRAM_OK);
    ck_assert_uint_le(gd_account_used(p.account), idle + ((size_t)1 << 20));
    place_free(&p);
}
END_TEST

START_TEST(budget) {
    place p = place_new((size_t)2 << 20);
    char *got = NULL;
    expect(&p,
           "try:\n    x = [0] * 1000000\nexcept MemoryError as e:\n    print('caught', 'memory budget' in str(e))\n"
           "x = [0] * 10000\nprint(len(x))",
           "caught True\n10000\n|: ");
    expect(&p, "x = []\ntry:\n    while True: x.append([0] * 10)\nexcept MemoryError:\n    x = None\nprint('ok')",
           "ok\n|: ");
    ck_assert_int_eq(run(&p, "x = [0] * 1000000", 0, &got), GD_PROGRAM_RAISED);
    ck_assert_ptr_nonnull(strstr(got, "|MemoryError: memory budget"));
    free(got);
    place_free(&p);
}
END_TEST

START_TEST(limit) {
    static const char *const hungry[] = {"x = [0] * 10**12",
                                         "x = (0,) * 10**18",
                                         "x = [1] * (2**62)",
                                         "x = []\nwhile True: x.append(x)",
                                         "d = {}\nfor i in range(10**9): d[i] = i",
                                         "x = [1, 2]\nwhile True: x += x",
                                         "s = set(range(10**9))",
                                         "x = [1]\nx.extend(map(lambda v: (x.append(1), 1)[1], x))",
                                         "try:\n    x = [0] * 10**12\nexcept BaseException:\n    pass"};
    place p = place_new(0);
    for (size_t i = 0; i < sizeof hungry / sizeof *hungry; i++)
        ck_assert_msg(run(&p, hungry[i], (size_t)4 << 20, NULL) == GD_PROGRAM_LIMIT, "%s", hungry[i]);
    expect(&p, "x = s = d = None\nprint('still alive')", "still alive\n|: ");
    place_free(&p);
}
END_TEST

START_TEST(cycles) {
    place p = place_new(0);
    ck_assert_int_eq(run(&p, "x = []", 0, NULL), GD_PROGRAM_OK);
    size_t before = gd_heap_count(p.env->heap);
    expect(&p,
           "for i in range(30000):\n    x = []\n    d = {'x': x, 'y': (x, {1, i})}\n    x.append(d)\n"
           "    x.append(iter(x)); x.append(x.append); x.append(enumerate(zip(x)))\n"
           "def f():\n    y = []\n    def g(): return y\n    y.append(g)\n    return 1\nfor i in range(1000): f()\n"
           "x = []\ndel d, i, f\nprint('done')",
           "done\n|: ");
    ck_assert_uint_le(gd_heap_count(p.env->heap), before + 8);
    /* Garbage makes room when the limit is near. */
    ck_assert_int_eq(run(&p, "for i in range(300):\n    x = [0] * 10000\n    x.append(x)", (size_t)4 << 20, NULL),
                     GD_PROGRAM_OK);
    /* What is in use is kept. */
    expect(&p, "keep = []\nkeep.append(keep)\nfor i in range(30000):\n    t = []\n    t.append(t)\nprint(keep, t)",
           "[[...]] [[...]]\n|: ");
    place_free(&p);
}
END_TEST

START_TEST(depth) {
    place p = place_new(0);
    expect(&p,
           "x = []\nfor i in range(1000000): x = [x]\ntry:\n    repr(x)\nexcept RecursionError as e:\n    print(e)\n"
           "x = None\nt = ()\nfor i in range(300000): t = (t, 1)\nu = ()\nfor i in range(300000): u = (u, 1)\n"
           "for f in (lambda: hash(t), lambda: t == u, lambda: t < u, lambda: str(t)):\n    try:\n        f()\n"
           "    except RecursionError as e:\n        print(e)\n"
           "for c in (enumerate, zip, lambda v: map(int, v), lambda v: filter(None, v)):\n    it = iter([1])\n"
           "    for i in range(100000): it = c(it)\n    try:\n        next(it)\n    except RecursionError as e:\n"
           "        print(e)",
           "maximum recursion depth exceeded while getting the repr of an object\nmaximum recursion depth exceeded\n"
           "maximum recursion depth exceeded in comparison\nmaximum recursion depth exceeded in comparison\n"
           "maximum recursion depth exceeded while getting the repr of an object\nmaximum recursion depth exceeded\n"
           "maximum recursion depth exceeded\nmaximum recursion depth exceeded\nmaximum recursion depth exceeded\n|: ");
    place_free(&p);
}
END_TEST

/* Wherever memory ends, it ends well: each run either completes or passes the limit, and nothing is lost. */
START_TEST(every_refusal) {
    place p = place_new(0);
    char *want = NULL;
    ck_assert_int_eq(run(&p, everything, 0, &want), GD_PROGRAM_OK);
    place_free(&p);
    p = place_new(0);
    size_t base = gd_env_bytes(p.env), passed = 0;
    for (size_t more = 0; more < 200000; more += 16 + more / 50) {
        char *got = NULL;
        gd_program_status status = run(&p, everything, base + more, &got);
        ck_assert(status == GD_PROGRAM_OK || status == GD_PROGRAM_LIMIT);
        if (status == GD_PROGRAM_OK) {
            ck_assert_str_eq(got, want);
            passed++;
        }
        free(got);
        gd_env_free(p.env);
        ck_assert_uint_eq(gd_account_used(p.account), 0);
        p.env = gd_env_new(p.ctx, NULL);
        ck_assert_ptr_nonnull(p.env);
    }
    ck_assert_uint_gt(passed, 0);
    free(want);
    place_free(&p);
}
END_TEST

/* The same with a budget: MemoryError, which programs may catch. */
START_TEST(every_budget) {
    place p = place_new(0);
    char source[sizeof everything * 2 + 200] = "", *rest = source;
    rest += sprintf(rest, "try:\n");
    for (const char *line = everything; *line;) {
        size_t n = strcspn(line, "\n") + 1;
        rest += sprintf(rest, "    %.*s", (int)n, line);
        line += n;
    }
    sprintf(rest, "except MemoryError as e:\n    print('out of memory')\n");
    size_t idle = gd_account_used(p.account), good = 0;
    for (size_t more = 0; more < 300000; more += 64 + more / 40) {
        gd_env_free(p.env);
        gd_account_set_limit(p.account, idle + more);
        p.env = gd_env_new(p.ctx, NULL);
        if (!p.env) {
            gd_account_set_limit(p.account, 0);
            p.env = gd_env_new(p.ctx, NULL);
            continue;
        }
        gd_program_status status = run(&p, source, 0, NULL);
        good += status == GD_PROGRAM_OK;
        gd_account_set_limit(p.account, 0);
        expect(&p, "print(1)", "1\n|: ");
    }
    ck_assert_uint_gt(good, 0);
    place_free(&p);
}
END_TEST

/* ---- from C ---- */

typedef struct machine {
    place p;
    gd_program_options options;
    gd_vm vm;
} machine;

static void begin(machine *m) {
    m->p = place_new(0);
    m->options = (gd_program_options){.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_vm_begin(&m->vm, m->p.env, &m->options);
}

static void end(machine *m) {
    gd_vm_end(&m->vm);
    ck_assert(!gd_pending(&m->vm));
    place_free(&m->p);
}

START_TEST(dict_from_c) {
    machine m;
    begin(&m);
    gd_heap *heap = gd_vm_heap(&m.vm);
    gd_any d = gd_dict_new(&m.vm), value;
    for (int64_t i = 0; i < 5000; i++) /* far apart: multiples of a power of two share their low bits */
        ck_assert(gd_dict_set(&m.vm, gd_as_dict(d), GD_ANY_INT(i << 32), GD_ANY_INT(i)));
    ck_assert_uint_eq(gd_dict_count(gd_as_dict(d)), 5000);
    for (int64_t i = 0; i < 5000; i += 2)
        ck_assert_int_eq(gd_dict_remove(&m.vm, gd_as_dict(d), GD_ANY_INT(i << 32), NULL), 1);
    for (int64_t i = 0; i < 5000; i++) {
        int found = gd_dict_get(&m.vm, gd_as_dict(d), GD_ANY_FLOAT((double)(i << 32)), &value);
        ck_assert_int_eq(found, i % 2);
        if (found) ck_assert_int_eq(value.u.i, i);
    }
    /* A queue: what goes in at the end and out at the front or the end takes no ever larger table. */
    for (int64_t i = 1; i < 200000; i++) {
        ck_assert(gd_dict_set(&m.vm, gd_as_dict(d), GD_ANY_INT(-i), GD_ANY_NONE));
        ck_assert_int_eq(gd_dict_remove(&m.vm, gd_as_dict(d), GD_ANY_INT(-i), &value), 1);
    }
    ck_assert_uint_le(gd_as_dict(d)->capacity, 20000);
    size_t at = 0;
    gd_any key;
    int64_t i = 1;
    for (; gd_dict_each(gd_as_dict(d), &at, &key, &value); i += 2) ck_assert_int_eq(value.u.i, i);
    ck_assert_int_eq(i, 5001);
    gd_drop(heap, d);
    end(&m);
}
END_TEST

START_TEST(set_from_c) {
    machine m;
    begin(&m);
    gd_any s = gd_set_new(&m.vm);
    for (int64_t i = 0; i < 20000; i++) ck_assert(gd_set_add(&m.vm, s, GD_ANY_INT((i % 5000) << 20)));
    ck_assert_int_eq(gd_length(&m.vm, s), 5000);
    gd_any in = gd_compare(&m.vm, GD_PY_IN, GD_ANY_INT(77 << 20), s);
    ck_assert(in.tag == GD_A_BOOL && in.u.i);
    gd_any copy = gd_list_from(&m.vm, s);
    ck_assert_uint_eq(((gd_list *)copy.u.object)->n, 5000);
    gd_drop(gd_vm_heap(&m.vm), copy);
    gd_drop(gd_vm_heap(&m.vm), s);
    end(&m);
}
END_TEST

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Sorts n numbers below `most`, tagged with their place, and checks order and stability. */
static void check_sort(machine *m, size_t n, uint64_t most, bool reverse) {
    gd_any list = gd_list_new(&m->vm, 0);
    uint64_t state = n * 31 + most;
    for (size_t i = 0; i < n; i++) {
        gd_any pair[] = {GD_ANY_INT((int64_t)(next_random(&state) % most)), GD_ANY_INT((int64_t)i)};
        ck_assert(gd_list_append(&m->vm, (gd_list *)list.u.object, gd_tuple_of(&m->vm, 2, pair)));
    }
    ck_assert(gd_list_sort(&m->vm, (gd_list *)list.u.object, GD_ANY_CLASS(&gd_class_bool), reverse));
    int64_t last = -1;
    for (size_t i = 0; i < n; i++) { /* every tuple is true: equal keys, so the order stays */
        int64_t at = ((gd_tuple *)((gd_list *)list.u.object)->items[i].u.object)->items[1].u.i;
        ck_assert_int_eq(at, last + 1);
        last = at;
    }
    ck_assert(gd_list_sort(&m->vm, (gd_list *)list.u.object, GD_ANY_NONE, reverse));
    for (size_t i = 1; i < n; i++) {
        const gd_any *items = ((gd_list *)list.u.object)->items;
        gd_any ordered = gd_compare(&m->vm, reverse ? GD_PY_GE : GD_PY_LE, items[i - 1], items[i]);
        ck_assert(ordered.tag == GD_A_BOOL && ordered.u.i);
    }
    gd_drop(gd_vm_heap(&m->vm), list);
}

START_TEST(sort_from_c) {
    machine m;
    begin(&m);
    static const size_t sizes[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000, 4097};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int reverse = 0; reverse < 2; reverse++) {
            check_sort(&m, sizes[i], 5, reverse);
            check_sort(&m, sizes[i], 1000000, reverse);
        }
    end(&m);
}
END_TEST

START_TEST(slices_from_c) {
    machine m;
    begin(&m);
    static const int64_t bounds[] = {INT64_MIN, -8, -3, -1, 0, 1, 4, 6, INT64_MAX};
    enum { N = sizeof bounds / sizeof *bounds };
    for (int a = 0; a <= N; a++)
        for (int b = 0; b <= N; b++)
            for (int c = 0; c < N; c++) {
                if (!bounds[c]) continue;
                gd_slice_object s = {.start = a < N ? GD_ANY_INT(bounds[a]) : GD_ANY_NONE,
                                     .stop = b < N ? GD_ANY_INT(bounds[b]) : GD_ANY_NONE,
                                     .step = GD_ANY_INT(bounds[c])};
                int64_t start, step, count;
                ck_assert(gd_slice_bounds(&m.vm, &s, 5, &start, &step, &count));
                ck_assert(count >= 0 && count <= 5);
                if (count)
                    ck_assert(start >= 0 && start < 5 && start + (count - 1) * step >= 0 &&
                              start + (count - 1) * step < 5);
            }
    end(&m);
}
END_TEST

Suite *objects_suite(void) {
    Suite *suite = suite_create("objects");
    TCase *memory = tcase_create("memory"), *c = tcase_create("containers");
    tcase_set_timeout(memory, 300);
    tcase_set_timeout(c, 60);
    tcase_add_test(memory, accounts);
    tcase_add_test(memory, budget);
    tcase_add_test(memory, limit);
    tcase_add_test(memory, cycles);
    tcase_add_test(memory, depth);
    tcase_add_test(memory, every_refusal);
    tcase_add_test(memory, every_budget);
    tcase_add_test(c, dict_from_c);
    tcase_add_test(c, set_from_c);
    tcase_add_test(c, sort_from_c);
    tcase_add_test(c, slices_from_c);
    suite_add_tcase(suite, memory);
    suite_add_tcase(suite, c);
    return suite;
}
