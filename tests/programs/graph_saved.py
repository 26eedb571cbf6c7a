# Saved values of nodes, and reading them after the graph was freed (semantics 7).
import torch
x = torch.tensor([1., 2.], requires_grad=True)
y = x ** 2
print(y.grad_fn._saved_self, y.grad_fn._saved_exponent, y.grad_fn._saved_self is x)
e = x.exp()
print(e.grad_fn._saved_result)
m = x * y
print(m.grad_fn._saved_self, m.grad_fn._saved_other)
print((x.sum(0)).grad_fn._saved_dim, x.sum(0).grad_fn._saved_keepdim)
print((x + x).grad_fn._saved_alpha, hasattr(m.grad_fn, '_saved_self'), hasattr(m.grad_fn, '_saved_nothing'))
print(x.clamp(0, 1).grad_fn._saved_min, x.clamp(0, 1).grad_fn._saved_max)
y.sum().backward()
try:
    y.grad_fn._saved_self
except RuntimeError as err:
    print(err)
print(y.grad_fn._saved_exponent)
try:
    e.grad_fn._saved_nothing
except AttributeError as err:
    print(err)
