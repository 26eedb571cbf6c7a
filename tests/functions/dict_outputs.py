# input x = torch.tensor([1.2, 0.7], dtype=torch.float64)
def summary(x: "float64[2]"):
    return {"mean": x.mean(), "spread": x.std(), "scaled": x / x.norm(), "count": len(x)}
