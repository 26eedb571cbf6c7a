/* test_shape.c: rows of core/ops/shape.def: what is a view and what a copy, PyTorch's texts, and gradients of the
 * cases the recorded samples leave out. */
#include "tests/unit/op_helpers.h"

Suite *shape_suite(void);

START_TEST(views_share_memory) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3), *v = CALL("view", T_(x), INTS_(3, -1)), *t = CALL("t", T_(x)),
              *r = CALL("reshape", T_(x), INTS_(6));
    gd_tensor *copy = CALL("reshape", T_(t), INTS_(6));
    SHAPE(v, 3, 2);
    ck_assert_ptr_eq(v->storage, x->storage);
    ck_assert_ptr_eq(r->storage, x->storage);
    ck_assert_ptr_ne(copy->storage, x->storage);
    ck_assert(gd_is_view(v) && gd_base(v) == x && gd_base(t) == x && !gd_is_view(copy));
    HAS(t, 0, 3, 1, 4, 2, 5);
    HAS(copy, 0, 3, 1, 4, 2, 5);
    DROP(x, v, t, r, copy);
}
END_TEST

START_TEST(view_errors) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3), *t = CALL("t", T_(x)), *empty = COUNTED(GD_FLOAT32, 0);
    REFUSED("view", "shape '[5]' is invalid for input of size 6", T_(x), INTS_(5));
    REFUSED("view", "only one dimension can be inferred", T_(x), INTS_(-1, -1));
    REFUSED("view", "invalid shape dimension -2", T_(x), INTS_(-2));
    REFUSED("reshape", "shape '[-1, 4]' is invalid for input of size 6", T_(x), INTS_(-1, 4));
    REFUSED(
        "view",
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous "
        "subspaces). Use .reshape(...) instead.",
        T_(t), INTS_(6));
    REFUSED(
        "view",
        "cannot reshape tensor of 0 elements into shape [0, -1] because the unspecified dimension size -1 can be any value and is "
        "ambiguous",
        T_(empty), INTS_(0, -1));
    REFUSED("reshape", "numel: integer multiplication overflow", T_(x), INTS_(INT64_MAX, 2));
    DROP(x, t, empty);
}
END_TEST

START_TEST(reshape_nodes) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 2, 3)), *t = CALL("T", T_(x)),
              *r = CALL("reshape", T_(x), INTS_(6)), *c = CALL("flatten", T_(t));
    has_node(t, "PermuteBackward0");
    has_node(r, "ReshapeAliasBackward0");
    has_node(c, "UnsafeViewBackward0");
    ck_assert_str_eq(gd_node_name(gd_node_next(gd_grad_fn(ctx, c), 0, NULL)), "CloneBackward0");
    gd_tensor *g = gradient(c, x);
    HAS(g, 1, 3, 5, 2, 4, 6);
    DROP(x, t, r, c, g);
}
END_TEST

START_TEST(expand_rules) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2), *m = COUNTED(GD_FLOAT32, 2, 3), *column = COUNTED(GD_FLOAT32, 2, 1);
    gd_tensor *wide = CALL("expand", T_(column), INTS_(-1, 3));
    HAS(wide, 0, 0, 0, 1, 1, 1);
    ck_assert_int_eq(gd_strides(wide)[1], 0);
    REFUSED(
        "expand",
        "The expanded size of the tensor (3) must match the existing size (2) at non-singleton dimension 0.  Target sizes: [3].  "
        "Tensor sizes: [2]",
        T_(x), INTS_(3));
    REFUSED(
        "expand",
        "expand(torch.FloatTensor{[2, 3]}, size=[3]): the number of sizes provided (1) must be greater or equal to the number of "
        "dimensions in the tensor (2)",
        T_(m), INTS_(3));
    REFUSED("expand", "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension 0",
            T_(x), INTS_(-1, 2));
    DROP(x, m, column, wide);
}
END_TEST

START_TEST(joins) {
    gd_tensor *a = COUNTED(GD_INT64, 2, 2), *b = COUNTED(GD_FLOAT32, 1, 2), *none = COUNTED(GD_FLOAT32, 0),
              *wide = COUNTED(GD_FLOAT32, 2, 3);
    gd_tensor *c = CALL("cat", LIST_(T_(a), T_(none), T_(b)));
    ck_assert_int_eq(gd_dtype_of(c), GD_FLOAT32);
    SHAPE(c, 3, 2);
    HAS(c, 0, 1, 2, 3, 0, 1);
    gd_tensor *s = CALL("stack", LIST_(T_(a), T_(a)), I_(-1));
    SHAPE(s, 2, 2, 2);
    HAS(s, 0, 0, 1, 1, 2, 2, 3, 3);
    REFUSED(
        "cat",
        "Sizes of tensors must match except in dimension 0. Expected size 2 but got size 3 for tensor number 1 in the list.",
        LIST_(T_(a), T_(wide)));
    REFUSED("cat", "Dimension out of range (expected to be in range of [-2, 1], but got 2)", LIST_(T_(a), T_(a)),
            I_(2));
    REFUSED("stack", "stack expects each tensor to be equal size, but got [2, 2] at entry 0 and [1, 2] at entry 1",
            LIST_(T_(a), T_(b)));
    DROP(a, b, none, wide, c, s);
}
END_TEST

START_TEST(cat_of_one_tensor_twice) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 2)), *none = needing_grad(COUNTED(GD_FLOAT64, 0));
    gd_tensor *c = CALL("cat", LIST_(T_(x), T_(none), T_(x))), *g = gradient(c, x);
    HAS(g, 1 + 3, 2 + 4);
    DROP(x, none, c, g);
}
END_TEST

START_TEST(pieces) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 5, 2)), *scalar = COUNTED(GD_FLOAT64, 1),
              *zero_dim = CALL("select", T_(scalar), I_(0), I_(0));
    gd_result r = {0};
    ck_assert_int_eq(gd_call(ctx, "split", VALUES(T_(x), I_(2)), NULL, 0, NULL, &r), GD_OK);
    ck_assert_int_eq(r.n, 3);
    SHAPE(r.outputs[2], 1, 2);
    ck_assert_int_eq(gd_output_nr(r.outputs[1]), 1);
    has_node(r.outputs[1], "SplitBackward0");
    gd_tensor *g = gradient(r.outputs[1], x); /* the other pieces got no gradient */
    HAS(g, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0);
    gd_result_clear(&r);
    ck_assert_int_eq(gd_call(ctx, "unbind", VALUES(T_(x), I_(1)), NULL, 0, NULL, &r), GD_OK);
    ck_assert_int_eq(r.n, 2);
    HAS(r.outputs[1], 1, 3, 5, 7, 9);
    gd_result_clear(&r);
    ck_assert_int_eq(gd_call(ctx, "chunk", VALUES(T_(x), I_(4)), NULL, 0, NULL, &r), GD_OK);
    ck_assert_int_eq(r.n, 3);
    gd_result_clear(&r);
    REFUSED(
        "split",
        "split_with_sizes expects split_sizes to sum exactly to 5 (input tensor's size at dimension 0), but got split_sizes=[1, 2]",
        T_(x), INTS_(1, 2));
    REFUSED("split", "split expects at least a 1-dimensional tensor", T_(zero_dim), I_(1));
    REFUSED("chunk", "chunk expects `chunks` to be greater than 0, got: 0", T_(x), I_(0));
    DROP(x, scalar, zero_dim, g);
}
END_TEST

START_TEST(slices_at_the_edge) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 5);
    gd_tensor *a = CALL("slice", T_(x), I_(0), I_(-3), I_(INT64_MAX), I_(INT64_MAX)),
              *b = CALL("slice", T_(x), I_(0), I_(4), I_(2), I_(1));
    gd_tensor *c = CALL("narrow", T_(x), I_(0), I_(-2), I_(2));
    HAS(a, 2);
    SHAPE(b, 0);
    HAS(c, 3, 4);
    REFUSED("slice", "slice step must be positive", T_(x), I_(0), I_(0), I_(2), I_(0));
    REFUSED("narrow", "start (1) + length (5) exceeds dimension size (5).", T_(x), I_(0), I_(1), I_(5));
    REFUSED("narrow", "start (1) + length (9223372036854775807) exceeds dimension size (5).", T_(x), I_(0), I_(1),
            I_(INT64_MAX));
    REFUSED("select", "select(): index 5 out of range for tensor of size [5] at dimension 0", T_(x), I_(0), I_(5));
    DROP(x, a, b, c);
}
END_TEST

START_TEST(as_strided_stays_inside) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 4));
    gd_tensor *v = CALL("as_strided", T_(x), INTS_(3, 2), INTS_(1, 1)), *g = gradient(v, x);
    HAS(v, 0, 1, 1, 2, 2, 3);
    HAS(g, 1, 2 + 3, 4 + 5, 6); /* what overlaps adds up */
    REFUSED(
        "as_strided",
        "setStorage: sizes [3], strides [2], storage offset 0, and itemsize 8 requiring a storage size of 40 are out of bounds for "
        "storage of size 32",
        T_(x), INTS_(3), INTS_(2));
    REFUSED("as_strided", "mismatch in length of strides and shape", T_(x), INTS_(3), INTS_(2, 1));
    REFUSED("as_strided", "Tensor: invalid storage offset -1", T_(x), INTS_(1), INTS_(1), I_(-1));
    REFUSED("as_strided", "as_strided: Negative strides are not supported at the moment, got strides: [-1]", T_(x),
            INTS_(1), INTS_(-1));
    gd_result r = {0};
    ck_assert_int_ne(
        gd_call(ctx, "as_strided", VALUES(T_(x), INTS_(INT64_MAX, 2), INTS_(INT64_MAX, 2)), NULL, 0, NULL, &r), GD_OK);
    ck_assert_int_ne(gd_call(ctx, "as_strided", VALUES(T_(x), INTS_(2), INTS_(INT64_MAX)), NULL, 0, NULL, &r), GD_OK);
    DROP(x, v, g);
}
END_TEST

START_TEST(as_strided_of_a_transpose) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 2, 3)), *t = CALL("t", T_(x));
    gd_tensor *v = CALL("as_strided", T_(t), INTS_(2), INTS_(3), I_(1)),
              *g = gradient(v, x); /* elements 1 and 4 of the storage */
    HAS(v, 1, 4);
    HAS(g, 0, 1, 0, 0, 2, 0);
    DROP(x, t, v, g);
}
END_TEST

START_TEST(repeat_flip_roll) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 2, 2));
    gd_tensor *r = CALL("repeat", T_(x), INTS_(2, 1, 2)), *g = gradient(r, x), *f = CALL("flip", T_(x), INTS_(0, 1)),
              *o = CALL("roll", T_(x), INTS_(1));
    SHAPE(r, 2, 2, 4);
    HAS(r, 0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3);
    HAS(g, 1 + 3 + 9 + 11, 2 + 4 + 10 + 12, 5 + 7 + 13 + 15, 6 + 8 + 14 + 16);
    HAS(f, 3, 2, 1, 0);
    HAS(o, 3, 0, 1, 2);
    gd_tensor *back = gradient(o, x), *far = CALL("roll", T_(x), INTS_(INT64_MIN), INTS_(0));
    HAS(back, 2, 3, 4, 1);
    HAS(far, 0, 1, 2, 3);
    REFUSED("flip", "dim 0 appears multiple times in the list of dims", T_(x), INTS_(0, 0));
    REFUSED("roll", "shifts and dimensions must align. shifts: 2, dims:1", T_(x), INTS_(1, 2), INTS_(0));
    REFUSED("repeat", "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
            T_(x), INTS_(2));
    DROP(x, r, g, f, o, back, far);
}
END_TEST

START_TEST(diagonals) {
    gd_tensor *x = needing_grad(COUNTED(GD_FLOAT64, 2, 3)), *d = CALL("diagonal", T_(x), I_(1)), *g = gradient(d, x);
    HAS(d, 1, 5);
    HAS(g, 0, 1, 0, 0, 0, 2);
    gd_tensor *away = CALL("diagonal", T_(x), I_(INT64_MIN)), *low = CALL("tril", T_(x), I_(INT64_MAX)),
              *up = CALL("triu", T_(x), I_(1));
    SHAPE(away, 0);
    HAS(low, 0, 1, 2, 3, 4, 5);
    HAS(up, 0, 1, 2, 0, 0, 5);
    gd_tensor *v = COUNTED(GD_INT64, 2), *m = CALL("diag", T_(v), I_(-1));
    HAS(m, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    DROP(x, d, g, away, low, up, v, m);
}
END_TEST

START_TEST(transposed_in_place) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3), *same = CALL("t_", T_(x));
    ck_assert_ptr_eq(same, x);
    SHAPE(x, 3, 2);
    HAS(x, 0, 3, 1, 4, 2, 5);
    DROP(x, same);
}
END_TEST

START_TEST(dimension_errors) {
    gd_tensor *x = COUNTED(GD_FLOAT32, 2, 3), *cube = COUNTED(GD_FLOAT32, 2, 2, 2), *v = COUNTED(GD_FLOAT32, 3);
    REFUSED("transpose", "Dimension out of range (expected to be in range of [-2, 1], but got 2)", T_(x), I_(0), I_(2));
    REFUSED("t", "t() expects a tensor with <= 2 dimensions, but self is 3D", T_(cube));
    REFUSED("permute", "permute(): duplicate dims are not allowed.", T_(x), INTS_(0, 0));
    REFUSED("mT", "tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.", T_(v));
    REFUSED("movedim", "movedim: repeated dim in `source` ([0, 0])", T_(x), INTS_(0, 0), INTS_(1, 0));
    REFUSED("flatten", "flatten() has invalid args: start_dim cannot come after end_dim", T_(x), I_(1), I_(0));
    REFUSED("unflatten",
            "unflatten: Provided sizes [2, 2] don't multiply up to the size of dim 0 (3) in the input tensor", T_(v),
            I_(0), INTS_(2, 2));
    DROP(x, cube, v);
}
END_TEST

Suite *shape_suite(void) {
    Suite *s = suite_create("shape");
    TCase *c = tcase_create("shape");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, views_share_memory);
    tcase_add_test(c, view_errors);
    tcase_add_test(c, reshape_nodes);
    tcase_add_test(c, expand_rules);
    tcase_add_test(c, joins);
    tcase_add_test(c, cat_of_one_tensor_twice);
    tcase_add_test(c, pieces);
    tcase_add_test(c, slices_at_the_edge);
    tcase_add_test(c, as_strided_stays_inside);
    tcase_add_test(c, as_strided_of_a_transpose);
    tcase_add_test(c, repeat_flip_roll);
    tcase_add_test(c, diagonals);
    tcase_add_test(c, transposed_in_place);
    tcase_add_test(c, dimension_errors);
    suite_add_tcase(s, c);
    return s;
}
