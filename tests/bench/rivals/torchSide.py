"""The comparison's side in PyTorch: answers one JSON line per request with the processor and wall time it took."""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F


def weights(spec, flat):
    own, at = {}, 0
    for name, shape in spec["weights"]:
        size = math.prod(shape)
        own[name] = flat[at : at + size].view(shape)
        at += size
    return own


def forward(spec, own, ids, mode):
    """Logits, and every pattern where the mode is not sdpa."""
    heads, length = spec["heads"], ids.shape[1]
    mask = torch.full((length, length), -math.inf).triu(1)
    patterns = []
    x = own["embed"][ids] + own["position"][:length]
    width = x.shape[-1]
    for i in range(spec["layers"]):
        h = F.layer_norm(x, (width,), own[f"{i}.ln1.g"], own[f"{i}.ln1.b"])
        qkv = torch.addmm(own[f"{i}.qkv.b"], h.view(-1, width), own[f"{i}.qkv.w"]).view(*h.shape[:2], 3, heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        if mode == "sdpa":
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            pattern = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask, -1)
            patterns.append(pattern)
            z = pattern @ v
        z = z.transpose(1, 2).reshape(-1, width)
        x = x + torch.addmm(own[f"{i}.out.b"], z, own[f"{i}.out.w"]).view_as(x)
        h = F.layer_norm(x, (width,), own[f"{i}.ln2.g"], own[f"{i}.ln2.b"]).view(-1, width)
        h = F.gelu(torch.addmm(own[f"{i}.up.b"], h, own[f"{i}.up.w"]), approximate="tanh")
        x = x + torch.addmm(own[f"{i}.down.b"], h, own[f"{i}.down.w"]).view_as(x)
    logits = F.layer_norm(x, (width,), own["ln.g"], own["ln.b"]) @ own["embed"].T
    return logits, patterns


def transformers_model(spec, own):
    """The model as Hugging Face transformers runs it with eager attention, on the same weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=spec["vocab"],
        n_positions=spec["positions"],
        n_embd=spec["width"],
        n_layer=spec["layers"],
        n_head=spec["heads"],
        attn_implementation="eager",
    )
    model = GPT2LMHeadModel(config).eval()
    names = {"embed": "wte.weight", "position": "wpe.weight", "ln.g": "ln_f.weight", "ln.b": "ln_f.bias"}
    parts = {"ln1": "ln_1", "ln2": "ln_2", "qkv": "attn.c_attn", "out": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
    kinds = {"g": "weight", "w": "weight", "b": "bias"}
    for i in range(spec["layers"]):
        for part, path in parts.items():
            for kind in ("g", "b") if part.startswith("ln") else ("w", "b"):
                names[f"{i}.{part}.{kind}"] = f"h.{i}.{path}.{kinds[kind]}"
    model.transformer.load_state_dict({names[name]: value for name, value in own.items()}, strict=False)
    return model


class Side:
    def open(self, request):
        self.spec = request["spec"]
        flat = torch.from_file(request["path"], size=request["count"], dtype=torch.float32).clone()
        self.own = weights(self.spec, flat)
        if request["train"]:
            self.own = {name: value.clone().requires_grad_() for name, value in self.own.items()}
            self.optimiser = torch.optim.Adam(self.own.values(), lr=request["rate"], eps=request["epsilon"])
        return {"threads": torch.get_num_threads()}

    def forward(self, request):
        with torch.inference_mode():
            if request["mode"] == "transformers":
                self.model = getattr(self, "model", None) or transformers_model(self.spec, self.own)
                out = self.model(torch.tensor([request["ids"]]), output_attentions=True)
                return {"check": out.logits[0, -1, :8].tolist(), "patterns": len(out.attentions)}
            logits, patterns = forward(self.spec, self.own, torch.tensor([request["ids"]]), request["mode"])
        return {"check": logits[0, -1, :8].tolist(), "patterns": len(patterns)}

    def train(self, request):
        losses = []
        shape = (self.spec["batch"], self.spec["length"])
        ids, targets = (torch.tensor(request[name]).view(shape) for name in ("ids", "targets"))
        for _ in range(request["steps"]):
            logits, _ = forward(self.spec, self.own, ids, request["mode"])
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            losses.append(loss.item())
        return {"check": losses}


side = Side()
for line in sys.stdin:
    request = json.loads(line)
    cpu, wall = time.process_time(), time.perf_counter()
    answer = getattr(side, request["do"])(request)
    answer["cpuMs"] = (time.process_time() - cpu) * 1000
    answer["wallMs"] = (time.perf_counter() - wall) * 1000
    print(json.dumps(answer), flush=True)
