# A cubic fitted to a sine, as in the tutorial everybody knows.
import torch
import math
x = torch.linspace(-math.pi, math.pi, 200, dtype=torch.float64)
y = torch.sin(x)
c = torch.zeros(4, dtype=torch.float64, requires_grad=True)
powers = torch.stack([x ** k for k in range(4)], 1)
for step in range(501):
    loss = (powers @ c - y).pow(2).sum()
    if step % 100 == 0:
        print(f'{step:4d} {loss.item():12.6f}')
    loss.backward()
    with torch.no_grad():
        c -= 2e-5 * c.grad
        c.grad.zero_()
a, b, cc, d = c.tolist()
print(f'y = {a:.4f} + {b:.4f} x + {cc:.4f} x^2 + {d:.4f} x^3')
