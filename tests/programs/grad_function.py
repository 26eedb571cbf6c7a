# torch.autograd.grad and its errors (semantics 39).
import torch
from torch.autograd import grad
x = torch.tensor([1., 2.], requires_grad=True)
w = torch.tensor([3., 4.], requires_grad=True)
print(grad((x * w).sum(), x), grad((x * w).sum(), [x, w]), grad((x * w).sum(), (w,)))
print(x.grad, w.grad)


def attempt(f):
    try:
        print(f())
    except (RuntimeError, ValueError, TypeError) as e:
        print(type(e).__name__, e)


attempt(lambda: grad(x.sum(), w))
attempt(lambda: grad(x.sum(), w, allow_unused=True))
attempt(lambda: grad(x.sum(), [x, w], allow_unused=True))
attempt(lambda: grad(x.sum(), torch.ones(1)))
attempt(lambda: grad(x.sum(), torch.ones(1), allow_unused=True))
attempt(lambda: grad(x.sum(), []))
attempt(lambda: grad(x * 2, x))
attempt(lambda: grad(x * 2, x, torch.ones(2)))
attempt(lambda: grad(x * 2, x, grad_outputs=torch.tensor([1., 10.])))
attempt(lambda: grad([x.sum(), (x * w).sum()], [x, w]))
attempt(lambda: grad([x * 2, x * 3], x, [torch.ones(2), torch.ones(2)]))
attempt(lambda: grad(torch.ones(1), x))
attempt(lambda: grad(x ** 2, x, grad_outputs=torch.eye(2), is_grads_batched=True))
attempt(lambda: grad(torch.stack([x.sum(), x.prod(), (x * w).sum()]), [x, w], grad_outputs=torch.eye(3), is_grads_batched=True))
y = (x * w).sum()
grad(y, x)
attempt(lambda: grad(y, x))
y = (x * w).sum()
grad(y, x, retain_graph=True)
print(grad(y, w))
h = x * w
print(grad(h.sum(), h), grad((h * h).sum(), [h, x]))
g, = grad((x ** 2).sum(), x)
print(g.requires_grad, g.grad_fn)
g, = grad((x ** 2).sum(), x, create_graph=True)
print(g, g.requires_grad)
