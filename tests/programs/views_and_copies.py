# What shares memory and what does not.
import torch
base = torch.arange(6.).reshape(2, 3)
views = {'view': base.view(6), 'reshape': base.reshape(3, 2), 't': base.t(), 'slice': base[:, 1:], 'select': base[0], 'unsqueeze': base.unsqueeze(0), 'expand': base[None].expand(2, 2, 3), 'diagonal': base.diagonal(), 'detach': base.detach(), 'data': base.data, 'narrow': base.narrow(0, 0, 1), 'permute': base.permute(1, 0), 'contiguous': base.contiguous(), 'flatten': base.flatten(), 'squeeze': base.squeeze()}
copies = {'clone': base.clone(), 'index': base[[0, 1]], 'mask': base[base > -1], 'add': base + 0, 'double': base.double(), 'reshape of t': base.t().reshape(6), 'contiguous of t': base.t().contiguous(), 'repeat': base.repeat(1, 1), 'flip': base.flip(0), 'cat': torch.cat([base])}
base += 100
for name, v in views.items():
    print(name, 'shares', v.min().item() >= 100)
for name, v in copies.items():
    print(name, 'copies', v.min().item() < 100)
row = base[0]
row[0] = -1
print(base, base._version, row._version)
a = [1, 2]
b = torch.tensor(a)
b[0] = 9
print(a, b)
c = b
c += 1
print(b, b is c)
d = b + 0
d += 1
print(b, d)
def modify(t):
    t.mul_(10)
    t = t + 1
    return t
e = torch.ones(2)
print(modify(e), e)
