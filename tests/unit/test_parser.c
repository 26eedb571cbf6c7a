/* test_parser.c: programs become the trees that CPython makes of them, nodes where it has them, and wrong ones get its
 * errors (tests/programs/syntax, written by record.py there); what only this language says; limits; broken input.
 */
#include "core/program/ast.h"
#include "tree_text.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *parser_suite(void);

#define RECORDS "tests/programs/syntax/"

/* ---- what CPython says ------------------------------------------------------------------------------------------- */

static gd_tree *parsed(const char *source, gd_syntax_error *error) {
    return gd_parse(source, strlen(source), 0, error);
}

typedef void record_check(const json_t *record);

static void each_record(const char *file, record_check *check) {
    FILE *f = fopen(file, "r");
    ck_assert_msg(f != NULL, "cannot read %s", file);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, f) > 0) {
        json_t *record = json_loads(line, 0, NULL);
        ck_assert_ptr_nonnull(record);
        check(record);
        json_decref(record);
    }
    free(line);
    fclose(f);
}

static const char *item(const json_t *record, size_t i) { return json_string_value(json_array_get(record, i)); }

static void check_tree(const json_t *record) {
    gd_syntax_error error;
    gd_tree *tree = parsed(item(record, 0), &error);
    ck_assert_msg(tree != NULL, "%s\n%s %u:%u", item(record, 0), error.message, error.at.line, error.at.column);
    char *places, *out = dumped(tree, &places);
    ck_assert_str_eq(out, item(record, 1));
    ck_assert_msg(!strcmp(places, item(record, 2)), "%s\n%s\n%s", item(record, 0), places, item(record, 2));
    free(out);
    free(places);
    gd_tree_free(tree);
}

START_TEST(trees) { each_record(RECORDS "trees.jsonl", check_tree); }
END_TEST

static void check_error(const json_t *record) {
    gd_syntax_error error;
    gd_tree *tree = parsed(item(record, 0), &error);
    if (!strcmp(item(record, 1), "ok")) {
        ck_assert_msg(tree != NULL, "%s: %s", item(record, 0), error.message);
        gd_tree_free(tree);
        return;
    }
    ck_assert_msg(!tree, "%s: no error", item(record, 0));
    ck_assert_msg(!strcmp(error.message, item(record, 2)), "%s: %s", item(record, 0), error.message);
    ck_assert_str_eq(error.type, item(record, 1));
    uint32_t line = (uint32_t)json_integer_value(json_array_get(record, 3));
    uint32_t column = (uint32_t)json_integer_value(json_array_get(record, 4));
    ck_assert_msg(error.at.line == line && (!column || error.at.column == column), "%s: %u:%u not %u:%u",
                  item(record, 0), error.at.line, error.at.column, line, column);
}

START_TEST(errors) { each_record(RECORDS "errors.jsonl", check_error); }
END_TEST

/* ---- what only this language says -------------------------------------------------------------------------------- */

static const struct {
    const char *source, *says;
    uint32_t line, column;
} own[] = {
    {"x = 1\nclass A: pass", "this language has no classes: use functions, lists and dicts", 2, 1},
    {"def f():\n  yield 1", "this language has no generators: yield is not possible; return a list", 2, 3},
    {"async def f(): pass", "this language has no async and await: call functions directly", 1, 1},
    {"x = await f()", "this language has no async and await: call functions directly", 1, 5},
    {"x = [a async for a in b]", "this language has no async and await: call functions directly", 1, 8},
    {"match x:\n  case 1: pass", "this language has no match statement: use if and elif", 1, 1},
    {"@property\ndef f(): pass",
     "this language has no decorators but torch.no_grad(), torch.enable_grad(), torch.inference_mode() and "
     "torch.set_grad_enabled(mode)",
     1, 2},
    {"x = 2j", "this language has no complex numbers", 1, 5},
    {"x = (1, b'a')", "this language has no bytes literals: leave the b out", 1, 9},
    {"'\\N{BULLET}'", "this language has no \\N{...} escapes: write the character itself, or \\uXXXX", 1, 13},
    {"'\\ud800'", "this language's strings hold whole characters: the surrogate \\ud800 is none", 1, 9},
    {"try: a\nexcept* B: c", "this language has no exception groups: write except, not except*", 2, 7},
    {"from __future__ import annotations", "this language has no __future__ features: leave the line out", 1, 1},
    {"from . import a", "this language has no packages of its own: only torch, its parts and math can be imported", 1,
     6},
    {"x = 9223372036854775808", "integer literal too large: this language has 64-bit integers", 1, 5},
    {"x = -(9223372036854775808)", "integer literal too large: this language has 64-bit integers", 1, 7},
    {"x = -9223372036854775808 ** 2", "integer literal too large: this language has 64-bit integers", 1, 6},
    {"x = 0xFFFFFFFFFFFFFFFF", "integer literal too large: this language has 64-bit integers", 1, 5},
    {"\xEF\xAC\x81 = 1", "invalid character '\xEF\xAC\x81' (U+FB01): names here are in normal form (NFKC)", 1, 1},
    /* columns within f-strings are those of the line */
    {"x = f'{a} {b c}'", "f-string: invalid syntax. Perhaps you forgot a comma?", 1, 12},
    {"x = f'''\n{a} {b c}'''", "f-string: invalid syntax. Perhaps you forgot a comma?", 2, 6},
};

START_TEST(own_texts) {
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        gd_syntax_error error;
        ck_assert_ptr_null(parsed(own[i].source, &error));
        ck_assert_str_eq(error.message, own[i].says);
        ck_assert_str_eq(error.type, "SyntaxError");
        ck_assert_msg(error.at.line == own[i].line && error.at.column == own[i].column, "%s: %u:%u", own[i].source,
                      error.at.line, error.at.column);
    }
}
END_TEST

START_TEST(encoding) {
    static const struct {
        const char *source;
        size_t bytes;
        const char *says;
        uint32_t line, column;
    } cases[] = {
        {"x = 1\0", 6, "source code string cannot contain null bytes", 1, 6},
        {"y\n\xC3\xA9 = '\xFF'", 8,
         "(unicode error) 'utf-8' codec can't decode byte 0xff in position 8: invalid start byte", 2, 6},
        {"'\xE4\xB8'", 4, "(unicode error) 'utf-8' codec can't decode bytes in position 1-2: invalid continuation byte",
         1, 2},
        {"'\xE4\xB8", 3, "(unicode error) 'utf-8' codec can't decode bytes in position 1-2: unexpected end of data", 1,
         2},
        {"\xED\xA0\x80", 3,
         "(unicode error) 'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gd_syntax_error error;
        size_t bytes = i == 1 ? 10 : cases[i].bytes;
        ck_assert_ptr_null(gd_parse(cases[i].source, bytes, 0, &error));
        ck_assert_str_eq(error.message, cases[i].says);
        ck_assert_uint_eq(error.at.line, cases[i].line);
        ck_assert_uint_eq(error.at.column, cases[i].column);
    }
    gd_syntax_error error;
    gd_tree *tree = gd_parse("\xEF\xBB\xBFx = 1\r\ny = 2\r", 15, 0, &error);
    ck_assert_ptr_nonnull(tree);
    ck_assert_uint_eq(gd_tree_body(tree)->next->at.line, 2);
    gd_tree_free(tree);
}
END_TEST

START_TEST(single_expression) {
    gd_syntax_error error;
    gd_tree *tree = gd_parse_expression("lambda grad: grad * 2", 21, 0, &error);
    ck_assert_ptr_nonnull(tree);
    ck_assert_int_eq(gd_tree_body(tree)->kind, GD_X_LAMBDA);
    gd_tree_free(tree);
    ck_assert_ptr_null(gd_parse_expression("x = 1", 5, 0, &error));
    ck_assert_str_eq(error.message, "invalid syntax");
    ck_assert_uint_eq(error.at.column, 3);
    ck_assert_ptr_null(gd_parse_expression("", 0, 0, &error));
    ck_assert_str_eq(error.message, "invalid syntax");
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static char *repeated(const char *before, const char *unit, size_t times, const char *after) {
    size_t n = strlen(unit);
    char *s = malloc(strlen(before) + n * times + strlen(after) + 1), *w = stpcpy(s, before);
    for (size_t i = 0; i < times; i++) w = stpcpy(w, unit);
    strcpy(w, after);
    return s;
}

START_TEST(depth) {
    static const char *const deep[][3] = {
        {"", "-", "1"},        {"", "not ", "1"},
        {"a", ".b", ""},       {"a", "[0]", ""},
        {"f", "()", ""},       {"1", "+1", ""},
        {"2", "**2", ""},      {"", "a if b else ", "c"},
        {"", "lambda: ", "1"}, {"if a: b\n", "elif a: b\n", ""},
    };
    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
        gd_syntax_error error;
        char *s = repeated(deep[i][0], deep[i][1], 100000, deep[i][2]);
        ck_assert_ptr_null(parsed(s, &error));
        ck_assert_str_eq(error.message, "too many nested expressions or branches: more than 1000 levels");
        free(s);
        s = repeated(deep[i][0], deep[i][1], 400, deep[i][2]);
        gd_tree *tree = parsed(s, &error);
        ck_assert_msg(tree != NULL, "%s", error.message);
        gd_tree_free(tree);
        free(s);
    }
}
END_TEST

START_TEST(width) {
    static const char *const wide[][3] = {
        {"", "x = 1\n", ""}, {"f(", "a, ", ")"},  {"f'", "{a}", "'"}, {"1", " < 1", ""},
        {"1", " and 1", ""}, {"{", "1: 2,", "}"}, {"", "'a' ", ""},   {"", "a = ", "1"},
    };
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        gd_syntax_error error;
        char *s = repeated(wide[i][0], wide[i][1], 20000, wide[i][2]);
        gd_tree *tree = parsed(s, &error);
        ck_assert_msg(tree != NULL, "%s: %s", wide[i][1], error.message);
        gd_tree_free(tree);
        free(s);
    }
}
END_TEST

/* What is wrong deep within brackets is found without trying everything at each of them. */
START_TEST(wrong_and_deep) {
    static const char *const parts[] = {"(",         "[", "{", "f(", "f(a=", "x[", "{a:", "(not ", "(a|b^c&d<<e+f*",
                                        "lambda x=("};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        gd_syntax_error error;
        char *s = repeated("", parts[i], 190, "a b !");
        ck_assert_ptr_null(parsed(s, &error));
        free(s);
    }
}
END_TEST

START_TEST(memory) {
    gd_syntax_error error;
    char *s = repeated("", "x = [1, 2, 'three']\n", 1000, "");
    for (size_t limit = 1 << 10; limit < 1 << 20; limit += 37 << 10) {
        gd_tree *tree = gd_parse(s, strlen(s), limit, &error);
        if (!tree) ck_assert(error.memory);
        gd_tree_free(tree);
    }
    gd_tree *tree = gd_parse(s, strlen(s), 8 << 20, &error);
    ck_assert_ptr_nonnull(tree);
    gd_tree_free(tree);
    gd_tree_free(NULL);
    free(s);
}
END_TEST

/* Every cut of a program that has everything ends, and an error lies within it. */
START_TEST(cuts) {
    static const char source[] = "@torch.no_grad()\ndef f(a, b=1, *c, **d) -> e:\n    '''doc'''\n    for x, *y in z:\n"
                                 "        if (q := x) > 1 and not y: return [i ** -2 for i in y if i]\n"
                                 "        elif a: print(f'{x!r:>{w}} {a=}', *c, sep='', **d)\n"
                                 "    try:\n        with a as b, c: pass\n    except (A, B) as e: raise C from e\n"
                                 "    else: x[1:, ::2, ...] += {1: 2, **d}[0] @ 0x1F\n    finally: del a, b\n";
    for (size_t n = 0; n < sizeof source; n++) {
        gd_syntax_error error;
        gd_tree *tree = gd_parse(source, n, 0, &error);
        if (!tree) ck_assert(error.at.line >= 1 && error.at.line <= 12 && error.at.column >= 1 && error.message[0]);
        gd_tree_free(tree);
    }
}
END_TEST

Suite *parser_suite(void) {
    Suite *s = suite_create("parser");
    TCase *t = tcase_create("parser");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, trees);
    tcase_add_test(t, errors);
    tcase_add_test(t, own_texts);
    tcase_add_test(t, encoding);
    tcase_add_test(t, single_expression);
    tcase_add_test(t, depth);
    tcase_add_test(t, width);
    tcase_add_test(t, wrong_and_deep);
    tcase_add_test(t, memory);
    tcase_add_test(t, cuts);
    suite_add_tcase(s, t);
    return s;
}
