# input x = torch.tensor([0.5, -0.2, 0.9], dtype=torch.float64)
# seed
def noisy(x: float64[3]):
    noise = torch.randn(3, dtype=torch.float64)
    return ((x + 0.1 * noise) ** 2).sum()
