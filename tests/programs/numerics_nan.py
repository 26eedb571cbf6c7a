# NaN and infinities through operations (semantics 50).
import torch
nan, inf = float('nan'), float('inf')
x = torch.tensor([1., nan, 3.])
print(x.max(), x.min(), x.argmax(), x.argmin(), x.sum(), x.mean(), torch.maximum(x, torch.zeros(3)), torch.minimum(x, torch.zeros(3)), x.amax(), x.max(0))
print(torch.tensor(nan) ** 0, torch.tensor(1.) ** nan, torch.tensor(nan).sign(), torch.tensor(nan).relu(), torch.tensor(nan).clamp(0, 1), torch.tensor(nan).abs())
print(x == x, x != x, x > 0, x.isnan(), torch.isinf(torch.tensor([inf, -inf, 0., nan])), torch.isfinite(torch.tensor([inf, 1., nan])))
print(torch.tensor([inf, -inf, nan, 0.]), torch.tensor([inf, -inf]).sum(), torch.tensor(inf) * 0, torch.tensor(0.) / 0, torch.tensor(1.) / 0, torch.tensor(-1.) / 0, torch.tensor([-1.]).sqrt(), torch.tensor([0.]).log(), torch.tensor([-1.]).log())
print(torch.tensor([1e38]) * 10, torch.tensor([1e-45]), torch.tensor([1e308], dtype=torch.float64) * 10, torch.tensor(5) // 2, torch.tensor(-5) // 2, torch.tensor(-5) % 3, torch.tensor(-5.) % 3, torch.fmod(torch.tensor(-5.), 3))
print(torch.equal(x, x), torch.allclose(x, x), torch.allclose(x, x, equal_nan=True), torch.isclose(torch.tensor([1., nan]), torch.tensor([1. + 1e-9, nan]), equal_nan=True))
print(torch.tensor([inf, inf]).softmax(0), torch.tensor([-inf, 0.]).softmax(0), torch.tensor([1000., 0.]).softmax(0), torch.tensor([1000., 0.]).log_softmax(0), torch.tensor([-inf, -inf]).logsumexp(0), torch.tensor([1000., 1000.]).logsumexp(0))
print(bool(torch.tensor(nan)), torch.tensor(nan).item() != torch.tensor(nan).item(), nan in [1, 2], torch.tensor([nan, 1.]).tolist())
try:
    torch.tensor(1) // 0
except RuntimeError as e:
    print(e)
try:
    torch.tensor(1) % 0
except RuntimeError as e:
    print(e)
print(torch.tensor(1.) // 0, torch.tensor([2 ** 62]) * 4, torch.tensor([255], dtype=torch.uint8) + 1, torch.tensor([-1.]).to(torch.int64), torch.tensor([2.9, -2.9]).int())
