/* test_autograd.c: the recorded graph and backward, through the public API. */
#include "autograd_helpers.h"

#include "core/tensor/tensor.h"

/* ---- the graph ------------------------------------------------------------------------------- */

START_TEST(graph_shape) {
    gd_tensor *x = V(true, 2), *xx = NT(mul, T(x), T(x)), *x3 = NT(mul, F(3), T(x)), *y = NT(add, T(xx), T(x3));
    ck_assert(gd_is_leaf(x) && !gd_is_leaf(y));
    ck_assert_str_eq(fn_name(y), "AddBackward0");
    ck_assert_ptr_eq(gd_node_next(gd_grad_fn(ctx, y), 0, NULL), gd_grad_fn(ctx, xx));
    ck_assert_str_eq(next_name(x3, 0), "None");
    ck_assert_str_eq(next_name(x3, 1), "AccumulateGrad");
    gd_node *a = gd_node_next(gd_grad_fn(ctx, xx), 0, NULL);
    ck_assert_ptr_eq(a, gd_node_next(gd_grad_fn(ctx, xx), 1, NULL));
    ck_assert_ptr_eq(a, gd_gradient_edge(ctx, x, NULL));
    ck_assert_ptr_eq(gd_node_variable(a), x);
    ck_assert_int_eq(gd_node_ninputs(a), 0);
    ck_assert_uint_gt(gd_node_id(gd_grad_fn(ctx, y)), gd_node_id(gd_grad_fn(ctx, x3)));
    ck_assert_uint_eq(gd_ctx_nodes(ctx), 4);
    backward_ok(y);
    SAME(gd_grad(x), 7);
}
END_TEST

START_TEST(no_record) {
    gd_tensor *x = V(true, 2), *c = V(false, 3);
    ck_assert_ptr_null(gd_grad_fn(ctx, NT(mul, T(c), T(c))));
    ck_assert_ptr_null(gd_grad_fn(ctx, NT(gt, T(x), F(1))));
    ck_assert(!gd_requires_grad(NT(long, T(x))));
    gd_ctx_set_grad_mode(ctx, GD_MODE_NO_GRAD);
    gd_tensor *y = NT(mul, T(x), T(x));
    ck_assert(!gd_requires_grad(y) && gd_is_leaf(y));
    gd_ctx_set_grad_mode(ctx, GD_MODE_GRAD);
    ck_assert_uint_eq(gd_ctx_nodes(ctx), 0);
    ck_assert_ptr_nonnull(gd_gradient_edge(ctx, x, NULL)); /* made for the asker, owned by x */
    ck_assert_uint_eq(gd_ctx_nodes(ctx), 1);
}
END_TEST

START_TEST(several_outputs) {
    gd_tensor *x = shaped(2, 2, (float[]){1, 2, 3, 4}, true), *h = NT(mul, T(x), F(1));
    gd_result r;
    ck_assert_int_eq(gd_call(ctx, "unbind", (gd_value[]){T(h), I(1)}, 2, NULL, 0, NULL, &r), GD_OK);
    gd_tensor *b = keep(gd_retain(r.outputs[1]));
    gd_result_clear(&r);
    ck_assert_uint_eq(gd_output_nr(b), 1);
    gd_tensor *y = NT(mul, T(b), F(2));
    uint32_t nr = 9;
    ck_assert_str_eq(gd_node_name(gd_node_next(gd_grad_fn(ctx, y), 0, &nr)), "UnbindBackward0");
    ck_assert_uint_eq(nr, 1);
    backward_ok(NT(sum, T(y)));
    SAME(gd_grad(x), 0, 2, 0, 2);
}
END_TEST

START_TEST(saved_fields) {
    gd_tensor *x = V(true, 2), *y = NT(pow, T(x), I(2)), *e = NT(exp, T(y));
    const char *name;
    gd_value v;
    gd_node *fn = gd_grad_fn(ctx, y);
    ck_assert_int_eq(gd_node_nsaved(fn), 2);
    ck_assert_int_eq(gd_node_saved(ctx, fn, 0, &name, &v), GD_OK);
    ck_assert_str_eq(name, "exponent");
    ck_assert_int_eq(gd_node_saved(ctx, fn, 1, &name, &v), GD_OK);
    ck_assert_str_eq(name, "self");
    ck_assert_ptr_eq(keep(v.u.tensor), x);
    fn = gd_grad_fn(ctx, e);
    ck_assert_int_eq(gd_node_saved(ctx, fn, 0, &name, &v), GD_OK);
    ck_assert_str_eq(name, "result");
    SAME(keep(v.u.tensor), exp(4));
    ck_assert_ptr_eq(gd_grad_fn(ctx, v.u.tensor), fn);
    backward_ok(e);
    ck_assert(gd_node_freed(fn));
    ck_assert_int_eq(gd_node_saved(ctx, fn, 0, &name, &v), GD_E_GRAPH_FREED);
    message_is(FREED_TEXT);
}
END_TEST

/* ---- backward -------------------------------------------------------------------------------- */

START_TEST(twice) {
    gd_tensor *x = V(true, 3), *y = NT(mul, T(x), T(x));
    backward_ok(y);
    ck_assert_int_eq(backward(y), GD_E_GRAPH_FREED);
    message_is(FREED_TEXT);
    SAME(gd_grad(x), 6);
    gd_tensor *s = NT(sum, T(NT(add, T(x), T(x)))); /* saves nothing */
    backward_ok(s);
    backward_ok(s);
    ck_assert(!gd_node_freed(gd_grad_fn(ctx, s)));
    SAME(gd_grad(x), 10);
    gd_tensor *h = NT(mul, T(x), T(x)), *a = NT(add, T(h), I(1)), *b = NT(exp, T(h));
    backward_ok(a);
    ck_assert_int_eq(backward(b), GD_E_GRAPH_FREED); /* h went with a */
    ck_assert(!gd_node_freed(gd_grad_fn(ctx, b)));
}
END_TEST

START_TEST(retained) {
    gd_tensor *x = V(true, 2), *y = NT(mul, T(x), T(x));
    ck_assert_int_eq(backward_with(y, NULL, &retain), GD_OK);
    gd_tensor *g = gd_grad(x);
    SAME(g, 4);
    uint32_t before, after;
    ck_assert_int_eq(gd_version(ctx, g, &before), GD_OK);
    backward_ok(y);
    ck_assert_ptr_eq(gd_grad(x), g); /* in place */
    ck_assert_int_eq(gd_version(ctx, g, &after), GD_OK);
    ck_assert_uint_eq(after, before + 1);
    SAME(g, 8);
    ck_assert_int_eq(backward(y), GD_E_GRAPH_FREED);
    gd_tensor *z = NT(mul, T(x), T(x));
    keep(gd_retain(g));
    ck_assert_int_eq(backward_with(z, NULL, &create), GD_OK);
    ck_assert_ptr_ne(gd_grad(x), g);
    ck_assert(gd_requires_grad(gd_grad(x)));
    ck_assert_int_eq(gd_set_grad(ctx, x, NULL), GD_OK); /* breaks the cycle, as PyTorch's warning says */
}
END_TEST

static gd_code refuse(gd_ctx *c, void *user, gd_tensor *grad, gd_tensor **replacement) {
    (void)c, (void)user, (void)grad, (void)replacement;
    return GD_E_VALUE;
}

START_TEST(all_or_nothing) {
    for (int order = 0; order < 2; order++) {
        gd_tensor *x = V(true, 1), *w = V(true, 2), *ww, *x1;
        if (order)
            x1 = NT(add, T(x), I(1)), ww = NT(mul, T(w), T(w));
        else
            ww = NT(mul, T(w), T(w)), x1 = NT(add, T(x), I(1));
        gd_tensor *z = NT(add, T(x1), T(ww));
        backward_ok(z);
        ck_assert_int_eq(backward(z), GD_E_GRAPH_FREED);
        SAME(gd_grad(x), 1);
        SAME(gd_grad(w), 4);
    }
    gd_tensor *x = V(true, 1), *y = V(true, 2), *z = NT(mul, T(x), T(y));
    uint64_t handle;
    ck_assert_int_eq(gd_register_hook(ctx, y, "<lambda>", refuse, NULL, NULL, &handle), GD_OK);
    ck_assert_int_eq(backward(z), GD_E_VALUE);
    ck_assert_ptr_null(gd_grad(x));
    ck_assert(gd_remove_hook(y, handle) && !gd_remove_hook(y, handle));
    backward_ok(z); /* nothing was freed */
    SAME(gd_grad(x), 2);
}
END_TEST

START_TEST(checks) {
    gd_tensor *x = V(true, 1, 2), *y = NT(mul, T(x), F(2)), *g = V(false, 1, 2, 3), *c = V(false, 1);
    ck_assert_int_eq(backward_with(y, g, NULL), GD_E_SHAPE);
    message_is(
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2]).");
    ck_assert_int_eq(backward(y), GD_E_SHAPE);
    message_is("grad can be implicitly created only for scalar outputs");
    ck_assert_int_eq(backward(c), GD_E_NO_GRAD);
    message_is("element 0 of tensors does not require grad and does not have a grad_fn");
    ck_assert_int_eq(gd_backward(ctx, &y, 1, NULL, &x, 0, NULL, NULL, NULL), GD_E_RUNTIME);
    message_is("'inputs' argument to backward() cannot be empty.");
    gd_tensor *ints = keep(gd_from_bytes(ctx, GD_INT64, 1, (int64_t[]){2}, (int64_t[]){1, 5}, 16));
    ck_assert_int_eq(backward_with(y, ints, NULL), GD_OK); /* cast */
    SAME(gd_grad(x), 2, 10);
    ck_assert_int_eq(gd_dtype_of(gd_grad(x)), GD_FLOAT64);
    gd_ctx_set_grad_mode(ctx, GD_MODE_NO_GRAD);
    gd_tensor *leaf = V(true, 5);
    backward_ok(leaf);
    SAME(gd_grad(leaf), 1);
    ck_assert_int_eq(gd_ctx_grad_mode(ctx), GD_MODE_NO_GRAD);
    gd_ctx_set_grad_mode(ctx, GD_MODE_GRAD);
}
END_TEST

static void count(void *user, gd_tensor *t) {
    (void)t;
    ++*(int *)user;
}

START_TEST(only_inputs) {
    gd_tensor *x = V(true, 2), *w = V(true, 3), *h = NT(mul, T(x), T(w)), *y = NT(mul, T(h), T(h));
    int written = 0;
    ck_assert_int_eq(gd_backward(ctx, &y, 1, NULL, &x, 1, &retain, count, &written), GD_OK);
    SAME(gd_grad(x), 36);
    ck_assert_ptr_null(gd_grad(w));
    ck_assert_int_eq(written, 1);
    ck_assert_int_eq(gd_backward(ctx, &y, 1, NULL, &h, 1, &retain, NULL, NULL), GD_OK);
    SAME(gd_grad(h), 12);
    SAME(gd_grad(x), 36);
    ck_assert(gd_retains_grad(h));
    gd_tensor *both[] = {w, x};
    ck_assert_int_eq(gd_backward(ctx, &y, 1, NULL, both, 2, NULL, NULL, NULL), GD_OK);
    SAME(gd_grad(w), 24);
    SAME(gd_grad(x), 72);
}
END_TEST

START_TEST(broadcast_undone) {
    gd_tensor *a = shaped(3, 1, (float[]){1, 2, 3}, true), *b = V(true, 1, 2, 3, 4),
              *c = keep(gd_scalar_f64(ctx, 2, GD_FLOAT32));
    ck_assert_int_eq(gd_set_requires_grad(ctx, c, true), GD_OK);
    backward_ok(NT(sum, T(NT(add, T(NT(mul, T(a), T(b))), T(c)))));
    SAME(gd_grad(a), 10, 10, 10);
    SAME(gd_grad(b), 6, 6, 6, 6);
    SAME(gd_grad(c), 12);
    ck_assert_int_eq(gd_ndim(gd_grad(c)), 0);
    ck_assert_int_eq(gd_dtype_of(gd_grad(a)), GD_FLOAT32);
    ck_assert_int_eq(gd_dtype_of(gd_grad(b)), GD_FLOAT64);
}
END_TEST

START_TEST(leaf_switched_off) {
    gd_tensor *x = V(true, 1), *y = NT(mul, T(x), F(2));
    ck_assert_int_eq(gd_set_requires_grad(ctx, x, false), GD_OK);
    backward_ok(y);
    ck_assert_ptr_null(gd_grad(x));
    ck_assert_int_eq(gd_set_requires_grad(ctx, y, true), GD_OK);
    ck_assert_int_eq(gd_set_requires_grad(ctx, y, false), GD_E_STATE);
    gd_tensor *ints = keep(gd_zeros(ctx, GD_INT64, 0, NULL));
    ck_assert_int_eq(gd_set_requires_grad(ctx, ints, true), GD_E_DTYPE);
    message_is("only Tensors of floating point dtype can require gradients");
}
END_TEST

START_TEST(assigned_grad) {
    gd_tensor *x = V(true, 1, 2), *g = V(false, 5, 6), *one = V(false, 1);
    ck_assert_int_eq(gd_set_grad(ctx, x, one), GD_E_SHAPE);
    message_is("assigned grad has data of a different size");
    ck_assert_int_eq(gd_set_grad(ctx, x, keep(gd_zeros(ctx, GD_FLOAT32, 1, (int64_t[]){2}))), GD_E_DTYPE);
    message_is("assigned grad has data of a different type");
    ck_assert_int_eq(gd_set_grad(ctx, x, x), GD_E_STATE);
    ck_assert_int_eq(gd_set_grad(ctx, x, g), GD_OK);
    backward_ok(NT(sum, T(x)));
    SAME(g, 6, 7);
    ck_assert_int_eq(gd_set_grad(ctx, g, x), GD_OK); /* would be a cycle: kept as an alias */
    ck_assert_int_eq(gd_set_grad(ctx, x, NT(view, T(x), GD_INTS_VALUE(((int64_t[]){2}), 1))), GD_OK);
}
END_TEST

START_TEST(stolen_or_copied) {
    gd_tensor *x = V(true, 1, 2), *g = V(false, 3, 4);
    ck_assert_int_eq(backward_with(x, g, NULL), GD_OK);
    ck_assert_ptr_ne(gd_grad(x), g);
    ck_assert_ptr_ne(gd_contiguous_data(gd_grad(x)), gd_contiguous_data(g));
    ck_assert_int_eq(backward_with(x, gd_grad(x), NULL), GD_OK); /* added to itself */
    SAME(gd_grad(x), 6, 8);
    gd_tensor *z = V(true, 1, 2), *y = NT(add, T(z), T(z));
    ck_assert_int_eq(backward_with(y, g, NULL), GD_OK);
    SAME(gd_grad(z), 6, 8);
    SAME(g, 3, 4);
    gd_tensor *w = V(true, 1, 2);
    backward_ok(NT(sum, T(w))); /* an expanded gradient */
    SAME(gd_grad(w), 1, 1);
    ck_assert(gd_is_contiguous(gd_grad(w)));
}
END_TEST

/* ---- autograd.grad --------------------------------------------------------------------------- */

START_TEST(higher_order) {
    gd_tensor *x = V(true, 2), *y = NT(pow, T(x), I(3));
    gd_tensor *d1 = grad_of(y, x, &create), *d2 = grad_of(d1, x, &create), *d3 = grad_of(d2, x, &create);
    SAME(d1, 12);
    SAME(d2, 12);
    SAME(d3, 6);
    ck_assert_ptr_null(gd_grad(x));
    gd_tensor *line = grad_of(NT(mul, T(x), F(3)), x, &create), *out = NULL;
    ck_assert(!gd_requires_grad(line));
    ck_assert_int_eq(gd_autograd_grad(ctx, &line, 1, NULL, &x, 1, NULL, &out), GD_E_NO_GRAD);
    gd_tensor *e = grad_of(NT(exp, T(NT(mul, T(x), T(x)))), x, &create); /* saved result, attached again */
    SAME(e, 4 * exp(4));
    SAME(grad_of(e, x, NULL), 18 * exp(4));
}
END_TEST

START_TEST(unused) {
    gd_tensor *x = V(true, 2), *w = V(true, 1), *c = V(false, 1), *y = NT(mul, T(x), T(x)), *out[2] = {NULL, NULL};
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, NULL, &w, 1, NULL, out), GD_E_UNUSED);
    message_is(
        "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this "
        "is the desired behavior.");
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, NULL, &c, 1, NULL, out), GD_E_NO_GRAD);
    message_is("One of the differentiated Tensors does not require grad");
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, NULL, NULL, 0, NULL, out), GD_E_VALUE);
    message_is("grad requires non-empty inputs.");
    gd_tensor *inputs[] = {w, x};
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, NULL, inputs, 2, &(gd_backward_options){.allow_unused = true}, out),
                     GD_OK);
    ck_assert_ptr_null(out[0]);
    SAME(keep(out[1]), 4);
    ck_assert_ptr_null(gd_grad(x));
}
END_TEST

START_TEST(pruned) {
    /* What does not lead to an input is not run: a freed part beside it does no harm. */
    gd_tensor *x = V(true, 2), *w = V(true, 3), *ww = NT(mul, T(w), T(w)), *h = NT(mul, T(x), F(2));
    gd_tensor *y = NT(add, T(h), T(ww));
    backward_ok(ww);
    SAME(grad_of(y, h, NULL), 1);
    gd_tensor *outs[] = {h, NT(mul, T(x), F(5))}, *g = NULL;
    ck_assert_int_eq(gd_autograd_grad(ctx, outs, 2, NULL, &x, 1, NULL, &g), GD_OK);
    SAME(keep(g), 7);
}
END_TEST

START_TEST(batched) {
    gd_tensor *x = V(true, 1, 2, 3), *y = NT(mul, T(x), T(x)), *g = NULL, *eye = NT(eye, I(3));
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, &eye, &x, 1, &(gd_backward_options){.is_grads_batched = true}, &g),
                     GD_OK);
    SAME(keep(g), 2, 0, 0, 0, 4, 0, 0, 0, 6);
    ck_assert_int_eq(gd_ndim(g), 2);
    ck_assert_int_eq(backward_with(y, x, NULL), GD_E_GRAPH_FREED);
    ck_assert_int_eq(gd_autograd_grad(ctx, &y, 1, &x, &x, 1, &(gd_backward_options){.is_grads_batched = true}, &g),
                     GD_E_SHAPE);
}
END_TEST

/* ---- no leaks, no deep stack ------------------------------------------------------------------ */

START_TEST(no_cycles) {
    /* Each of these would tie a knot if nodes held tensor objects; teardown finds what is left. */
    gd_tensor *w = V(true, 2), *h = V(false, 3);
    NT(add_, T(h), T(NT(mul, T(w), T(h)))); /* saves h, then h gets a younger grad_fn */
    NT(add_, T(h), T(NT(mul, T(h), T(h))));
    NT(mul_, T(h), T(h));
    gd_tensor *b = NT(mul, T(w), T(V(false, 1, 2))), *u = NT(select, T(b), I(0), I(0));
    NT(add_, T(b), T(NT(mul, T(u), T(u)))); /* saves a view, then its base changes */
    NT(mul_, T(u), T(NT(select, T(b), I(0), I(1))));
    gd_tensor *off = V(true, 1), *y = NT(mul, T(off), F(2));
    ck_assert_int_eq(gd_set_requires_grad(ctx, off, false), GD_OK);
    NT(add_, T(off), T(NT(mul, T(y), T(w)))); /* a former leaf, computed from itself */
    backward_ok(off);
    SAME(gd_grad(w), 2);
}
END_TEST

START_TEST(close_cuts_cycles) {
    gd_account *own = gd_account_new(0, NULL);
    gd_ctx *other = gd_ctx_new(own);
    gd_tensor *x = gd_scalar_f64(other, 2, GD_FLOAT64);
    ck_assert_int_eq(gd_set_requires_grad(other, x, true), GD_OK);
    gd_tensor *y = gd_mul(other, x, x);
    ck_assert_int_eq(gd_backward(other, &y, 1, NULL, NULL, 0, &create, NULL, NULL), GD_OK);
    gd_release(y);
    gd_release(x); /* x.grad's graph still ends at x */
    ck_assert_uint_gt(gd_ctx_nodes(other), 0);
    gd_ctx_free(other);
    ck_assert_uint_eq(gd_account_used(own), 0);
    gd_account_release(own);
}
END_TEST

START_TEST(anomaly) {
    gd_tensor *x = V(true, 0, 1), *y = NT(sum, T(NT(mul, T(NT(sqrt, T(NT(mul, T(x), F(1))))), F(0))));
    ctx->anomaly = true;
    ck_assert_int_eq(backward(y), GD_E_RUNTIME);
    message_is("Function 'SqrtBackward0' returned nan values in its 0th output.");
    ck_assert_ptr_null(gd_grad(x));
    ctx->anomaly = false;
    backward_ok(y);
}
END_TEST

static const float ten_thousand[10000];

START_TEST(out_of_budget) {
    /* A run that cannot get its memory changes nothing. */
    gd_tensor *x = shaped(100, 100, ten_thousand, true), *y = NT(sum, T(NT(exp, T(NT(mul, T(x), T(x))))));
    gd_account_set_limit(account, gd_account_used(account) + 50000);
    ck_assert_int_eq(backward(y), GD_E_BUDGET);
    ck_assert_ptr_null(gd_grad(x));
    gd_account_set_limit(account, 0);
    backward_ok(y);
    ck_assert_ptr_nonnull(gd_grad(x));
}
END_TEST

#define CHAIN 1000000

/* On a small stack: forward, backward, and the freeing of the graph. NULL if all is well. */
static void *long_chain(void *unused) {
    (void)unused;
    gd_ctx *own = gd_ctx_new(NULL);
    gd_tensor *x = gd_scalar_f64(own, 1, GD_FLOAT64), *y = gd_retain(x);
    if (gd_set_requires_grad(own, x, true) != GD_OK) return "requires_grad";
    for (int i = 0; i < CHAIN; i++) {
        gd_tensor *z = i % 2 ? gd_mul(own, y, x) : gd_add(own, y, x);
        if (!z) return "forward";
        gd_release(y);
        y = z;
    }
    if (gd_ctx_nodes(own) != CHAIN + 1) return "nodes";
    if (gd_backward(own, &y, 1, NULL, NULL, 0, &retain, NULL, NULL) != GD_OK) return "backward";
    gd_release(y);
    if (gd_ctx_nodes(own) != 0) return "nodes left";
    /* Gradients of gradients nest as well. */
    gd_tensor *first = gd_scalar_f64(own, 1, GD_FLOAT64), *last = first;
    for (int i = 0; i < CHAIN / 10; i++) {
        gd_tensor *g = gd_scalar_f64(own, 1, GD_FLOAT64);
        if (gd_set_grad(own, last, g) != GD_OK) return "set_grad";
        gd_release(g);
        last = g;
    }
    gd_release(first);
    gd_release(x);
    gd_ctx_free(own);
    return NULL;
}

START_TEST(flat_stack) {
    pthread_attr_t attr;
    pthread_t thread;
    void *wrong = NULL;
    ck_assert_int_eq(pthread_attr_init(&attr), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attr, 256 << 10), 0);
    ck_assert_int_eq(pthread_create(&thread, &attr, long_chain, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, &wrong), 0);
    pthread_attr_destroy(&attr);
    ck_assert_msg(!wrong, "%s", (char *)wrong);
}
END_TEST

Suite *autograd_suite(void);
Suite *autograd_suite(void) {
    const TTest *const tests[] = {graph_shape,
                                  no_record,
                                  several_outputs,
                                  saved_fields,
                                  twice,
                                  retained,
                                  all_or_nothing,
                                  checks,
                                  only_inputs,
                                  broadcast_undone,
                                  leaf_switched_off,
                                  assigned_grad,
                                  stolen_or_copied,
                                  higher_order,
                                  unused,
                                  pruned,
                                  batched,
                                  no_cycles,
                                  close_cuts_cycles,
                                  out_of_budget,
                                  anomaly};
    Suite *suite = suite_create("autograd");
    TCase *tcase = tcase_create("autograd");
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, autograd_hook_tests());
    suite_add_tcase(suite, autograd_inplace_tests());
    TCase *slow = tcase_create("depth");
    tcase_set_timeout(slow, 120);
    tcase_add_test(slow, flat_stack);
    suite_add_tcase(suite, slow);
    return suite;
}
