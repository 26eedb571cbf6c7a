# input x = torch.randn(2, 6, dtype=torch.float64)
# input g = torch.rand(6, dtype=torch.float64) + 0.5
def normalised(x, g):
    return torch.nn.functional.layer_norm(x, (6,), weight=g)
