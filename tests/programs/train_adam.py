# The same kind of network with torch.optim.Adam, batches and an accuracy.
import torch
_ = torch.manual_seed(1)
N = 64
x = torch.rand(N, 2) * 2 - 1
y = ((x ** 2).sum(1) < 0.5).float()
w1 = (torch.randn(2, 16) * 0.7).requires_grad_()
b1 = torch.zeros(16, requires_grad=True)
w2 = (torch.randn(16) * 0.3).requires_grad_()
b2 = torch.zeros((), requires_grad=True)
params = [w1, b1, w2, b2]
opt = torch.optim.Adam(params, lr=0.05)


def model(x):
    return torch.relu(x @ w1 + b1) @ w2 + b2


def bce(logits, target):
    return (logits.clamp(min=0) - logits * target + torch.log1p(torch.exp(-logits.abs()))).mean()


history = []
for epoch in range(40):
    order = torch.randperm(N)
    for k in range(0, N, 16):
        pick = order[k:k + 16]
        opt.zero_grad(set_to_none=True)
        loss = bce(model(x[pick]), y[pick])
        loss.backward()
        opt.step()
    with torch.no_grad():
        logits = model(x)
        history.append((bce(logits, y).item(), ((logits > 0).float() == y).float().mean().item()))
print([f'{l:.2f}' for l, _ in history[:3]], history[-1][0] < 0.15, history[-1][1] > 0.95)
print(all(p.grad is not None for p in params), [p.requires_grad for p in params])
