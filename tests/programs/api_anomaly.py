# detect_anomaly and set_detect_anomaly.
import torch


def said(f):
    try:
        print('fine', f())
    except Exception as e:
        print(type(e).__name__, '|', e)


A = torch.autograd
a = torch.tensor([0.], requires_grad=True)
said(lambda: (torch.sqrt(a) * 0).backward())
with A.detect_anomaly():
    said(lambda: (torch.sqrt(a) * 0).backward())
with A.detect_anomaly(check_nan=False):
    said(lambda: (torch.sqrt(a) * 0).backward())
said(lambda: (torch.sqrt(a) * 0).backward())
A.set_detect_anomaly(True)
said(lambda: (torch.sqrt(a) * 0).backward())
with A.set_detect_anomaly(False):
    said(lambda: (torch.sqrt(a) * 0).backward())
said(lambda: (torch.sqrt(a) * 0).backward())
A.set_detect_anomaly(True, check_nan=False)
said(lambda: (torch.sqrt(a) * 0).backward())
A.set_detect_anomaly(False)
x = torch.ones(2, requires_grad=True)
y = x.exp()
y.add_(1)
said(lambda: y.sum().backward())
with A.detect_anomaly():
    y = x.exp()
    y.add_(1)
    said(lambda: y.sum().backward())
    said(lambda: (x * float('inf')).sum().backward())
said(lambda: A.detect_anomaly(1, 2))
said(lambda: A.set_detect_anomaly())
