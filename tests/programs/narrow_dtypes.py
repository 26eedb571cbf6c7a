# float16, bfloat16, int16 and int8: what they are called, how they print, convert, promote, wrap and overflow.
import torch

HALF, BRAIN, SHORT, CHAR = torch.float16, torch.bfloat16, torch.int16, torch.int8
print(torch.half is HALF, torch.short is SHORT, HALF, BRAIN, SHORT, CHAR)
print(HALF.is_floating_point, CHAR.is_floating_point, CHAR.is_signed, torch.uint8.is_signed)
for dtype in (HALF, BRAIN):
    print(torch.finfo(dtype))
    x = torch.tensor([0.1, -2.5, 1e-5, 300.7, 65519.0, 1e6], dtype=dtype)
    print(x, x.type(), x.element_size(), x.tolist())
    print(x.float(), x.double()[0].item(), x.long()[:4])
    print(torch.tensor([1.0, 2.0], dtype=dtype), torch.tensor([], dtype=dtype), torch.tensor(3.0, dtype=dtype))
    print(torch.tensor([1.5, float("nan"), float("inf"), -float("inf")], dtype=dtype))
    print(torch.tensor([2049, 2051, 257, 259], dtype=dtype), torch.tensor([2049, 2051]).to(dtype))
    print(torch.zeros(2, dtype=dtype), torch.ones(1, 2, dtype=dtype), torch.full((2,), 0.1, dtype=dtype), torch.zeros_like(x).dtype)
for dtype in (SHORT, CHAR):
    print(torch.iinfo(dtype))
    x = torch.tensor([100, -100, 7], dtype=dtype)
    print(x, x.type(), x.element_size(), x.tolist(), x + 100, x * 3, -x, x // 3, x % 4, torch.bitwise_left_shift(x, torch.ones_like(x)), torch.bitwise_right_shift(x, torch.ones_like(x)), ~x, x & 6)
    print(x / 2, x ** 2, x.sum(), x.prod(), x.cumsum(0), x.max(), x.argmin(), x.sort(), x < 7, x.abs(), x.clamp(0, 50))
    print(torch.arange(5, dtype=dtype), torch.full((2,), 3, dtype=dtype), torch.eye(2, dtype=dtype), x.float(), x.bool(), x @ x)
    for bad in (40000, -40000, 1e9):
        try:
            print(torch.tensor([bad], dtype=dtype))
        except RuntimeError as e:
            print(e)
print(torch.tensor([300, -300, 70000]).char(), torch.tensor([300, -300, 70000]).short(), torch.tensor([1.9, -1.9]).char())
names = "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 bool".split()
for a in names:
    print(a, [str(torch.promote_types(getattr(torch, a), getattr(torch, b)))[6:] for b in names])
for a in (HALF, BRAIN, SHORT, CHAR):
    x = torch.ones(2, dtype=a)
    for b in names:
        y = torch.ones(2, dtype=getattr(torch, b))
        print(a, b, (x + y).dtype, (x * y[0]).dtype, (x == y).dtype, torch.where(x > 0, x, y).dtype if a.is_floating_point == y.dtype.is_floating_point else None)
    print((x + 1).dtype, (x + 1.5).dtype, (x + True).dtype, (x * torch.tensor(2.0)).dtype)
print(torch.tensor([3.0], dtype=HALF) * 0.1, torch.tensor([0.1], dtype=HALF) == 0.1, torch.tensor([0.1], dtype=BRAIN) == 0.1)
print(torch.tensor([100], dtype=CHAR) == 356, torch.tensor([100], dtype=CHAR) < 200)
x = torch.tensor([1.0, 2.0, 3.0], dtype=HALF)
x[1] = 7
x[x > 5] = 0.3
x += 1
x.mul_(torch.tensor([1.0, 2.0, 3.0]))
print(x, x[1].item(), x.view(3, 1).t(), x.repeat(2), torch.cat([x, x.double()]).dtype, torch.stack([x, x]), x.unsqueeze(0).expand(2, 3))
try:
    torch.tensor([1, 2], dtype=CHAR).add_(0.5)
except RuntimeError as e:
    print(e)
try:
    torch.ones(2, dtype=HALF).fill_(1e6)
except RuntimeError as e:
    print(e)
print(isinstance(x, torch.HalfTensor), torch.BFloat16Tensor([1.0, 2.0]), torch.CharTensor([1, 2]).type(), x.type(torch.ShortTensor), x.type("torch.CharTensor"))
print(torch.tensor([torch.tensor(1.0, dtype=HALF), torch.tensor(2.0, dtype=HALF)]).dtype, torch.nan_to_num(torch.tensor([float("inf"), float("nan")], dtype=HALF)))
torch.manual_seed(5)
print(torch.rand(3, dtype=HALF), torch.rand(3, dtype=BRAIN), torch.randn(3, dtype=BRAIN), torch.randint(-9, 9, (4,), dtype=CHAR), torch.randperm(5, dtype=SHORT))
