# input x = torch.tensor([0.3, -1.2, 2.5, 0.9, -0.4], dtype=torch.float64)
def ranked(x):
    values, order = torch.sort(x, descending=True)
    weights = torch.arange(1, 6, dtype=torch.float64)
    return {"weighted": (values * weights).sum(), "order": order}
