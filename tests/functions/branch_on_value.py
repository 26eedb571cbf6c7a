# input x = torch.tensor([0.4, -1.1, 2.0], dtype=torch.float64)
def branch(x: float64[3]):
    if x.sum() > 0:
        return (x ** 2).sum()
    return x.abs().sum()
