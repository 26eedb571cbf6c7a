# input b = torch.tensor([0.5, -0.2], dtype=torch.float64)
# grad
def solve(b):
    x = torch.zeros(2, dtype=torch.float64)
    A = torch.tensor([[2.0, 0.3], [0.3, 1.0]], dtype=torch.float64)
    for _ in range(10):
        x = x - 0.3 * (A @ x - b)
    return x
