# Writing to leaves that require grad (semantics 27).
import torch
x = torch.tensor([1., 2.], requires_grad=True)


def attempt(f):
    try:
        f()
        print('fine')
    except RuntimeError as e:
        print(e)


def assign(): x[0] = 1
def slice_mul(): x[0:1].mul_(2)
def plus():
    global x
    x += 1


attempt(lambda: x.add_(1))
attempt(lambda: x.zero_())
attempt(assign)
attempt(slice_mul)
attempt(plus)
attempt(lambda: x.view(2).mul_(2))
print(x, x._version)
with torch.no_grad():
    attempt(lambda: x.add_(1))
    attempt(assign)
print(x, x._version)
attempt(lambda: x.data.add_(1))
attempt(lambda: x.detach().add_(1))
print(x, x._version)
y = torch.zeros(2)
y.add_(x)
print(y, y.requires_grad, y.is_leaf)
z = torch.zeros(2)
z[0] = x[1]
print(z, z.grad_fn.name())
z.sum().backward()
print(x.grad)
