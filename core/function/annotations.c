/* annotations.c: what a parameter's annotation fixes: `float64[100]`, `float32[3, 4]`, `float64` (no dimension: a
 * single number), `float64[...]` (any shape), `torch.float64[3]`, `bool[2]`, the same in quotes ("float64[]"), and int,
 * float, bool, str for plain values. Every other annotation (Tensor, torch.Tensor, list[int]) leaves the parameter
 * open.
 */
#include "core/function/inside.h"
#include "core/program/ast.h"

#include <string.h>

static bool is_torch(const gd_ast *x) { return x->kind == GD_X_NAME && !strcmp(x->u.name, "torch"); }

/* The dtype that is named, as `float64` or torch.float64; Python's own int, float and bool are not meant. */
static bool dtype_of(const gd_ast *x, gd_dtype *dtype) {
    static const char *const pythons[] = {"int", "float", "bool"};
    if (x->kind == GD_X_ATTRIBUTE) return is_torch(x->u.attribute.value) && gd_dtype_parse(x->u.attribute.name, dtype);
    if (x->kind != GD_X_NAME) return false;
    for (size_t i = 0; i < sizeof pythons / sizeof *pythons; i++)
        if (!strcmp(x->u.name, pythons[i])) return false;
    return gd_dtype_parse(x->u.name, dtype);
}

static bool plain_kind(const char *name, gd_input_kind *kind) {
    static const struct {
        const char *name;
        gd_input_kind kind;
    } kinds[] = {{"int", GD_INPUT_INT}, {"float", GD_INPUT_FLOAT}, {"bool", GD_INPUT_BOOL}, {"str", GD_INPUT_STR}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(name, kinds[i].name)) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

static bool add_size(const gd_ast *x, gd_function_input *input, const char **why) {
    *why = "a size in an annotation is a number that is written out";
    if (x->kind != GD_X_INT || x->u.integer < 0) return false;
    *why = "an annotation has at most 8 sizes";
    if (input->ndim >= GD_FIXED_DIMS) return false;
    input->sizes[input->ndim++] = x->u.integer;
    return true;
}

/* What stands in the brackets: a size, several, or `...`. */
static bool read_sizes(const gd_ast *x, gd_function_input *input, const char **why) {
    if (x->kind == GD_X_ELLIPSIS) return true;
    input->has_shape = true;
    if (x->kind != GD_X_TUPLE) return add_size(x, input, why);
    for (const gd_ast *item = x->u.items; item; item = item->next)
        if (!add_size(item, input, why)) return false;
    return true;
}

/* "float64[3, 4]" in quotes. `float64[]` is no expression, so it is looked for first. */
static bool read_text(const gd_ast *x, gd_function_input *input, const char **why) {
    const char *text = x->u.text.text;
    size_t n = x->u.text.bytes;
    char name[64];
    gd_syntax_error error;
    if (n > 2 && n < sizeof name && !memcmp(text + n - 2, "[]", 2)) {
        memcpy(name, text, n - 2);
        name[n - 2] = 0;
        input->has_dtype = input->has_shape = gd_dtype_parse(name, &input->dtype);
        return true;
    }
    gd_tree *tree = gd_parse_expression(text, n, (size_t)1 << 20, &error);
    bool ok = true;
    if (tree && gd_tree_body(tree)->kind != GD_X_STR) ok = gd_annotation_read(gd_tree_body(tree), input, why);
    gd_tree_free(tree);
    return ok;
}

bool gd_annotation_read(const gd_ast *x, gd_function_input *input, const char **why) {
    if (x->kind == GD_X_STR) return read_text(x, input, why);
    if (x->kind == GD_X_NAME && plain_kind(x->u.name, &input->kind)) return true;
    if (dtype_of(x, &input->dtype)) {
        input->has_dtype = input->has_shape = true;
        return true;
    }
    if (x->kind != GD_X_SUBSCRIPT) return true;
    const gd_ast *of = x->u.subscript.value;
    bool truths = of->kind == GD_X_NAME && !strcmp(of->u.name, "bool"); /* Python's own has no sizes */
    if (truths)
        input->dtype = GD_BOOL;
    else if (!dtype_of(of, &input->dtype))
        return true;
    input->has_dtype = true;
    return read_sizes(x->u.subscript.index, input, why);
}
