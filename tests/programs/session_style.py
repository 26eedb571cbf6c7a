# Written as a notebook is: names made again, functions replaced, values kept.
import torch
x = 5
x = torch.tensor([1.0, 2.0], requires_grad=True)
def f(v): return (v ** 2).sum()
f(x).backward()
print(x.grad)
def f(v): return (v ** 3).sum()
x.grad = None
f(x).backward()
print(x.grad)
y = f(x)
f = lambda v: v.sum()
print(y.grad_fn.name(), f(x).grad_fn.name())
results = {}
for name, fn in [('sum', torch.sum), ('mean', torch.mean), ('max', torch.max)]:
    x.grad = None
    fn(x * x).backward()
    results[name] = x.grad.tolist()
print(results)
x = x.detach()
print(x.requires_grad, y.grad_fn is not None)
del x
try:
    print(x)
except NameError as e:
    print(e)
x = 'a string now'
print(x)
log = []
for step in range(3):
    log.append({'step': step, 'value': torch.tensor(float(step)) ** 2})
print(log, log[-1]['value'].item())
print([entry['step'] for entry in log if entry['value'] > 0])
