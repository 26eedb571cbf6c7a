# input x = torch.linspace(-1.2, 1.1, 8, dtype=torch.float64)
def rosenbrock(x: float64[8]):
    """The banana-shaped valley."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
