# input x = torch.randn(3, 4, dtype=torch.float64)
# input index = torch.tensor([[0, 2, 1, 1], [3, 0, 0, 2], [1, 1, 3, 0]])
def shuffle(x, index):
    picked = torch.gather(x, 1, index)
    return torch.zeros(3, 4, dtype=torch.float64).scatter_add(1, index, picked * x)
