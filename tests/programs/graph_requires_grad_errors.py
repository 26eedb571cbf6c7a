# Who cannot require grad, and how it is refused (semantics 3 and 4).
import torch


def attempt(f):
    try:
        print(f())
    except (RuntimeError, TypeError, ValueError) as e:
        print(type(e).__name__, e)


def attribute(t, value):
    t.requires_grad = value


i = torch.tensor([1, 2])
attempt(lambda: torch.tensor([1, 2], requires_grad=True))
attempt(lambda: torch.ones(2, dtype=torch.int64, requires_grad=True))
attempt(lambda: torch.zeros(2, dtype=torch.bool, requires_grad=True))
attempt(lambda: attribute(i, True))
attempt(lambda: i.requires_grad_())
attempt(lambda: attribute(i, False))
x = torch.ones(2, requires_grad=True)
y = x * 2
attempt(lambda: attribute(y, False))
attempt(lambda: attribute(y, True))
attempt(lambda: y.requires_grad_(False))
attempt(lambda: y.detach().requires_grad_())
attempt(lambda: torch.tensor(True).requires_grad_())
attempt(lambda: torch.tensor([1.5], dtype=torch.float64, requires_grad=True))
print(i.requires_grad, x.requires_grad, y.requires_grad)
