# K-means clustering: argmin, masks and means, no gradients.
import torch
_ = torch.manual_seed(11)
true = torch.tensor([[0., 0.], [5., 5.], [0., 5.]])
points = torch.cat([c + torch.randn(10, 2) * 0.5 for c in true])
centres = points[[0, 10, 20]].clone()
with torch.no_grad():
    for it in range(10):
        d = ((points[:, None] - centres[None]) ** 2).sum(-1)
        label = d.argmin(1)
        new = torch.stack([points[label == k].mean(0) for k in range(3)])
        shift = (new - centres).norm().item()
        centres = new
        if shift < 1e-6:
            break
print(it, label.tolist(), centres)
print([int((label == k).sum()) for k in range(3)])
counts = torch.zeros(3).index_add(0, label, torch.ones(30))
print(counts, torch.zeros(3, 2).index_add(0, label, points) / counts[:, None])
