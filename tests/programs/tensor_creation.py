# Factories and torch.tensor from nested data.
import torch
print(torch.tensor([[1, 2], [3, 4]]), torch.tensor(((1., 2.), (3., 4.))), torch.tensor([torch.tensor(1.), torch.tensor(2.)]), torch.tensor([True, False]), torch.tensor([[True], [False]]).shape)
print(torch.zeros(2), torch.zeros(2, 2), torch.zeros((2, 1)), torch.zeros([3]), torch.zeros(()), torch.ones(2, dtype=torch.int64), torch.full((2, 2), 7.), torch.full((2,), 3), torch.full([1], True), torch.empty(0))
print(torch.arange(5), torch.arange(1, 4), torch.arange(0, 1, 0.25), torch.arange(5, 0, -2), torch.arange(3, dtype=torch.float64), torch.linspace(0, 1, 5), torch.linspace(3, 3, 1), torch.eye(2), torch.eye(2, 3))
x = torch.tensor([[1., 2.], [3., 4.]], dtype=torch.float64)
print(torch.zeros_like(x), torch.ones_like(x, dtype=torch.int32), torch.full_like(x, 5), x.new_zeros(2), x.new_ones((1, 2)), x.new_full((2,), 9), torch.empty_like(x).shape, x.new_tensor([1, 2]))
print(torch.Tensor([1, 2]), torch.Tensor([[1.5]]), torch.Tensor(2, 3).shape, torch.FloatTensor([1]), torch.LongTensor([1, 2]))
print(torch.tensor(x).equal(x), torch.tensor([1, 2], dtype=torch.float32), torch.tensor(3).item(), torch.tensor([[5]]).item(), torch.as_tensor([1, 2]), torch.tensor(2.5))
print(torch.tensor(range(4)), torch.tensor([range(2), range(2)]), torch.tensor([[], []]).shape, torch.tensor(1e10), torch.tensor(2 ** 40))
for bad in (lambda: torch.tensor([[1, 2], [3]]), lambda: torch.tensor(['a']), lambda: torch.tensor(None), lambda: torch.zeros(-1), lambda: torch.ones(2).item(), lambda: torch.arange(0, 5, -1), lambda: torch.tensor([1, [2]]), lambda: torch.eye(-1)):
    try:
        bad()
    except (ValueError, TypeError, RuntimeError) as e:
        print(type(e).__name__, str(e).split('\n')[0][:100])
