# input x = torch.tensor([1.2, 0.7, -0.3], dtype=torch.float64)
# input y = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
def several(x, y):
    return x * y, torch.dot(x, y), x.sum() + 0 * y
