# Optimizers bit for bit: every value after some steps, with vectors long enough for each way a kernel takes.
import torch

torch.manual_seed(3)
start = torch.randn(37)
matrix = torch.randn(3, 5)
double = torch.randn(4, dtype=torch.float64)
other = torch.randn(37)


def run(name, make, steps):
    a = start.clone().requires_grad_()
    b = matrix.clone().requires_grad_()
    c = double.clone().requires_grad_()
    unused = torch.ones(2, requires_grad=True)
    opt = make([a, b, c, unused])
    for i in range(steps):
        opt.zero_grad(set_to_none=True)
        loss = (a * a * other).sum() + (b ** 3).sum() + (c.exp() * b.sum()).sum()
        loss.backward()
        opt.step()
    print(name)
    print(a.tolist())
    print(b.tolist(), c.tolist(), unused)
    print(sorted([len(s) for s in opt.state.values()]), sorted(opt.state[a].keys()))


o = torch.optim
run('sgd', lambda p: o.SGD(p, lr=0.01), 3)
run('sgd momentum', lambda p: o.SGD(p, lr=0.01, momentum=0.9), 5)
run('sgd all', lambda p: o.SGD(p, 0.01, 0.9, 0.3, 0.05), 5)
run('sgd nesterov', lambda p: o.SGD(p, lr=0.01, momentum=0.7, nesterov=True, weight_decay=0.01), 5)
run('sgd maximize', lambda p: o.SGD(p, lr=0.001, momentum=0.7, maximize=True), 3)
run('adam', lambda p: o.Adam(p), 7)
run('adam all', lambda p: o.Adam(p, 0.02, (0.8, 0.95), 1e-6, 0.1, True), 7)
run('adam maximize', lambda p: o.Adam(p, lr=0.01, maximize=True), 3)
run('adamw', lambda p: o.AdamW(p, lr=0.01), 7)
run('adamw amsgrad', lambda p: o.AdamW(p, lr=0.01, betas=(0.5, 0.6), weight_decay=0.3, amsgrad=True), 7)
run('rmsprop', lambda p: o.RMSprop(p), 5)
run('rmsprop all', lambda p: o.RMSprop(p, lr=0.003, alpha=0.9, eps=1e-5, weight_decay=0.1, momentum=0.8, centered=True), 5)
run('rmsprop centered', lambda p: o.RMSprop(p, centered=True, maximize=True), 4)
run('adagrad', lambda p: o.Adagrad(p), 5)
run('adagrad all', lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.5, eps=1e-8), 5)
