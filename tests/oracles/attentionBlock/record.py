"""Records one attention block, forward and backward, in PyTorch float64: x + attention(layer norm(x)), causal, with padding.

    pip install torch safetensors && python record.py        (writes record.safetensors beside this file)

The loss is sum(out * cotangent). Weights are stored [out, in] as in torch.nn.Linear.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

torch.manual_seed(20)
BATCH, HEADS, LENGTH, HEAD_DIM = 2, 3, 5, 4
WIDTH = HEADS * HEAD_DIM


def draw(*shape, scale=1.0):
    # Rounded to float32, so that float32 and float64 readers start from the same numbers.
    return (torch.randn(*shape) * scale).double()


values = {
    "x": draw(BATCH, LENGTH, WIDTH),
    "ln.weight": 1 + draw(WIDTH, scale=0.2),
    "ln.bias": draw(WIDTH, scale=0.2),
    **{f"{name}.weight": draw(WIDTH, WIDTH, scale=0.4) for name in ("q", "k", "v", "o")},
    **{f"{name}.bias": draw(WIDTH, scale=0.2) for name in ("q", "k", "v", "o")},
}
values = {name: value.float().double().requires_grad_() for name, value in values.items()}
cotangent = draw(BATCH, LENGTH, WIDTH)
mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril().expand(BATCH, 1, LENGTH, LENGTH).clone()
mask[1, :, :, 3] = False
mask[1, :, 3, 3] = True


def linear(name, x):
    return torch.nn.functional.linear(x, values[f"{name}.weight"], values[f"{name}.bias"])


def split(x):
    return x.view(BATCH, LENGTH, HEADS, HEAD_DIM).transpose(1, 2)


normed = torch.nn.functional.layer_norm(values["x"], (WIDTH,), values["ln.weight"], values["ln.bias"], 1e-5)
q, k, v = (split(linear(name, normed)) for name in "qkv")
scores = (q @ k.transpose(-1, -2) / HEAD_DIM**0.5).masked_fill(~mask, -1e9)
pattern = scores.softmax(-1)
z = pattern @ v
pattern.retain_grad(), z.retain_grad()
out = values["x"] + linear("o", z.transpose(1, 2).reshape(BATCH, LENGTH, WIDTH))
(out * cotangent).sum().backward()

record = {
    **{name: value.detach().float() for name, value in values.items()},
    "cotangent": cotangent.float(),
    "mask": mask[:, 0].contiguous(),
    "pattern": pattern.detach(),
    "out": out.detach(),
    **{f"grad {name}": value.grad for name, value in values.items()},
    "grad pattern": pattern.grad,
    "grad z": z.grad,
}
target = Path(__file__).parent / "record.safetensors"
save_file({name: value.contiguous() for name, value in record.items()}, target, {"torch": torch.__version__})
print(target.name, target.stat().st_size, "bytes, torch", torch.__version__)
