# input t = torch.tensor(0.8, dtype=torch.float64)
def f(t: float64):
    return torch.exp(t) * torch.sin(t) + t ** 3
