/* test_index.c: rows of core/ops/index.def: subscripts as Python writes them, bounds checked before any write, and
 * PyTorch's texts. */
#include "tests/unit/op_helpers.h"

Suite *index_suite(void);

#define GET(t, ...) CALL("__getitem__", T_(t), LIST_(__VA_ARGS__))
#define ALL_ SLICE_(NONE_, NONE_, NONE_)
#define ELLIPSIS_ ((gd_value){.kind = GD_V_ELLIPSIS})

START_TEST(numbers_and_slices) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 3, 4);
    gd_tensor *row = GET(x, I_(-1)), *item = GET(x, I_(1), I_(2)), *column = GET(x, ALL_, I_(0)),
              *part = GET(x, SLICE_(I_(0), I_(3), I_(2)));
    gd_tensor *last = GET(x, ELLIPSIS_, I_(3)), *wide = GET(x, NONE_, I_(0)), *whole = GET(x, ELLIPSIS_);
    HAS(row, 8, 9, 10, 11);
    HAS(item, 6);
    HAS(column, 0, 4, 8);
    HAS(part, 0, 1, 2, 3, 8, 9, 10, 11);
    HAS(last, 3, 7, 11);
    SHAPE(wide, 1, 4);
    ck_assert_ptr_ne(whole, x);
    ck_assert_ptr_eq(gd_base(whole), x);
    ck_assert_ptr_eq(row->storage, x->storage);
    DROP(x, row, item, column, part, last, wide, whole);
}
END_TEST

START_TEST(index_tensors) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3, 4), *i = VECTOR(GD_INT64, 0, -1), *mask = VECTOR(GD_BOOL, 1, 0, 1);
    gd_tensor *a = GET(x, T_(i)), *b = GET(x, ALL_, T_(i)), *front = GET(x, T_(i), ALL_, T_(i)),
              *side = GET(x, ALL_, T_(i), T_(i)), *m = GET(x, ALL_, T_(mask));
    SHAPE(a, 2, 3, 4);
    SHAPE(b, 2, 2, 4);
    SHAPE(front, 2, 3); /* separated by a slice: the block comes first */
    HAS(front, 0, 4, 8, 15, 19, 23);
    SHAPE(side, 2, 2);
    HAS(side, 0, 11, 12, 23);
    SHAPE(m, 2, 2, 4);
    gd_tensor *yes = GET(x, GD_BOOL_VALUE(true)), *no = GET(x, GD_BOOL_VALUE(false)),
              *both = GET(x, I_(0), T_(mask), SLICE_(I_(1), I_(3), NONE_));
    SHAPE(yes, 1, 2, 3, 4);
    SHAPE(no, 0, 2, 3, 4);
    HAS(both, 1, 2, 9, 10);
    gd_tensor *list = GET(x, LIST_(I_(1), I_(1)));
    SHAPE(list, 2, 3, 4);
    DROP(x, i, mask, a, b, front, side, m, yes, no, both, list);
}
END_TEST

START_TEST(getitem_errors) {
    gd_tensor *v = COUNTED(GD_FLOAT32, 3), *mask = VECTOR(GD_BOOL, 1, 0), *far = VECTOR(GD_INT64, 3),
              *m = COUNTED(GD_FLOAT32, 2, 3), *real = VECTOR(GD_FLOAT32, 0.5);
    gd_tensor *two = VECTOR(GD_INT64, 0, 1), *three = VECTOR(GD_INT64, 0, 1, 2), *zero_dim = GET(v, I_(0));
    REFUSED("__getitem__", "index 5 is out of bounds for dimension 0 with size 3", T_(v), LIST_(I_(5)));
    REFUSED("__getitem__", "index -4 is out of bounds for dimension 0 with size 3", T_(v), LIST_(I_(-4)));
    REFUSED("__getitem__", "too many indices for tensor of dimension 1", T_(v), LIST_(I_(0), I_(0)));
    REFUSED("__getitem__", "slice step cannot be zero", T_(v), LIST_(SLICE_(NONE_, NONE_, I_(0))));
    REFUSED("__getitem__", "step must be greater than zero", T_(v), LIST_(SLICE_(NONE_, NONE_, I_(-1))));
    REFUSED("__getitem__",
            "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3] at index 0", T_(v),
            LIST_(T_(mask)));
    REFUSED("__getitem__",
            "The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [2, 3] at index 1",
            T_(m), LIST_(ALL_, T_(mask)));
    REFUSED("__getitem__", "index 3 is out of bounds for dimension 0 with size 3", T_(v), LIST_(T_(far)));
    REFUSED("__getitem__", "tensors used as indices must be long, byte or bool tensors", T_(v), LIST_(T_(real)));
    REFUSED("__getitem__", "shape mismatch: indexing tensors could not be broadcast together with shapes [2], [3]",
            T_(m), LIST_(T_(two), T_(three)));
    REFUSED(
        "__getitem__",
        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number",
        T_(zero_dim), LIST_(I_(0)));
    DROP(v, mask, far, m, real, two, three, zero_dim);
}
END_TEST

START_TEST(getitem_gradients) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 3)), *i = VECTOR(GD_INT64, 0, 0, -1), *y = GET(x, T_(i)),
              *g = gradient(y, x);
    has_node(y, "IndexBackward0");
    HAS(g, 1 + 2, 0, 3);
    gd_tensor *s = GET(x, SLICE_(I_(1), NONE_, NONE_)), *gs = gradient(s, x), *n = GET(x, I_(1)), *gn = gradient(n, x);
    has_node(s, "SliceBackward0");
    has_node(n, "SelectBackward0");
    HAS(gs, 0, 1, 2);
    HAS(gn, 0, 1, 0);
    DROP(x, i, y, g, s, gs, n, gn);
}
END_TEST

START_TEST(setitem) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3), *i = VECTOR(GD_INT64, 1, 2), *v = VECTOR(GD_FLOAT32, 7, 8),
              *mask = VECTOR(GD_BOOL, 1, 0), *r[8];
    r[0] = CALL("__setitem__", T_(x), LIST_(I_(0), I_(0)), GD_FLOAT_VALUE(9.5));
    HAS(x, 9.5, 1, 2, 3, 4, 5);
    r[1] = CALL("__setitem__", T_(x), LIST_(ALL_, T_(i)), T_(v));
    HAS(x, 9.5, 7, 8, 3, 7, 8);
    r[2] = CALL("__setitem__", T_(x), LIST_(T_(mask)), I_(0));
    HAS(x, 0, 0, 0, 3, 7, 8);
    r[3] = CALL("__setitem__", T_(x), LIST_(GD_BOOL_VALUE(false)), I_(5));
    HAS(x, 0, 0, 0, 3, 7, 8);
    ck_assert_ptr_eq(r[0], x);
    REFUSED("__setitem__",
            "shape mismatch: value tensor of shape [2] cannot be broadcast to indexing result of shape [1, 3]", T_(x),
            LIST_(T_(mask)), T_(v));
    REFUSED(
        "__setitem__",
        "The expanded size of the tensor (3) must match the existing size (2) at non-singleton dimension 0.  Target sizes: [3].  Tensor sizes: [2]",
        T_(x), LIST_(I_(0)), T_(v));
    DROP(x, i, v, mask, r[0], r[1], r[2], r[3]);
}
END_TEST

START_TEST(setitem_checks_before_it_writes) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 3), *i = VECTOR(GD_INT64, 0, 1, 3);
    REFUSED("__setitem__", "index 3 is out of bounds for dimension 0 with size 3", T_(x), LIST_(T_(i)), I_(9));
    REFUSED("index_add_", "index out of range in self", T_(x), I_(0), T_(i), T_(x));
    REFUSED("scatter_add_", "index 3 is out of bounds for dimension 0 with size 3", T_(x), I_(0), T_(i), T_(x));
    HAS(x, 0, 1, 2);
    DROP(x, i);
}
END_TEST

START_TEST(setitem_in_the_graph) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 3)), *v = needing_grad(VECTOR(GD_FLOAT64, 5)),
              *y = CALL("clone", T_(x)), *i = VECTOR(GD_INT64, 2);
    gd_tensor *r = CALL("__setitem__", T_(y), LIST_(I_(0)), GD_FLOAT_VALUE(1.0));
    has_node(y, "CopySlices");
    gd_tensor *g = gradient(y, x);
    HAS(g, 0, 2, 3);
    gd_tensor *s = CALL("__setitem__", T_(y), LIST_(T_(i)), T_(v)), *gv;
    has_node(y, "IndexPutBackward0");
    gv = gradient(y, v);
    HAS(gv, 3);
    DROP(x, v, y, i, r, g, s, gv);
}
END_TEST

START_TEST(put_on_a_transpose) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3), *t = CALL("t", T_(x)), *i = VECTOR(GD_INT64, 0, 0),
              *one = VECTOR(GD_FLOAT32, 10);
    gd_tensor *out = CALL("index_put", T_(t), LIST_(T_(i)), T_(one), GD_BOOL_VALUE(true)),
              *in = CALL("index_put_", T_(t), LIST_(T_(i)), T_(one), GD_BOOL_VALUE(true));
    HAS(out, 20, 23, 1, 4, 2, 5);
    HAS(x, 20, 1, 2, 23, 4, 5);
    DROP(x, t, i, one, out, in);
}
END_TEST

START_TEST(select_gather_scatter) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3), *i = VECTOR(GD_INT32, 2, 0), *bad = VECTOR(GD_INT64, -1);
    gd_tensor *s = CALL("index_select", T_(x), I_(1), T_(i));
    HAS(s, 2, 0, 5, 3);
    REFUSED("index_select", "index out of range in self", T_(x), I_(0), T_(bad));
    gd_tensor *at = COUNTED(GD_INT64, 2, 1), *g = CALL("gather", T_(x), I_(1), T_(at));
    HAS(g, 0, 4);
    REFUSED("gather", "Index tensor must have the same number of dimensions as input tensor", T_(x), I_(0), T_(bad));
    gd_tensor *src = needing_grad(COUNTED(GD_FLOAT32, 2, 3)), *a = CALL("scatter_add", T_(x), I_(1), T_(at), T_(src)),
              *gs = gradient(a, src);
    HAS(a, 0, 1, 2, 3, 7, 5);
    HAS(gs, 1, 0, 0, 5, 0, 0); /* only the first column of src was used */
    DROP(x, i, bad, s, at, g, src, a, gs);
}
END_TEST

START_TEST(masks) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 2, 2)), *mask = VECTOR(GD_BOOL, 0, 1),
              *v = needing_grad(COUNTED(GD_FLOAT64, 1));
    gd_tensor *s = CALL("masked_select", T_(x), T_(mask)), *g = gradient(s, x);
    HAS(s, 1, 3);
    HAS(g, 0, 1, 0, 2);
    gd_tensor *zero = CALL("select", T_(v), I_(0), I_(0)), *f = CALL("masked_fill", T_(x), T_(mask), T_(zero)),
              *gv = gradient(f, v);
    HAS(f, 0, 0, 2, 0);
    HAS(gv, 2 + 4);
    gd_tensor *row = COUNTED(GD_FLOAT64, 2), *tall = COUNTED(GD_BOOL, 2, 1);
    REFUSED("masked_fill_", "output with shape [2] doesn't match the broadcast shape [2, 2]", T_(row), T_(tall), I_(1));
    REFUSED("masked_fill",
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with 1 dimension(s).", T_(x),
            T_(mask), T_(v));
    DROP(x, mask, v, s, g, zero, f, gv, row, tall);
}
END_TEST

Suite *index_suite(void) {
    Suite *s = suite_create("index");
    TCase *c = tcase_create("index");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, numbers_and_slices);
    tcase_add_test(c, index_tensors);
    tcase_add_test(c, getitem_errors);
    tcase_add_test(c, getitem_gradients);
    tcase_add_test(c, setitem);
    tcase_add_test(c, setitem_checks_before_it_writes);
    tcase_add_test(c, setitem_in_the_graph);
    tcase_add_test(c, put_on_a_transpose);
    tcase_add_test(c, select_gather_scatter);
    tcase_add_test(c, masks);
    suite_add_tcase(s, c);
    return s;
}
