# torch.nn.utils: clipping, and parameters as a vector.
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters


def said(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__, '|', e)


torch.manual_seed(1)
a = torch.randn(19, requires_grad=True)
b = torch.randn(2, 3, requires_grad=True)
c = torch.ones(1, requires_grad=True)


def grads():
    a.grad = b.grad = None
    ((a ** 3).sum() + (b * b * b).sum()).backward()


for kind in [2, 2.0, 1, 3.5, float('inf'), 'inf']:
    for most in [0.5, 100]:
        grads()
        print(kind, most, clip_grad_norm_([a, b, c], most, kind))
        print(a.grad, b.grad, c.grad)
grads()
print(clip_grad_norm_(a, 1.0, norm_type=float('inf')).item(), a.grad.abs().max())
grads()
print(clip_grad_norm_([p for p in [a, b]], max_norm=1))
print(clip_grad_norm_([c], 1.0), clip_grad_norm_([], 1.0))
a.grad[0] = float('inf')
said(lambda: clip_grad_norm_([a, b], 1.0, error_if_nonfinite=True))
said(lambda: clip_grad_norm_([a, b], 1.0))
said(lambda: clip_grad_norm_([a, 3], 1.0))
said(lambda: clip_grad_norm_(3, 1.0))
said(lambda: clip_grad_norm_([a]))
grads()
print(clip_grad_value_([a, b, c], 0.1))
print(a.grad, b.grad)
clip_grad_value_(b, 0.05)
print(b.grad, b.grad._version)
v = parameters_to_vector([b, c])
print(v)
vector_to_parameters(torch.arange(7.) + 0.5, [b, c])
print(b, c)
said(lambda: vector_to_parameters(torch.ones(2), [b, c]))
said(lambda: vector_to_parameters([1], [b, c]))
said(lambda: parameters_to_vector([]))
