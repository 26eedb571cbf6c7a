# with: one and several contexts, values, errors leaving through them.
import torch
x = torch.ones(2, requires_grad=True)
with torch.no_grad():
    y = x * 2
    print(y.requires_grad, torch.is_grad_enabled())
    with torch.enable_grad():
        z = x * 2
        print(z.requires_grad, torch.is_grad_enabled())
    print(torch.is_grad_enabled())
print(torch.is_grad_enabled())
with torch.no_grad(), torch.enable_grad():
    print(torch.is_grad_enabled())
with (torch.no_grad(), torch.no_grad()):
    print(torch.is_grad_enabled())
with torch.no_grad() as nothing:
    print(nothing)
try:
    with torch.no_grad():
        raise ValueError('leaves')
except ValueError as e:
    print(e, torch.is_grad_enabled())


def leave():
    with torch.no_grad():
        return torch.is_grad_enabled()


print(leave(), torch.is_grad_enabled())
for i in range(3):
    with torch.no_grad():
        if i == 1:
            break
        continue
print(i, torch.is_grad_enabled())
with torch.set_grad_enabled(False):
    print(torch.is_grad_enabled())
    with torch.set_grad_enabled(True):
        print(torch.is_grad_enabled())
print(torch.is_grad_enabled())


@torch.no_grad()
def quiet(v):
    return (v * 2).requires_grad


print(quiet(x), torch.is_grad_enabled())


@torch.enable_grad()
def loud(v):
    return (v * 2).requires_grad


with torch.no_grad():
    print(loud(x))
loop = torch.no_grad()
with loop:
    print(torch.is_grad_enabled())
with loop:
    print(torch.is_grad_enabled())
print(torch.is_grad_enabled())
double = torch.no_grad()(lambda v: (v * 2).requires_grad)
print(double(x))
try:
    with 5:
        pass
except (TypeError, AttributeError) as e:
    print(type(e).__name__)
