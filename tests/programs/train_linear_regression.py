# Linear regression: gradient descent against the normal equations.
import torch
_ = torch.manual_seed(7)
n = 50
X = torch.randn(n, 3, dtype=torch.float64)
true = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
y = X @ true + 0.1 * torch.randn(n, dtype=torch.float64) + 3
w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
b = torch.zeros(1, dtype=torch.float64, requires_grad=True)
for step in range(200):
    loss = ((X @ w + b - y) ** 2).mean()
    gw, gb = torch.autograd.grad(loss, [w, b])
    with torch.no_grad():
        w -= 0.1 * gw
        b -= 0.1 * gb
    if step in (0, 1, 10, 199):
        print(step, f'{loss.item():.6f}')
print([round(v, 4) for v in w.tolist()], round(b.item(), 4))
A = torch.cat([X, torch.ones(n, 1, dtype=torch.float64)], 1)
M, r = A.t() @ A, A.t() @ y
aug = torch.cat([M, r[:, None]], 1)
for i in range(4):
    aug[i] = aug[i] / aug[i, i]
    for j in range(4):
        if j != i:
            aug[j] = aug[j] - aug[j, i] * aug[i]
print([round(v, 4) for v in aug[:, 4].tolist()])
with torch.no_grad():
    residual = X @ w + b - y
print(residual.mean().abs().item() < 1e-5, f'{residual.std().item():.5f}')
