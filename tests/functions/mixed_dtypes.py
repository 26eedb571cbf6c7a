# input x = torch.tensor([1.0, 2.0, -0.5])
# input y = torch.tensor([0.3, 0.2, 0.7], dtype=torch.float64)
# input n = torch.tensor([2, 3, 1])
def mixed(x, y, n):
    return (x * y + n).sum() * x.double().prod() + (x ** n).double().sum()
