# input x = torch.tensor([0.2, 0.9, -0.4], dtype=torch.float64)
def legendre(n, x):
    if n == 0:
        return torch.ones_like(x)
    if n == 1:
        return x
    return ((2 * n - 1) * x * legendre(n - 1, x) - (n - 1) * legendre(n - 2, x)) / n


def sixth(x: float64[3]):
    return legendre(6, x)
