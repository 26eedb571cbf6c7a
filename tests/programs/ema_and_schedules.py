# Learning-rate schedules, moving averages, clipping, early stopping: plain code around tensors.
import torch
import math


def cosine(step, total, peak=0.1, warmup=5):
    if step < warmup:
        return peak * (step + 1) / warmup
    t = (step - warmup) / (total - warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * t))


print([round(cosine(s, 20), 4) for s in range(0, 20, 3)])
w = torch.tensor([5.0, -3.0], dtype=torch.float64, requires_grad=True)
ema = w.detach().clone()
best, patience, history = math.inf, 0, []
opt = torch.optim.SGD([w], lr=0.1)
for step in range(200):
    for group in opt.param_groups:
        group['lr'] = cosine(step, 200)
    opt.zero_grad(set_to_none=True)
    loss = ((w - torch.tensor([1.0, 2.0], dtype=torch.float64)) ** 2 * torch.tensor([1.0, 20.0], dtype=torch.float64)).sum()
    loss.backward()
    norm = w.grad.norm()
    if norm > 10:
        w.grad.mul_(10 / norm)
    opt.step()
    ema.mul_(0.9).add_(w.detach(), alpha=0.1)
    history.append(loss.item())
    if loss.item() < best - 1e-6:
        best, patience = loss.item(), 0
    else:
        patience += 1
        if patience >= 5:
            break
print(step, f'{best:.4f}', [round(v, 3) for v in w.tolist()], [round(v, 3) for v in ema.tolist()], [f'{h:.2f}' for h in history[:4]])
