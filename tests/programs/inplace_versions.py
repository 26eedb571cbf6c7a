# A saved value that was modified, and version counters (semantics 28, 29).
import torch


def attempt(build):
    try:
        build()
        print('fine')
    except RuntimeError as e:
        print(e)


def exp_modified():
    x = torch.ones(2, 2, requires_grad=True)
    e = x.exp()
    e.add_(1)
    e.sum().backward()


def leaf_modified():
    w = torch.tensor([1.], requires_grad=True)
    y = w * w
    with torch.no_grad():
        w.add_(1)
    y.backward()


def current_name():
    x = torch.tensor([1.], requires_grad=True)
    h = x * 1
    y = h * h
    h.add_(1)
    y.backward()


def view_modified():
    x = torch.ones(3, requires_grad=True)
    h = x * 1
    y = h.exp() * h
    h[0] = 5
    y.sum().backward()


def relu_inplace():
    x = torch.tensor([-1., 2.], requires_grad=True)
    y = (x * 2).relu_()
    y.sum().backward()
    print(y, x.grad)


def add_inplace():
    x = torch.tensor([-1., 2.], requires_grad=True)
    y = x * 2
    y.add_(1).mul_(3)
    y.sum().backward()
    print(y, x.grad)


for f in (exp_modified, leaf_modified, current_name, view_modified, relu_inplace, add_inplace):
    attempt(f)
with torch.autograd.set_detect_anomaly(True):
    attempt(exp_modified)
x = torch.zeros(3)
print(x._version)
x.add_(1); x[0] = 2; x += 1; x.mul_(2)
print(x._version, x[1:]._version, x.detach()._version, x.view(3)._version, x.clone()._version, x.data._version)
v = x[:2]
v.add_(1)
print(x, x._version, v._version)
x.fill_(3); x.zero_(); x.copy_(torch.ones(3))
print(x._version)
