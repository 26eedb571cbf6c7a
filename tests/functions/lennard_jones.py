# input x = torch.tensor([[0.0, 0.0, 0.0], [1.1, 0.1, 0.0], [0.2, 1.2, 0.1], [0.9, 1.0, 1.1]], dtype=torch.float64)
def energy(x: float64[4, 3]):
    i, j = torch.triu_indices(4, 4, 1)
    r2 = ((x[i] - x[j]) ** 2).sum(-1)
    s = 1 / r2 ** 3
    return 4 * (s * s - s).sum()
