# Attributes of tensors, and setting those that can be set.
import torch
x = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)
y = x * 2
print(x.shape, x.dtype, x.requires_grad, x.is_leaf, x.grad, x.grad_fn, x._version, x._base, x.ndim, x.data, x.T, x.mT, x.output_nr, x.retains_grad, x.device)
print(y.is_leaf, y.grad_fn.name(), y.requires_grad, y._version, y.retains_grad, y._is_view(), x[0]._is_view(), x[0]._base is x)
print(hasattr(x, 'grad'), hasattr(x, 'nope'), getattr(x, 'shape'), getattr(x, 'nope', 'none'), callable(x.sum))
x.grad = torch.ones(2, 2)
print(x.grad)
x.grad += 1
x.grad[0] = 0
print(x.grad)
x.grad.mul_(2)
x.grad.data.zero_()
print(x.grad, x.grad.requires_grad, x.grad.is_leaf)
x.data = x.data * 10
x.data[0, 0] = -1
x.data += 1
print(x)
x.requires_grad = False
x += 1
x.requires_grad = True
print(x, x._version)
for bad in ('shape', 'nope2', 'grad'):
    try:
        if bad == 'shape': x.shape = 5
        if bad == 'nope2': x.nope2.y = 5
        if bad == 'grad': x.grad = 5
    except (AttributeError, TypeError, RuntimeError) as e:
        print(type(e).__name__, str(e)[:60])
x.grad = None
f = x.sum
print(f(), x.add(1).sum().item(), torch.Tensor.add(x, 1)[0, 0].item(), list(map(torch.sum, [x, x[0]])))
g = torch.relu
print(g(torch.tensor([-1., 1.])), [op(torch.tensor(4.)) for op in (torch.sqrt, torch.exp, torch.neg)])
