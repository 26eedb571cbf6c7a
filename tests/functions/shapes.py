# input x = torch.randn(2, 3, 4, dtype=torch.float64)
def reshaped(x):
    y = x.permute(2, 0, 1).reshape(4, 6)
    y = torch.cat([y, y.flip(0)], 1).unsqueeze(0).expand(2, 4, 12)
    return y.select(0, 1).narrow(1, 3, 6).t() * torch.linspace(0, 1, 4, dtype=torch.float64)
