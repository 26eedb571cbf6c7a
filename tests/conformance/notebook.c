/* notebook.c: the seed notebook as a C program that knows nothing but core/gradd.h and libgradd.
 * Prints what the notebook prints, object addresses aside; notebook.sh compares it. */
#include "core/gradd.h"

#include <stdio.h>
#include <stdlib.h>

static gd_ctx *ctx;

static void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, gd_ctx_error(ctx)->message);
    exit(1);
}

static gd_tensor *check(const char *what, gd_tensor *t) {
    if (!t) die(what);
    return t;
}

/* op(sizes, requires_grad=…) for the factories. */
static gd_tensor *factory(const char *name, const int64_t *sizes, uint32_t ndim, bool requires_grad) {
    gd_value size = GD_INTS_VALUE(sizes, ndim);
    gd_kwarg kw = {"requires_grad", GD_BOOL_VALUE(requires_grad)};
    gd_result r = {0};
    if (gd_call(ctx, name, &size, 1, &kw, 1, NULL, &r)) die(name);
    gd_tensor *t = gd_retain(r.outputs[0]);
    gd_result_clear(&r);
    return t;
}

static gd_tensor *two(const char *name, gd_tensor *a, gd_value b) {
    gd_value args[] = {GD_TENSOR_VALUE(a), b};
    return check(name, gd_call1(ctx, name, args, 2));
}

static gd_tensor *one(const char *name, gd_tensor *a) {
    gd_value args[] = {GD_TENSOR_VALUE(a)};
    return check(name, gd_call1(ctx, name, args, 1));
}

static void show(const char *label, gd_tensor *t) {
    char *text = t ? gd_repr(ctx, t) : NULL;
    printf("%s%s\n", label, t ? text : "None");
    free(text);
}

static void backward(gd_tensor *z, gd_tensor *grad, bool retain) {
    gd_backward_options options = {.retain_graph = retain};
    gd_tensor *const grads[] = {grad};
    if (gd_backward(ctx, &z, 1, grad ? grads : NULL, NULL, 0, &options, NULL, NULL))
        printf("%s: %s\n", gd_code_exception(gd_ctx_error(ctx)->code), gd_ctx_error(ctx)->message);
}

static const char *truth(bool b) { return b ? "True" : "False"; }

static void cell_1_and_3(void) {
    const int64_t size1[] = {1};
    float two_f = 2.0f;
    gd_tensor *x = check("x", gd_from_bytes(ctx, GD_FLOAT32, 1, size1, &two_f, sizeof two_f));
    gd_tensor *w = factory("randn", size1, 1, true), *b = factory("randn", size1, 1, true);
    gd_tensor *y = check("mul", gd_mul(ctx, x, w)), *z = check("add", gd_add(ctx, y, b));
    printf("is_leaf:%s,%s,%s,%s,%s\n", truth(gd_is_leaf(x)), truth(gd_is_leaf(y)), truth(gd_is_leaf(z)),
           truth(gd_is_leaf(w)), truth(gd_is_leaf(b)));
    printf("requires_grad:%s,%s,%s\n", truth(gd_requires_grad(x)), truth(gd_requires_grad(w)),
           truth(gd_requires_grad(b)));
    printf("grad_fn:%s,%s\n", gd_node_name(gd_grad_fn(ctx, y)), gd_node_name(gd_grad_fn(ctx, z)));
    backward(z, NULL, true);
    show("w.grad ", gd_grad(w)), show("b.grad ", gd_grad(b));
    show("y.grad ", gd_grad(y)), show("z.grad ", gd_grad(z));
    backward(z, NULL, false);
    show("w.grad ", gd_grad(w));
    backward(z, NULL, false);
    gd_release(x), gd_release(w), gd_release(b), gd_release(y), gd_release(z);
}

static gd_tensor *x_squared_e_x(gd_tensor *x) {
    gd_tensor *square = check("pow", gd_pow_scalar(ctx, x, 2)), *e = check("exp", gd_exp(ctx, x));
    gd_tensor *y = check("mul", gd_mul(ctx, square, e));
    gd_release(square), gd_release(e);
    return y;
}

static void cell_58(void) {
    const int64_t size[] = {3, 4};
    gd_tensor *x = factory("randn", size, 2, true), *ones = factory("ones", size, 2, false);
    gd_tensor *y = x_squared_e_x(x);
    backward(y, ones, false);
    gd_tensor *e = one("exp", x), *twice = two("mul", x, GD_FLOAT_VALUE(2)), *a = check("mul", gd_mul(ctx, twice, e));
    gd_tensor *c = x_squared_e_x(x), *by_hand = check("add", gd_add(ctx, a, c));
    show("grad by autograd: ", gd_grad(x));
    show("grad by def: ", by_hand);
    gd_tensor *all[] = {x, ones, y, e, twice, a, c, by_hand};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) gd_release(all[i]);
}

static void cell_60_and_84(void) {
    const int64_t size[] = {1};
    gd_tensor *x = factory("ones", size, 1, false), *b = factory("rand", size, 1, true),
              *w = factory("rand", size, 1, true);
    gd_tensor *y = check("mul", gd_mul(ctx, w, x)), *z = check("add", gd_add(ctx, y, b));
    gd_node *node = gd_grad_fn(ctx, z);
    uint32_t nr = 0;
    for (int i = 0; i < gd_node_ninputs(node); i++) printf("(%s, %u) ", gd_node_name(gd_node_next(node, i, &nr)), nr);
    printf("%s\n", truth(gd_node_next(node, 0, &nr) == gd_grad_fn(ctx, y)));
    for (int i = 0; i < 24; i++) backward(z, NULL, true);
    show("", gd_grad(w));
    gd_release(x), gd_release(b), gd_release(w), gd_release(y), gd_release(z);
}

static void cell_88(void) {
    const int64_t size[] = {1};
    gd_ctx_set_grad_mode(ctx, GD_MODE_NO_GRAD);
    gd_tensor *x = factory("ones", size, 1, false), *w = factory("rand", size, 1, true),
              *y = check("mul", gd_mul(ctx, x, w));
    printf("%s %s %s\n", truth(gd_requires_grad(x)), truth(gd_requires_grad(w)), truth(gd_requires_grad(y)));
    gd_ctx_set_grad_mode(ctx, GD_MODE_GRAD);
    gd_release(x), gd_release(w), gd_release(y);
}

static void cell_129(void) {
    const int64_t size[] = {10};
    gd_tensor *x = factory("rand", size, 1, true);
    show("", x);
    gd_tensor *data = check("data", gd_data(ctx, x));
    show("", data);
    gd_tensor *scaled = two("mul_", data, GD_INT_VALUE(100));
    show("", x);
    gd_release(x), gd_release(data), gd_release(scaled);
}

int main(void) {
    ctx = gd_ctx_new(NULL);
    if (!ctx) return 1;
    gd_ctx_manual_seed(ctx, 0);
    cell_1_and_3();
    cell_58();
    cell_60_and_84();
    cell_88();
    cell_129();
    printf("nodes left: %llu, bytes left: %zu\n", (unsigned long long)gd_ctx_nodes(ctx), gd_account_used(NULL));
    gd_ctx_free(ctx);
    return 0;
}
