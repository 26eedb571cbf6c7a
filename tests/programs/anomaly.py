# Anomaly detection (semantics 44).
import torch
x = torch.tensor([0.], requires_grad=True)


def attempt(f):
    try:
        f()
        print('fine', x.grad)
    except RuntimeError as e:
        print(e)
    x.grad = None


attempt(lambda: (x.sqrt() * 0).backward())
with torch.autograd.detect_anomaly():
    attempt(lambda: (x.sqrt() * 0).backward())
    attempt(lambda: x.sqrt().backward())
    attempt(lambda: (x * 2).backward())
with torch.autograd.set_detect_anomaly(True):
    attempt(lambda: torch.where(x > 0, x.log(), 0 * x).backward())
with torch.autograd.detect_anomaly(check_nan=False):
    attempt(lambda: (x.sqrt() * 0).backward())
torch.autograd.set_detect_anomaly(True)
print(torch.is_anomaly_enabled())
attempt(lambda: (x / x).backward())
torch.autograd.set_detect_anomaly(False)
print(torch.is_anomaly_enabled())
attempt(lambda: (x / x).backward())
