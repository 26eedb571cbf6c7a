# input x = torch.tensor([0.4, -1.1, 2.0], dtype=torch.float64)
# clone
def double(x: float64[3]):
    x *= 2
    return (x ** 2).sum()
