# RMSprop, step by step.
import torch


def start():
    a = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    b = torch.tensor([[0.5]], requires_grad=True)
    return a, b


def loss_of(a, b):
    return (a ** 2 * torch.tensor([1.0, 10.0, 0.1])).sum() + (b * a.sum() - 1).pow(2).sum()


variants = [
    ('lr=0.01', lambda p: torch.optim.RMSprop(p, lr=0.01)),
    ('lr=0.01, alpha=0.5', lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.5)),
    ('lr=0.01, momentum=0.9', lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.9)),
    ('lr=0.01, centered=True', lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True)),
    ('lr=0.01, weight_decay=0.1, eps=1e-3', lambda p: torch.optim.RMSprop(p, lr=0.01, weight_decay=0.1, eps=1e-3)),
    ('lr=0.01, centered=True, momentum=0.5', lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5)),
]
for text, make in variants:
    a, b = start()
    opt = make([a, b])
    for step in range(5):
        opt.zero_grad(set_to_none=True)
        loss = loss_of(a, b)
        loss.backward()
        opt.step()
        print(text, step, f'{loss.item():.4f}', [round(v, 4) for v in a.tolist()], round(b.item(), 4))
