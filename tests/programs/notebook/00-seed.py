# Not of the notebook: what makes its random numbers the same each time.
import torch
_ = torch.manual_seed(0)
