# Operators between tensors and numbers, both ways round, and the functions for them.
import torch
a, b = torch.tensor([7., -7., 2.5]), torch.tensor([2., 2., -1.])
print(a + b, a - b, a * b, a / b, a // b, a % b, a ** 2, -a, +a, abs(a), a + 1, 1 + a, 1 - a, 2 * a, 2 / b, a // 2, a % 2, 2 ** b, b ** 2.0)
print(a > b, a >= 2, a < 0, a == 7, a != 7, 0 < a, 3 >= b, ~(a > 0), (a > 0) & (b > 0), (a > 0) | (b > 0), (a > 0) ^ (b > 0))
i, j = torch.tensor([7, -7, 8]), torch.tensor([2, 2, 3])
print(i + j, i * j, i / j, i // j, i % j, i ** 2, i & 6, i | 1, i ^ 3, ~i, 10 - i, 10 // j, 10 % j, i > j, i == 7)
print(torch.add(a, b, alpha=2), torch.sub(a, 1, alpha=3), torch.mul(a, 2), torch.div(a, b, rounding_mode='floor'), torch.div(a, b, rounding_mode='trunc'), torch.remainder(a, 3), torch.fmod(a, 3), torch.pow(2, b), torch.neg(a), torch.floor_divide(a, 2))
print(a.clamp(-1, 3), a.clamp(min=0), a.clamp(max=0), torch.maximum(a, b), torch.minimum(a, b), torch.where(a > 0, a, b), torch.where(a > 0, a, 0.), torch.lerp(a, b, 0.5), torch.addcmul(a, b, b, value=2), torch.addcdiv(a, b, b, value=0.5))
print(a.sign(), a.round(), a.floor(), a.ceil(), a.trunc(), a.abs().sqrt(), a.square(), a.reciprocal(), torch.tensor([2.345, 2.355]).round(decimals=2))
x = torch.tensor([0.5, 1.0])
print(x.exp(), x.log(), x.sin(), x.cos(), x.tan(), x.asin(), x.acos(), x.atan(), x.sinh(), x.cosh(), x.tanh(), x.sigmoid(), x.expm1(), x.log1p(), x.rsqrt(), x.relu())
c = a.clone()
d = c
c += 1
c *= 2
c -= b
c /= 2
c //= 1
c **= 2
c %= 7
print(c, c is d, a.add(1).mul(2), a.add_(1), a.mul_(b), a.sub_(1).neg_().abs_(), a.clamp_(0, 5), a.zero_(), a.fill_(3), a.exp_().log_().round_())
print(a @ b, torch.dot(a, b), torch.outer(a, b), torch.eye(3) @ a, a @ torch.eye(3), torch.ones(2, 3).mm(torch.ones(3, 2)), torch.ones(2, 2, 3).bmm(torch.ones(2, 3, 1)).shape, torch.ones(2, 3).mv(a), torch.inner(a, a), torch.matmul(torch.ones(5, 2, 3), torch.ones(3, 4)).shape)
print(float(torch.tensor(2.5)), int(torch.tensor(3.9)), bool(torch.tensor(0)), torch.tensor(5).item() + 1, torch.tensor(2) * 3.5, [1, 2, 3][torch.tensor(1)], round(torch.tensor(2.567).item(), 2), 'yes' if torch.tensor([1.]) else 'no', list(range(torch.tensor(3))), torch.tensor(True) and 5)
for bad in (lambda: a @ torch.ones(4), lambda: torch.ones(2, 3) @ torch.ones(2, 3), lambda: a + 'x', lambda: a + None, lambda: bool(a), lambda: float(a), lambda: a + torch.ones(2), lambda: 'x' * a, lambda: a @ 2, lambda: a < 'x', lambda: torch.dot(torch.ones(2, 2), a), lambda: torch.mm(a, a), lambda: a.nope, lambda: torch.div(a, b, rounding_mode='up'), lambda: [1] + a):
    try:
        print(bad())
    except (RuntimeError, TypeError, AttributeError, ValueError) as e:
        print(type(e).__name__, str(e).split('\n')[0][:110])
