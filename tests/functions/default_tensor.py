# input x = torch.tensor([1.2, 0.7], dtype=torch.float64)
def f(x: float64[2], centre=torch.tensor([0.5, 0.25])):
    return ((x - centre) ** 4).sum()
