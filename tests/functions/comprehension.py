# input x = torch.tensor([0.5, -0.2, 0.9], dtype=torch.float64)
def polynomials(x):
    coefficients = [1, -0.5, 0.25, 2]
    terms = [c * v ** i for i, c in enumerate(coefficients) for v in (x, x.flip(0))]
    return sum(terms)
