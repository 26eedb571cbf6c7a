# AdamW, step by step: decay apart from the gradient.
import torch


def start():
    a = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    b = torch.tensor([[0.5]], requires_grad=True)
    return a, b


def loss_of(a, b):
    return (a ** 2 * torch.tensor([1.0, 10.0, 0.1])).sum() + (b * a.sum() - 1).pow(2).sum()


variants = [
    ('lr=0.1', lambda p: torch.optim.AdamW(p, lr=0.1)),
    ('lr=0.1, weight_decay=0.5', lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.5)),
    ('lr=0.1, weight_decay=0.0', lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.0)),
    ('lr=0.01, betas=(0.8, 0.99), eps=1e-4', lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.8, 0.99), eps=1e-4)),
    ('lr=0.1, amsgrad=True, maximize=True', lambda p: torch.optim.AdamW(p, lr=0.1, amsgrad=True, maximize=True)),
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
