# input signal = torch.sin(torch.arange(12, dtype=torch.float64) * 0.7)
# input taps = torch.tensor([0.2, 0.5, 0.2], dtype=torch.float64)
def fir(signal: float64[12], taps: float64[3]):
    out = torch.zeros(10, dtype=torch.float64)
    for i in range(3):
        out = out + taps[i] * signal[i : i + 10]
    return out
