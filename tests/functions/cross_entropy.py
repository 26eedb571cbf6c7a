# input logits = torch.randn(4, 5, dtype=torch.float64)
# input target = torch.tensor([1, 0, 4, 2])
def loss(logits, target):
    return torch.nn.functional.cross_entropy(logits, target)
