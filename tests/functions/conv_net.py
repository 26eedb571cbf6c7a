# input x = torch.randn(1, 1, 6, 6, dtype=torch.float64)
# input k = torch.randn(2, 1, 3, 3, dtype=torch.float64) / 3
import torch.nn.functional as F


def net(x, k):
    h = F.gelu(F.conv2d(x, k, padding=1))
    h = F.avg_pool2d(h, 2)
    return h.flatten(1).sum(1)
