# input x = torch.tensor([0.5, 1.5, -0.7, 2.0, 0.9], dtype=torch.float64)
def cumulative(x: float64[5]):
    return torch.cumsum(x, 0) * torch.cumprod(x, 0)
