# input x = torch.tensor([-2.3, -0.6, 0.2, 0.8, 1.7], dtype=torch.float64)
def pieces(x):
    a = torch.where(x > 0.1, x ** 2, -x)
    return a + torch.clamp(x, -0.9, 0.9) * torch.relu(x) + x.abs()
