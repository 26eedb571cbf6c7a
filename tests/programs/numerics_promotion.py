# Which dtype comes out (semantics 47).
import torch
b, u, i32, i64, f32, f64 = (torch.ones(2, dtype=d) for d in (torch.bool, torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64))
all_ = [b, u, i32, i64, f32, f64]
for a in all_:
    print(str(a.dtype)[6:], [str((a * c).dtype)[6:] for c in all_], str((a + 1).dtype), str((a + 1.5).dtype), (a / 2).dtype)
z = [torch.tensor(True), torch.tensor(1, dtype=torch.int32), torch.tensor(1), torch.tensor(1.), torch.tensor(1., dtype=torch.float64)]
for a in all_:
    print(str(a.dtype)[6:], [str((a + c).dtype)[6:] for c in z])
print((b + b).dtype, (b + 1).dtype, (b * True).dtype, b.sum().dtype, i32.sum().dtype, i64.exp().dtype, u.sum().dtype, (i64 // 2).dtype, (i64 % 2).dtype, i32.float().mean().dtype)
print((b & b).dtype, (i32 > 0).dtype, i64.argmax().dtype, f32.long().dtype, i64.sqrt().dtype, torch.cat([f32, f64]).dtype, torch.where(b, f32, f64).dtype, torch.stack([i32, i32]).dtype)


def attempt(f):
    try:
        print(f())
    except RuntimeError as e:
        print(e)


attempt(lambda: i64 ** -1)
attempt(lambda: b - b)
attempt(lambda: f32 @ f64)
attempt(lambda: i64.mean())
attempt(lambda: -b)
attempt(lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.int64))
attempt(lambda: torch.dot(f32, i64))
attempt(lambda: i64.std())
attempt(lambda: i64.softmax(0))
attempt(lambda: torch.tensor([1.5]) & torch.tensor([1.5]))
print(torch.tensor([1, 2]).dtype, torch.tensor([1., 2]).dtype, torch.tensor(True).dtype, torch.tensor([True, 2]).dtype, torch.tensor([]).dtype, torch.tensor([1, 2.5, True]).dtype, torch.Tensor([1]).dtype, torch.arange(3).dtype, torch.arange(3.).dtype, torch.full((2,), 1).dtype, torch.full((2,), True).dtype, torch.zeros(1).dtype, torch.eye(2).dtype, torch.linspace(0, 1, 3).dtype)
x = torch.ones(2, dtype=torch.float64, requires_grad=True)
y = torch.ones(2, requires_grad=True)
(x * y).sum().backward()
print(x.grad.dtype, y.grad.dtype)
print(torch.float32, torch.float, torch.double, torch.long, torch.float == torch.float32, torch.float32.is_floating_point, torch.int64.is_floating_point, f32.dtype is torch.float32)
