# Gradients at the corners (semantics 49).
import torch
nan, inf = float('nan'), float('inf')


def d(f, *values):
    x = torch.tensor(values[0] if len(values) == 1 else list(values), requires_grad=True)
    y = f(x)
    y.sum().backward()
    return x.grad.tolist()


print('abs', d(torch.abs, 0.), d(torch.abs, nan), d(torch.abs, -2.))
print('relu', d(torch.relu, 0.), d(torch.relu, nan), d(torch.relu, 3.))
print('clamp', d(lambda x: x.clamp(0, 1), 0., 1., .5, 2., nan))
print('maximum', d(lambda x: torch.maximum(x, torch.tensor(1.)), 1., 2., 0.))
print('minimum', d(lambda x: torch.minimum(x, torch.tensor(1.)), 1., 2., 0.))
print('max()', d(lambda x: x.max(), 1., 3., 3.), 'amax', d(lambda x: x.amax(0), 3., 3., 1.), 'max(0)', d(lambda x: x.max(0).values, 1., 3., 3.), 'min()', d(lambda x: x.min(), 1., 1., 3.))
print('norm', d(lambda x: x.norm(), 0., 0.), d(lambda x: x.norm(1), 0., -2.), d(lambda x: x.norm(3), 0., 0.), d(lambda x: x.norm(inf), 2., -2., 1.), d(lambda x: x.norm(2), 3., 4.))
print('sqrt', d(torch.sqrt, 0.), 'x**0', d(lambda x: x ** 0, 0.), d(lambda x: x ** 0, nan), 'x**1', d(lambda x: x ** 1, 0.), 'x**.5', d(lambda x: x ** 0.5, 0.))
print('0**y', d(lambda y: 0. ** y, 0.), d(lambda y: 0. ** y, 2.), d(lambda y: torch.zeros(1) ** y, -1.))
print('prod', d(lambda x: x.prod(), 0., 2., 3.), d(lambda x: x.prod(), 0., 0., 3.), d(lambda x: x.prod(), 1., 2., 3.))
print('logsumexp', d(lambda x: x.logsumexp(0), -inf, -inf), d(lambda x: x.logsumexp(0), 0., 0.))
print('where', d(lambda x: torch.where(x > 0, x.log(), 0 * x), 0., 1.))
print('round', torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5]).round().tolist())
print('std', torch.tensor([1.]).std(), torch.tensor([1.]).var(), torch.tensor([1., 3.]).std(unbiased=False))
x = torch.tensor([1.], requires_grad=True)
try:
    x.std().backward()
    print(x.grad)
except RuntimeError as e:
    print(str(e)[:80])
print('sign', d(torch.sign, 0.), 'remainder', d(lambda x: x % 2, 5.), 'fmod', d(lambda x: torch.fmod(x, 2), 5.), 'floor', d(torch.floor, 1.5))
print('log', d(torch.log, 0.), d(torch.log, -1.), 'rsqrt', d(torch.rsqrt, 0.), 'reciprocal', d(torch.reciprocal, 0.), 'acos', d(torch.acos, 1.))
print('softmax', [round(v, 6) for v in d(lambda x: x.softmax(0)[0], 1., 1., 1.)], 'cumsum', d(lambda x: x.cumsum(0), 1., 2., 3.))
