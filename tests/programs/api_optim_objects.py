# Optimizers as objects: groups, state, what they print, saving and loading, and what they refuse.
import torch

o = torch.optim


def said(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__, '|', e)


def params():
    return [torch.tensor([1., 2.], requires_grad=True), torch.tensor([[3.]], requires_grad=True)]


p = params()
for make in [lambda: o.SGD(p, 0.1), lambda: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True), lambda: o.Adam(p),
             lambda: o.AdamW(p, betas=[0.1, 0.2]), lambda: o.RMSprop(p), lambda: o.Adagrad(p, lr_decay=1)]:
    opt = make()
    print(opt)
    print(opt.defaults)
    print(opt.param_groups)
    print(opt.state_dict())
opt = o.SGD([{'params': p[0], 'lr': 0.5}, {'params': [p[1]], 'momentum': 0.9, 'extra': None}], lr=0.1)
print(opt)
print(len(opt.param_groups), opt.param_groups[0]['params'][0] is p[0])
for q in p:
    q.grad = torch.ones_like(q)
opt.step()
print(p, len(opt.state))
print(opt.state_dict())
opt.param_groups[0]['lr'] = 1
for group in opt.param_groups:
    group['lr'] = group['lr'] * 2
opt.step()
print(p)
opt.zero_grad(set_to_none=False)
print(p[0].grad, p[1].grad)
opt.zero_grad(set_to_none=True)
print(p[0].grad, p[1].grad)
opt.step()
print(p)
new = torch.zeros(2, requires_grad=True)
opt.add_param_group({'params': new, 'lr': 3})
print(opt)
said(lambda: opt.add_param_group({'params': [new]}))
said(lambda: opt.add_param_group([new]))
said(lambda: opt.add_param_group({'lr': 1}))
said(lambda: opt.add_param_group({'params': [new * 2]}))
said(lambda: opt.add_param_group({'params': [1]}))
said(lambda: o.SGD([{'params': p[0]}]))
said(lambda: o.SGD([{'params': p[0]}, {'params': p[0]}], lr=1))
said(lambda: o.SGD([{'params': {p[0]}}], lr=1))
said(lambda: o.SGD(p))
said(lambda: o.SGD(p[0], lr=1))
said(lambda: o.SGD(p[0].detach().double(), lr=1))
said(lambda: o.SGD([], lr=1))
said(lambda: o.SGD(1, lr=1))
said(lambda: o.SGD(['a'], lr=1))
said(lambda: o.SGD({'a': 1}, lr=1))
said(lambda: o.SGD([None], lr=1))
said(lambda: o.SGD([p[0] * 2], lr=1))
said(lambda: o.SGD(p, lr=-1))
said(lambda: o.SGD(p, lr=-0.5))
said(lambda: o.SGD(p, lr='a'))
said(lambda: o.SGD(p, lr=1, momentum=-1))
said(lambda: o.SGD(p, lr=1, weight_decay=-1.5))
said(lambda: o.SGD(p, lr=1, nesterov=True))
said(lambda: o.SGD(p, lr=1, nesterov=True, momentum=1, dampening=1))
said(lambda: o.SGD(p, 1, 2, 3, 4, 5, 6))
said(lambda: o.SGD(p, lr=1, foo=2))
said(lambda: o.SGD())
said(lambda: o.SGD(p, lr=1, params=p))
said(lambda: o.Adam(p, lr=-1))
said(lambda: o.Adam(p, lr=float('nan')))
said(lambda: o.Adam(p, eps=-1e-8))
said(lambda: o.Adam(p, betas=(1.0, 0.9)))
said(lambda: o.Adam(p, betas=(0.9, 1)))
said(lambda: o.Adam(p, betas=(0.9,)))
said(lambda: o.Adam(p, betas=0.9))
said(lambda: o.Adam(p, weight_decay=-1))
said(lambda: o.Adam(p, fused=True))
said(lambda: o.Adam(p, fused=True, differentiable=True))
said(lambda: o.AdamW(p, weight_decay=-1))
said(lambda: o.RMSprop(p, alpha=-1))
said(lambda: o.RMSprop(p, momentum=-1))
said(lambda: o.Adagrad(p, initial_accumulator_value=-1))
said(lambda: o.Adagrad(p, lr_decay=-1))
said(lambda: opt.step(1))
said(lambda: opt.step(lambda: 7))
said(lambda: opt.nothing)

p = params()
opt = o.Adam(p, lr=0.1, amsgrad=True)


def closure():
    opt.zero_grad(set_to_none=True)
    loss = (p[0] ** 2).sum() + p[1].sum()
    loss.backward()
    return loss


print(opt.step(closure), torch.is_grad_enabled())
with torch.no_grad():
    print(opt.step(closure), torch.is_grad_enabled())
saved = opt.state_dict()
print(saved)
q = params()
again = o.Adam(q, lr=7, amsgrad=False)
again.load_state_dict(saved)
print(again)
print(again.state_dict())
for one, two in zip(p, q):
    two.data = one.data.clone()
    two.grad = one.grad
opt.step()
again.step()
print(p[0].tolist() == q[0].tolist(), p[0].tolist(), again.state[q[0]]['step'], saved['state'][0]['step'])
said(lambda: again.load_state_dict({'state': {}, 'param_groups': []}))
said(lambda: again.load_state_dict({'state': {}, 'param_groups': [{'params': [0]}]}))
said(lambda: again.load_state_dict({'state': {}}))
said(lambda: again.load_state_dict({'state': {0: {'step': 3, 'exp_avg': torch.ones(2, dtype=torch.float64), 'exp_avg_sq': torch.ones(2), 'max_exp_avg_sq': torch.ones(2)}}, 'param_groups': [{'params': [0, 1], 'lr': 1, 'betas': (0.5, 0.5), 'eps': 0.1, 'weight_decay': 0}]}))
print(again.state_dict())
again.step()
print(q)
s = o.SGD(params(), lr=0.1, momentum=0.9)
said(lambda: s.load_state_dict({'state': {5: {'momentum_buffer': torch.ones(2)}, 'other': [1]}, 'param_groups': [{'params': [5, 9], 'lr': 1, 'momentum': 0.5, 'dampening': 0, 'weight_decay': 0}]}))
print(s.state_dict())
for g in s.param_groups:
    g['params'][0].grad = torch.ones(2)
s.step()
print(s.param_groups)
print(isinstance(opt, torch.optim.Optimizer), isinstance(opt, torch.optim.Adam), isinstance(opt, torch.optim.SGD), type(opt).__name__)

x = torch.tensor([1., 2.], requires_grad=True)
y = x * 1
y.retain_grad()
said(lambda: o.SGD([y], lr=1).param_groups[0]['lr'])
d = o.SGD([x * 1], lr=0.1, differentiable=True)
w = d.param_groups[0]['params'][0]
w.grad = x * 2
d.step()
print(w)
w.sum().backward()
print(x.grad)
d = o.Adam([x * 1], lr=0.1, differentiable=True)
w = d.param_groups[0]['params'][0]
w.grad = x * 2
d.step()
print(w)
