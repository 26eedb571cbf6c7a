# input x = torch.randn(4, 3, dtype=torch.float64)
# capture rows = torch.tensor([2, 0, 2])
def rows_of(x):
    return x[rows] * x[1, :2].sum() + x[:, [0, 2]].mean()
