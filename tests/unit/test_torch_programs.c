/* test_torch_programs.c: tensors in programs: ops as functions and methods, operators, indices, attributes, nodes,
 * dtypes, with what CPython and PyTorch print. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/program/program.h"

Suite *torch_programs_suite(void);

/* What `source` prints after "import torch"; an uncaught exception adds "Type: text". New. */
static char *printed(const char *source) {
    char text[4096], *out = NULL;
    snprintf(text, sizeof text, "import torch\nimport torch.nn.functional as F\n%s\n", source);
    gd_ctx *ctx = gd_ctx_new(NULL);
    gd_env *env = gd_env_new(ctx, NULL);
    gd_program_options options = {.limits = GD_PROGRAM_DEFAULT_LIMITS};
    gd_program_result result;
    ck_assert_ptr_nonnull(env);
    gd_program_run(env, text, strlen(text), &options, &result);
    bool raised = result.status != GD_PROGRAM_OK;
    if (asprintf(&out, "%s%s%s%s", result.output ? result.output : "", raised ? result.exception : "",
                 raised ? ": " : "", raised ? result.message : "") < 0)
        out = NULL;
    gd_program_result_clear(&result);
    gd_env_free(env);
    gd_ctx_free(ctx);
    ck_assert_ptr_nonnull(out);
    return out;
}

typedef struct pair {
    const char *source, *want;
} pair;

static void check_all(const pair *pairs, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char *got = printed(pairs[i].source);
        if (strcmp(got, pairs[i].want) != 0)
            ck_abort_msg("%s\n--- printed\n%s\n--- not\n%s", pairs[i].source, got, pairs[i].want);
        free(got);
    }
}
#define CHECK_ALL(pairs) check_all(pairs, sizeof(pairs) / sizeof *(pairs))

START_TEST(ops_are_bound_by_signature) {
    static const pair pairs[] = {
        {"print(torch.add(torch.tensor([1., 2.]), 1, alpha=2))", "tensor([3., 4.])\n"},
        {"print(torch.tensor([1., 2.]).add(other=1))", "tensor([2., 3.])\n"},
        {"print(torch.add(1, 2))", "tensor(3)\n"},
        {"torch.add(torch.zeros(1), (1, 2))",
         "TypeError: add(): argument 'other' (position 2) must be Tensor, not tuple"},
        {"torch.add(torch.zeros(1), {})", "TypeError: add(): argument 'other' (position 2) must be Tensor, not dict"},
        {"torch.nope", "AttributeError: module 'torch' has no attribute 'nope'"},
        {"F.nope", "AttributeError: module 'torch.nn.functional' has no attribute 'nope'"},
        {"torch.add_", "AttributeError: module 'torch' has no attribute 'add_'"},
        {"torch.zeros(1).nope", "AttributeError: 'Tensor' object has no attribute 'nope'"},
        {"print(torch.zeros(2, 1).shape, torch.zeros([2, 1]).shape, torch.zeros(()))",
         "torch.Size([2, 1]) torch.Size([2, 1]) tensor(0.)\n"},
        {"print(torch.zeros(2, dtype=float), torch.ones(2, dtype=torch.int))",
         "tensor([0., 0.], dtype=torch.float64) tensor([1, 1], dtype=torch.int32)\n"},
        {"print(torch.rand(2, device='cpu').shape, torch.rand(1, device=torch.device('cpu')).shape)",
         "torch.Size([2]) torch.Size([1])\n"},
        {"for i in range(3):\n    print(torch.mul(torch.tensor([2.]), i).view(1, 1).sum(0), torch.tensor([i]).float())",
         "tensor([0.]) tensor([0.])\ntensor([2.]) tensor([1.])\ntensor([4.]) tensor([2.])\n"},
        {"z = torch.zeros(2, dtype=torch.int64)\nprint(torch.add(torch.tensor([3, 4]), 1, out=z) is z, z)",
         "True tensor([4, 5])\n"},
        {"x = torch.ones(1, requires_grad=True)\ntorch.add(x, 1, out=torch.zeros(1))",
         "RuntimeError: add(): functions with out=... arguments don't support automatic differentiation, but one of the "
         "arguments requires grad."},
    };
    CHECK_ALL(pairs);
}
END_TEST

START_TEST(results_have_pytorchs_shape) {
    static const pair pairs[] = {
        {"r = torch.max(torch.tensor([[3., 4.]]), 1)\nprint(r)\nprint(r.values, r.indices, r[1], len(r), type(r))",
         "torch.return_types.max(\nvalues=tensor([4.]),\nindices=tensor([1]))\n"
         "tensor([4.]) tensor([1]) tensor([1]) 2 <class 'torch.return_types.max'>\n"},
        {"print(torch.tensor([3, 4]).split(1), torch.tensor([3]).unbind())",
         "(tensor([3]), tensor([4])) (tensor(3),)\n"},
        {"x = torch.zeros(2, 3)\nprint(x.size(), x.size(-1), x.stride(), x.dim(), x.numel(), x.is_contiguous())",
         "torch.Size([2, 3]) 3 (3, 1) 2 6 True\n"},
        {"print(torch.equal(torch.ones(1), torch.ones(1)), torch.tensor(2.5).item(), torch.tensor([[1, 2]]).tolist())",
         "True 2.5 [[1, 2]]\n"},
        {"a, b = torch.tensor([1., 2.])\nprint(a, b, len(torch.zeros(4, 2)), 2. in torch.tensor([1., 2.]))",
         "tensor(1.) tensor(2.) 4 True\n"},
        {"x = torch.tensor([1., 2.], requires_grad=True)\nprint(list(x))",
         "[tensor(1., grad_fn=<UnbindBackward0>), tensor(2., grad_fn=<UnbindBackward0>)]\n"},
        {"list(torch.tensor(1.))", "TypeError: iteration over a 0-d tensor"},
        {"len(torch.tensor(1.))", "TypeError: len() of a 0-d tensor"},
        {"bool(torch.zeros(2))", "RuntimeError: Boolean value of Tensor with more than one value is ambiguous"},
        {"bool(torch.zeros(0))", "RuntimeError: Boolean value of Tensor with no values is ambiguous"},
    };
    CHECK_ALL(pairs);
}
END_TEST

START_TEST(operators_are_pytorchs) {
    static const pair pairs[] = {
        {"x = torch.tensor([1., 2.], requires_grad=True)\nfor y in [3 * x, 1 - x, 1 / x, 2 ** x, x ** 2, -x, x @ x, x / 2, +x]:\n"
         "    print(y)",
         "tensor([3., 6.], grad_fn=<MulBackward0>)\ntensor([ 0., -1.], grad_fn=<RsubBackward1>)\n"
         "tensor([1.0000, 0.5000], grad_fn=<MulBackward0>)\ntensor([2., 4.], grad_fn=<PowBackward1>)\n"
         "tensor([1., 4.], grad_fn=<PowBackward0>)\ntensor([-1., -2.], grad_fn=<NegBackward0>)\n"
         "tensor(5., grad_fn=<DotBackward0>)\ntensor([0.5000, 1.0000], grad_fn=<DivBackward0>)\n"
         "tensor([1., 2.], requires_grad=True)\n"},
        {"i = torch.tensor([3, 4])\nprint(7 // i, 7 % i, i // 2, i % 2, i & 1, 1 | i, i ^ 1, ~i, i > 3, 3 < i, i == 3)",
         "tensor([2, 1]) tensor([1, 3]) tensor([1, 2]) tensor([1, 0]) tensor([1, 0]) tensor([3, 5]) tensor([2, 5]) "
         "tensor([-4, -5]) tensor([False,  True]) tensor([False,  True]) tensor([ True, False])\n"},
        {"x = torch.ones(2)\ny = x\nx += 1\nx *= 3\nprint(y, x is y, y._version)", "tensor([6., 6.]) True 2\n"},
        {"n = 5\nn += torch.ones(1)\nprint(n)", "tensor([6.])\n"},
        {"x = torch.ones(1)\nprint(x == None, x != None, x == 'a', x is x, x in [x])", "False True False True True\n"},
        {"torch.ones(1) + [1]", "TypeError: unsupported operand type(s) for +: 'Tensor' and 'list'"},
        {"torch.ones(1) @ 3", "TypeError: unsupported operand type(s) for @: 'Tensor' and 'int'"},
        {"torch.ones(1) < None", "TypeError: '<' not supported between instances of 'Tensor' and 'NoneType'"},
        {"~torch.ones(1)", "TypeError: ~ (operator.invert) is only implemented on integer and Boolean-type tensors"},
    };
    CHECK_ALL(pairs);
}
END_TEST

START_TEST(indices_read_and_write) {
    static const pair pairs[] = {
        {"m = torch.arange(6.).view(2, 3)\nprint(m[0, 1], m[:, 1], m[..., 0], m[None].shape, m[[0, 1], [1, 2]], m[m > 2])\n"
         "print(m[1:, ::2], m[[True, False]], m[torch.tensor(1)], m[()].shape, m[range(1)], m[[slice(0, 1)]], m[-1][0])",
         "tensor(1.) tensor([1., 4.]) tensor([0., 3.]) torch.Size([1, 2, 3]) tensor([1., 5.]) tensor([3., 4., 5.])\n"
         "tensor([[3., 5.]]) tensor([[0., 1., 2.]]) tensor([3., 4., 5.]) torch.Size([2, 3]) tensor([[0., 1., 2.]]) "
         "tensor([[0., 1., 2.]]) tensor(3.)\n"},
        {"m = torch.zeros(2, 3)\nm[0] = 1\nm[:, 0] = torch.tensor([3., 4.])\nm[m > 2] = 0\nm[1, 2] = True\nprint(m)",
         "tensor([[0., 1., 1.],\n        [0., 0., 1.]])\n"},
        {"torch.zeros(2)[2]", "IndexError: index 2 is out of bounds for dimension 0 with size 2"},
        {"torch.zeros(2)[0, 0]", "IndexError: too many indices for tensor of dimension 1"},
        {"torch.zeros(2)[1.5]",
         "IndexError: only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
         "(got float)"},
        {"torch.zeros(2)[::-1]", "ValueError: step must be greater than zero"},
        {"torch.zeros(2)['a':]", "TypeError: slice indices must be integers or None or have an __index__ method"},
        {"x = torch.zeros(2)\nx[0] = [1]", "TypeError: can't assign a list to a torch.FloatTensor"},
        {"x = torch.zeros(2)\ndel x[0]", "TypeError: Tensor does not support deleting items"},
        {"x = torch.zeros(2, requires_grad=True)\nx[0] = 1",
         "RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation."},
    };
    CHECK_ALL(pairs);
}
END_TEST

START_TEST(attributes_read_and_write) {
    static const pair pairs[] = {
        {"x = torch.tensor([1., 2.], requires_grad=True)\nprint(x.grad, x.is_leaf, x.dtype, x.shape, x.ndim, x.device, x.layout, "
         "x._version, x._base, x.output_nr, x.retains_grad, x.name)",
         "None True torch.float32 torch.Size([2]) 1 cpu torch.strided 0 None 0 False None\n"},
        {"x = torch.ones(1, requires_grad=True)\nx.grad = torch.zeros(1)\nprint(x.grad)\nx.grad = None\nprint(x.grad)\n"
         "x.data = torch.tensor([5.])\nx.data *= 2\nprint(x, x.data)",
         "tensor([0.])\nNone\ntensor([10.], requires_grad=True) tensor([10.])\n"},
        {"x = torch.ones(1)\nx.grad = 3",
         "TypeError: assigned grad expected to be a Tensor or None but got grad of typeint"},
        {"x = torch.ones(1)\nx.grad = torch.zeros(2)", "RuntimeError: assigned grad has data of a different size"},
        {"x = torch.ones(1)\nx.requires_grad = 1", "RuntimeError: requires_grad must be a bool"},
        {"torch.tensor([1]).requires_grad = True",
         "RuntimeError: only Tensors of floating point and complex dtype can require gradients"},
        {"y = torch.ones(1, requires_grad=True) * 2\ny.requires_grad = True",
         "RuntimeError: you can only change requires_grad flags of leaf variables."},
        {"torch.ones(1).shape = 3",
         "AttributeError: attribute 'shape' of 'torch._C._TensorBase' objects is not writable"},
        {"x = torch.ones(1)\nprint(x.to('cpu') is x, x.cpu() is x, x.type(), x.to(torch.float64).dtype, x.double().type())",
         "True True torch.FloatTensor torch.float64 torch.DoubleTensor\n"},
        {"torch.ones(1).cuda()", "AssertionError: Torch not compiled with CUDA enabled"},
        {"print(f'{torch.tensor(0.1)}', '{:.2f}'.format(torch.tensor(0.5)), str(torch.tensor(0.1)), f'{torch.ones(1)}')",
         "0.10000000149011612 0.50 tensor(0.1000) tensor([1.])\n"},
    };
    CHECK_ALL(pairs);
}
END_TEST

START_TEST(nodes_can_be_walked) {
    static const pair pairs[] = {
        {"x = torch.tensor([2.], requires_grad=True)\nz = x * x + 3 * x\nfn = z.grad_fn\n"
         "print(type(fn).__name__, fn.name(), [f[0].name() for f in fn.next_functions], type(fn))\n"
         "m = fn.next_functions[1][0]\nprint(m.next_functions[0][0].name(), m.next_functions[1])\n"
         "a = m.next_functions[0][0]\nprint(a.variable is x, a == m.next_functions[0][0], a.next_functions, fn.metadata)",
         "AddBackward0 AddBackward0 ['MulBackward0', 'MulBackward0'] <class 'AddBackward0'>\n"
         "torch::autograd::AccumulateGrad (None, 0)\nTrue True () {}\n"},
        {"x = torch.tensor([2.], requires_grad=True)\ny = x ** 2\nprint(y.grad_fn._saved_self, y.grad_fn._saved_exponent)\n"
         "print(x.sum(0).grad_fn._saved_dim)\ny.grad_fn.nope",
         "tensor([2.], requires_grad=True) 2\n(0,)\nAttributeError: 'PowBackward0' object has no attribute 'nope'"},
        {"x = torch.tensor([2.], requires_grad=True)\ny = x * x\n"
         "y.grad_fn.register_hook(lambda gin, gout: print('in', gin, 'out', gout))\n"
         "h = y.grad_fn.register_prehook(lambda gout: (gout[0] * 100,))\ny.backward(retain_graph=True)\nprint(x.grad)\n"
         "h.remove()\ny.backward()\nprint(x.grad)",
         "in (tensor([200.]), tensor([200.])) out (tensor([100.]),)\ntensor([400.])\n"
         "in (tensor([2.]), tensor([2.])) out (tensor([1.]),)\ntensor([404.])\n"},
        {"x = torch.tensor([2.], requires_grad=True)\ny = x * 2\n"
         "y.grad_fn.next_functions[0][0].register_hook(lambda gin, gout: print('accumulated', gin, gout, x.grad))\n"
         "y.backward()",
         "accumulated () (tensor([2.]),) tensor([2.])\n"},
        {"x = torch.tensor([2.], requires_grad=True)\ny = x * 2\ny.grad_fn.register_prehook(lambda g: (torch.zeros(3),))\n"
         "y.backward()",
         "RuntimeError: hook '<lambda>' has changed the size of value"},
    };
    CHECK_ALL(pairs);
}
END_TEST

START_TEST(data_becomes_tensors) {
    static const pair pairs[] = {
        {"s = torch.tensor(2.5)\nprint(torch.tensor([[1, 2], [3, s]]), torch.tensor([True, 2]), torch.tensor((1, 2.)), "
         "torch.tensor(range(3)), torch.tensor([]), torch.tensor([[]]), torch.tensor(1.7, dtype=torch.int64))",
         "tensor([[1.0000, 2.0000],\n        [3.0000, 2.5000]]) tensor([1, 2]) tensor([1., 2.]) tensor([0, 1, 2]) "
         "tensor([]) tensor([], size=(1, 0)) tensor(1)\n"},
        {"torch.tensor([[1], [2, 3]])", "ValueError: expected sequence of length 1 at dim 1 (got 2)"},
        {"torch.tensor({})", "RuntimeError: Could not infer dtype of dict"},
        {"torch.tensor('a')", "TypeError: new(): invalid data type 'str'"},
        {"torch.tensor()", "TypeError: tensor() missing 1 required positional arguments: \"data\""},
        {"torch.tensor([1], foo=2)", "TypeError: tensor() got an unexpected keyword argument 'foo'"},
        {"torch.tensor([1, 2], requires_grad=True)",
         "RuntimeError: Only Tensors of floating point and complex dtype can require gradients"},
        {"l = []\nl.append(l)\ntorch.tensor(l)", "ValueError: too many dimensions 'list'"},
        {"print(torch.Tensor([2]), torch.Tensor(2, 3).shape, torch.LongTensor([1.5, 2]), torch.Tensor(), "
         "torch.Tensor(torch.Size([2])).shape)",
         "tensor([2.]) torch.Size([2, 3]) tensor([1, 2]) tensor([]) torch.Size([2])\n"},
        {"torch.Tensor(2.5)", "TypeError: new(): data must be a sequence (got float)"},
        {"i = torch.tensor([3])\nprint(torch.as_tensor(i) is i, torch.is_tensor(i), torch.is_tensor(3), torch.pi, torch.inf)",
         "True True False 3.141592653589793 inf\n"},
        {"print(torch.finfo(torch.float32).eps, torch.iinfo(torch.int32).max, torch.iinfo(torch.uint8))",
         "1.1920928955078125e-07 2147483647 iinfo(min=0, max=255, dtype=uint8)\n"},
        {"print(torch.device('cpu'), torch.result_type(torch.tensor([3]), 1.5), torch.can_cast(torch.float32, torch.int64), "
         "torch.promote_types(torch.int32, torch.float32), torch.broadcast_shapes((2, 1), (3,)))",
         "cpu torch.float32 False torch.float32 torch.Size([2, 3])\n"},
    };
    CHECK_ALL(pairs);
}
END_TEST

START_TEST(networks_have_layers_and_losses) {
    static const pair pairs[] = {
        {"x = torch.tensor([[1., 2.]], requires_grad=True)\nw = torch.ones(3, 2)\n"
         "print(F.linear(x, w, torch.ones(3)))\nprint(F.relu(F.linear(x, -w)))\nprint(F.softmax(x, dim=1))\n"
         "print(F.mse_loss(x, torch.zeros(1, 2)), F.l1_loss(x, torch.zeros(1, 2)), F.cross_entropy(x, torch.tensor([1])))",
         "tensor([[4., 4., 4.]], grad_fn=<AddmmBackward0>)\ntensor([[0., 0., 0.]], grad_fn=<ReluBackward0>)\n"
         "tensor([[0.2689, 0.7311]], grad_fn=<SoftmaxBackward0>)\n"
         "tensor(2.5000, grad_fn=<MseLossBackward0>) tensor(1.5000, grad_fn=<MeanBackward0>) "
         "tensor(0.3133, grad_fn=<NllLossBackward0>)\n"},
        {"torch.manual_seed(0)\nprint(F.dropout(torch.ones(4)), F.dropout(torch.ones(1), training=False))",
         "tensor([0., 0., 2., 0.]) tensor([1.])\n"},
        {"F.dropout(torch.ones(1), 1.5)", "ValueError: dropout probability has to be between 0 and 1, but got 1.5"},
        {"F.cross_entropy(torch.zeros(1, 2), torch.tensor([2]))", "IndexError: Target 2 is out of bounds."},
        {"F.mse_loss(torch.zeros(1), torch.zeros(1), reduction='foo')",
         "ValueError: foo is not a valid value for reduction"},
        {"print(F.one_hot(torch.tensor([0, 2])))", "tensor([[1, 0, 0],\n        [0, 0, 1]])\n"},
    };
    CHECK_ALL(pairs);
}
END_TEST

Suite *torch_programs_suite(void) {
    Suite *s = suite_create("torch_programs");
    TCase *c = tcase_create("torch");
    tcase_add_test(c, ops_are_bound_by_signature);
    tcase_add_test(c, results_have_pytorchs_shape);
    tcase_add_test(c, operators_are_pytorchs);
    tcase_add_test(c, indices_read_and_write);
    tcase_add_test(c, attributes_read_and_write);
    tcase_add_test(c, nodes_can_be_walked);
    tcase_add_test(c, data_becomes_tensors);
    tcase_add_test(c, networks_have_layers_and_losses);
    suite_add_tcase(s, c);
    return s;
}
