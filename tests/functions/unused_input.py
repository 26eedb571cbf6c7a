# input x = torch.tensor([1.2, 0.7], dtype=torch.float64)
# input unused = torch.tensor([3.0], dtype=torch.float64)
def f(x, unused):
    return (x ** 3).sum()
