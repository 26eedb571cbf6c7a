# Reading by index: numbers, slices, None, ..., lists, masks, tensors.
import torch
x = torch.arange(24).reshape(2, 3, 4)
print(x[0], x[-1, 0], x[1, 2, 3], x[0, 1:], x[:, 0], x[..., 0], x[0, ..., 1], x[:, :, ::2])
print(x[None].shape, x[:, None].shape, x[..., None].shape, x[None, ..., None].shape, x[0, None, 1].shape, x[()].shape, x[...].shape)
print(x[[0, 1]].shape, x[[1, 0], [0, 2]], x[:, [0, 2], 1], x[torch.tensor([1])].shape, x[0][[0, 0, 2]], x[0, torch.tensor([[0, 1], [1, 2]])].shape)
y = torch.arange(6.)
print(y[y > 2], y[[True, False, True, False, True, False]], y[torch.tensor([5, 0])], y[2:4], y[-2:], y[:-3], y[10:], y[y.argmax()], y[torch.tensor(3)], y[y > 100])
print(x[x % 5 == 0], x[:, x[0, :, 0] > 3].shape, x[torch.tensor([True, False])].shape, x[0, :, [1, 3]].shape, x[[0], :, [1]].shape)
for i, row in enumerate(torch.tensor([[1, 2], [3, 4]])):
    print(i, row, [int(v) for v in row], row.tolist())
a, b = torch.tensor([10, 20])
print(a, b, len(x), list(y[:2]), [v.item() for v in y[:3]], max(y), min(y), sum(y), sorted(y.tolist(), reverse=True)[:2])
print(3. in y, 99 in y, x.tolist()[0][0], y.unbind()[0], y.split(4), y.chunk(4), x.select(1, 0).shape, x.narrow(2, 1, 2).shape, torch.index_select(y, 0, torch.tensor([1, 3])), torch.masked_select(y, y < 2), x.gather(2, torch.zeros(2, 3, 1, dtype=torch.int64)).squeeze())
for bad in (lambda: x[5], lambda: x[0, 0, 0, 0], lambda: y['a'], lambda: y[1.5], lambda: y[[9]], lambda: y[torch.tensor([True])], lambda: y[::-1], lambda: torch.tensor(5)[0], lambda: len(torch.tensor(5)), lambda: list(torch.tensor(5)), lambda: y[torch.tensor([0.5])], lambda: y[0:2:0]):
    try:
        print(bad())
    except (IndexError, TypeError, ValueError, RuntimeError) as e:
        print(type(e).__name__, str(e).split('\n')[0][:110])
