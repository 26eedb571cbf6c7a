# no_grad and enable_grad (semantics 23 and 24).
import torch
x = torch.tensor([1.], requires_grad=True)
with torch.no_grad():
    y = x * 2
    print(y.requires_grad, y.is_leaf, y.grad_fn)
    r = torch.rand(1, requires_grad=True)
    print(r.requires_grad, r.is_leaf)
    x.mul_(3)
    print(x, x._version, x.requires_grad)
    x += 1
    x[0] = 7
    print(x, x._version)
    v = x.view(1)
    print(v.requires_grad, v.is_leaf)
try:
    v.mul_(2)
except RuntimeError as e:
    print(str(e)[:140])


@torch.no_grad()
def f(a):
    return (a * 2).requires_grad


print(f(x), torch.is_grad_enabled())
torch.set_grad_enabled(False)
print((x * 2).requires_grad, torch.is_grad_enabled())
with torch.enable_grad():
    print((x * 2).requires_grad)
torch.set_grad_enabled(True)
print((x * 2).requires_grad)
with torch.set_grad_enabled(False):
    print((x * 2).requires_grad)
print((x * 2).requires_grad)
flag = True
with torch.set_grad_enabled(flag and x.requires_grad):
    print((x * 2).grad_fn.name())
y = x * x
with torch.no_grad():
    y.backward()
print(x.grad)
w = torch.tensor([1.], requires_grad=True)
for step in range(3):
    loss = (w - 3) ** 2
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        w.grad.zero_()
    print(f'{w.item():.4f}', w.requires_grad, w.is_leaf)
