# input q = torch.randn(3, 4, dtype=torch.float64)
# input k = torch.randn(5, 4, dtype=torch.float64)
# input v = torch.randn(5, 2, dtype=torch.float64)
def attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / q.size(-1) ** 0.5
    return torch.softmax(scores, dim=-1) @ v
