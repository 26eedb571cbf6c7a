# dtypes, devices of thought: to, float, type_as, tolist, item, type questions.
import torch
x = torch.tensor([1.7, -2.7, 0.])
print(x.int(), x.long(), x.bool(), x.double(), x.float() is x, x.to(torch.int32), x.to(torch.float64).dtype, x.byte().dtype, x.type_as(torch.ones(1, dtype=torch.float64)).dtype, x.to(torch.ones(1, dtype=torch.int64)).dtype)
print(x.tolist(), x.long().tolist(), (x > 0).tolist(), torch.tensor(2.5).tolist(), torch.tensor([[1, 2]]).tolist(), torch.tensor(7).item(), torch.tensor(True).item(), type(torch.tensor(1.).item()), type(torch.tensor(1).item()), type(torch.tensor([True])[0].item()))
print(isinstance(x, torch.Tensor), torch.is_tensor(x), torch.is_tensor(5), type(x), type(x.shape), type(x.dtype), type(x) is torch.Tensor, isinstance(x.dtype, torch.dtype), isinstance(x.shape, tuple))
print(x.is_floating_point(), x.int().is_floating_point(), torch.is_floating_point(x), x.element_size(), x.nelement(), x.device)
print(x.dtype == torch.float32, x.dtype in (torch.float32, torch.float64), str(x.dtype), repr(x.dtype), {torch.float32: 'f', torch.int64: 'i'}[x.dtype], x.dtype is not torch.float64)
print(torch.equal(x, x.clone()), x.equal(x), torch.allclose(x, x + 1e-9), x.isclose(torch.tensor([1.7, -2.7, 0.1])), x.eq(1.7), x.ne(0).sum())
print([v for v in x], tuple(x.int()), dict(enumerate(x.tolist())), hash(x) == hash(x), x is x, x is x.clone(), id(x) == id(x))
print(torch.tensor(3.7).int().item(), torch.tensor(300).byte().item(), torch.tensor(-1).byte().item(), torch.tensor(0.1).item(), torch.tensor(0.1, dtype=torch.float64).item(), torch.tensor([0.1, 1e-10, 1e10, 3.0]).tolist())
print('{:.3f} {}'.format(torch.tensor(1.23456), torch.tensor(7)), '%.2f' % torch.tensor(2.5), '%d' % torch.tensor(3), f'{torch.tensor(5):>4d}')
print(x.type(), x.double().type(), x.type(torch.float64).dtype)
