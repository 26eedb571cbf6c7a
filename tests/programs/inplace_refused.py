# In-place operations that are refused (semantics 31, 33, 34).
import torch


def attempt(f):
    try:
        print('fine', f())
    except RuntimeError as e:
        print(e)


x = torch.ones(2, 2, requires_grad=True)
attempt(lambda: (x * 1).unbind()[0].mul_(2))
attempt(lambda: (x * 1).split(1)[0].add_(1))
attempt(lambda: (x * 1).chunk(2)[0].zero_())


def base_written():
    h = x * 1
    v = h.unbind()[0]
    h.mul_(2)
    return v.grad_fn


try:
    base_written()
except RuntimeError as e:
    print(str(e)[:100])
attempt(lambda: torch.zeros(1).expand(3).add_(1))
y = torch.arange(4.)
attempt(lambda: y[1:].add_(y[:-1]))
attempt(lambda: torch.tensor([1]).add_(1.5))
attempt(lambda: torch.zeros(3).add_(torch.ones(2, 3)))
attempt(lambda: torch.tensor([1]).add_(2))
attempt(lambda: torch.tensor([1, 2]).mul_(torch.tensor([0.5, 2.])))
attempt(lambda: torch.tensor([True]).add_(1))
attempt(lambda: torch.zeros(2).copy_(torch.ones(3)))
attempt(lambda: torch.ones(2).div_(2))
attempt(lambda: torch.tensor([4]).div_(2))
print(y)
