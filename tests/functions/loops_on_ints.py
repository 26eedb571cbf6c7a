# input x = torch.tensor([0.3, 0.8], dtype=torch.float64)
# plain n = 5
# plain scale = 1.5
# plain odd = True
def series(x, n: int, scale: float, odd: bool):
    total = torch.zeros_like(x)
    for i in range(1, n + 1):
        if odd and i % 2 == 0:
            continue
        total = total + scale * x ** i / i
    return total
