# input x = torch.randn(3, 3, dtype=torch.float64)
def causal(x: float64[3, 3]):
    mask = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
    p = torch.softmax(x.masked_fill(mask, float("-inf")), -1)
    return torch.tril(p @ x)
