# Adam, step by step.
import torch


def start():
    a = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    b = torch.tensor([[0.5]], requires_grad=True)
    return a, b


def loss_of(a, b):
    return (a ** 2 * torch.tensor([1.0, 10.0, 0.1])).sum() + (b * a.sum() - 1).pow(2).sum()


variants = [
    ('lr=0.1', lambda p: torch.optim.Adam(p, lr=0.1)),
    ('lr=0.01, betas=(0.5, 0.9)', lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.5, 0.9))),
    ('lr=0.1, eps=0.1', lambda p: torch.optim.Adam(p, lr=0.1, eps=0.1)),
    ('lr=0.1, weight_decay=0.1', lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.1)),
    ('lr=0.1, amsgrad=True', lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True)),
    ('lr=0.1, maximize=True', lambda p: torch.optim.Adam(p, lr=0.1, maximize=True)),
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

for bad in (lambda: torch.optim.Adam([a], lr=-1), lambda: torch.optim.Adam([a], betas=(1.0, 0.9)), lambda: torch.optim.Adam([a], betas=(0.9, -1)), lambda: torch.optim.Adam([a], eps=-1), lambda: torch.optim.Adam([a], weight_decay=-1), lambda: torch.optim.Adam([]), lambda: torch.optim.Adam([a * 2])):
    try:
        bad()
    except ValueError as e:
        print(e)
x = torch.tensor([1.0, 2.0], requires_grad=True)
opt = torch.optim.Adam([x])
for i in range(3):
    x.grad = torch.tensor([1.0, -1.0])
    opt.step()
print(x)
