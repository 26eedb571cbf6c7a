# The logistic map and the derivative of its orbit.
import torch


def orbit(r, x, n):
    xs = []
    for _ in range(n):
        x = r * x * (1 - x)
        xs.append(x)
    return xs


for r0 in (2.5, 3.2, 3.5):
    r = torch.tensor(r0, dtype=torch.float64, requires_grad=True)
    x0 = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    xs = orbit(r, x0, 200)
    dr, dx = torch.autograd.grad(xs[-1], [r, x0])
    period = len(set(round(x.item(), 6) for x in xs[-16:]))
    print(r0, round(xs[-1].item(), 6), period, round(dr.item(), 4), f'{abs(dx.item()):.0e}')
x = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
r = 3.9
y, log_sum = x, 0.0
for i in range(50):
    log_sum += torch.log(torch.abs(r * (1 - 2 * y))).item()
    y = r * y * (1 - y)
g, = torch.autograd.grad(y, x)
print(round(log_sum / 50, 6), round(torch.log(g.abs()).item() / 50, 6))
