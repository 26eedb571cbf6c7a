# Stochastic gradient descent, step by step.
import torch


def start():
    a = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    b = torch.tensor([[0.5]], requires_grad=True)
    return a, b


def loss_of(a, b):
    return (a ** 2 * torch.tensor([1.0, 10.0, 0.1])).sum() + (b * a.sum() - 1).pow(2).sum()


variants = [
    ('lr=0.01', lambda p: torch.optim.SGD(p, lr=0.01)),
    ('lr=0.01, momentum=0.9', lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    ('lr=0.01, momentum=0.9, nesterov=True', lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True)),
    ('lr=0.01, weight_decay=0.1', lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=0.1)),
    ('lr=0.01, momentum=0.9, dampening=0.5', lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.5)),
    ('lr=0.01, maximize=True', lambda p: torch.optim.SGD(p, lr=0.01, maximize=True)),
    ('lr=0.01, momentum=0.8, weight_decay=0.01, nesterov=True', lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8, weight_decay=0.01, nesterov=True)),
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

for bad in (lambda: torch.optim.SGD([a], lr=-1), lambda: torch.optim.SGD([a], lr=0.1, nesterov=True), lambda: torch.optim.SGD([], lr=0.1), lambda: torch.optim.SGD([a], lr=0.1, momentum=-1)):
    try:
        bad()
    except ValueError as e:
        print(e)
x = torch.tensor([1.0], requires_grad=True)
unused = torch.tensor([5.0], requires_grad=True)
opt = torch.optim.SGD([{'params': [x], 'lr': 1.0}, {'params': [unused]}], lr=0.1)
(x * 2).sum().backward()
opt.step()
print(x, unused, unused.grad, len(opt.param_groups), [g['lr'] for g in opt.param_groups])
opt.param_groups[0]['lr'] = 0.5
opt.step()
print(x)
opt.zero_grad(set_to_none=False)
print(x.grad)
opt.zero_grad(set_to_none=True)
print(x.grad)


def closure():
    opt.zero_grad(set_to_none=True)
    loss = (x ** 2).sum()
    loss.backward()
    return loss


print(opt.step(closure), x)
