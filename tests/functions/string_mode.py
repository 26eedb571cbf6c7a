# input x = torch.tensor([1.0, 2.0, -0.5], dtype=torch.float64)
# plain mode = "mean"
def reduce(x, mode: str = "sum"):
    loss = torch.nn.functional.huber_loss(x, torch.zeros(3, dtype=torch.float64), reduction=mode, delta=0.75)
    return loss * 2
