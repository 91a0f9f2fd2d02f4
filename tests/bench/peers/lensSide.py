"""The comparison's side in TransformerLens and plain Hugging Face: answers one JSON line per request with the time it took."""

import json
import sys
import time

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights
from transformers import GPT2Config, GPT2LMHeadModel


def hooked(model):
    c = model.config
    cfg = HookedTransformerConfig(
        n_layers=c.n_layer, d_model=c.n_embd, n_ctx=c.n_positions, d_head=c.n_embd // c.n_head, n_heads=c.n_head,
        d_mlp=4 * c.n_embd, d_vocab=c.vocab_size, act_fn="gelu_new", eps=c.layer_norm_epsilon, normalization_type="LN",
        positional_embedding_type="standard", model_name="bench", device="cpu",
    )
    lens = HookedTransformer(cfg)
    lens.load_state_dict(convert_gpt2_weights(model, cfg), strict=False)
    return lens.eval()


class Side:
    def make(self, request):
        torch.manual_seed(0)
        config = GPT2Config(attn_implementation="eager", **request["config"])
        GPT2LMHeadModel(config).save_pretrained(request["folder"])
        self.hf = GPT2LMHeadModel.from_pretrained(request["folder"], attn_implementation="eager").eval()
        self.lens = {"hooked": hooked(self.hf)}
        own = GPT2LMHeadModel.from_pretrained(request["folder"], attn_implementation="eager").eval()
        self.lens["bridge"] = TransformerBridge.boot_transformers(request["folder"], hf_model=own, tokenizer=None, device="cpu")
        return {"check": []}

    def names(self, kind, part):
        return [f"blocks.{l}.attn.hook_{part}" for l in range(self.hf.config.n_layer)]

    def difference(self, logits, request):
        a, b = request["answers"]
        return logits[0, -1, a] - logits[0, -1, b]

    def forward(self, request):
        ids = torch.tensor([request["ids"]])
        with torch.inference_mode():
            if request["kind"] == "hf":
                out = self.hf(ids, output_attentions=request["patterns"])
                logits, patterns = out.logits, out.attentions
            elif request["patterns"]:
                wanted = set(self.names(request["kind"], "pattern"))
                returns = {"return_type": None} if request.get("alone") else {}
                logits, cache = self.lens[request["kind"]].run_with_cache(
                    ids, names_filter=lambda name: name in wanted, **returns
                )
                patterns = [cache[name] for name in self.names(request["kind"], "pattern")]
            else:
                logits, patterns = self.lens[request["kind"]](ids), []
            if request["patterns"]:
                assert len(patterns) == self.hf.config.n_layer
        if request.get("alone"):
            return {"check": [patterns[-1][0, 3, -1, 0].item()]}
        return {"check": [self.difference(logits, request).item()]}

    def ablate(self, request):
        ids, lens = torch.tensor([request["ids"]]), self.lens[request["kind"]]
        effects = []
        with torch.inference_mode():
            clean = self.difference(lens(ids), request)
            for layer in range(self.hf.config.n_layer):
                for head in range(self.hf.config.n_head):

                    def out(z, hook):
                        z = z.clone()
                        z[:, :, head] = 0
                        return z

                    logits = lens.run_with_hooks(ids, fwd_hooks=[(f"blocks.{layer}.attn.hook_z", out)])
                    effects.append((self.difference(logits, request) - clean).item())
        return {"check": effects}

    def attribute(self, request):
        """Effect of every head's output, to first order: clean outputs, corrupted outputs and their derivative."""
        lens = self.lens[request["kind"]]
        wanted = set(self.names(request["kind"], "z"))
        clean, corrupted = {}, {}
        with torch.inference_mode():
            _, cache = lens.run_with_cache(torch.tensor([request["clean"]]), names_filter=lambda name: name in wanted)
            clean = {name: cache[name] for name in wanted}

        def keeping(name):
            # A Bridge calls its hooks by names of its own.
            def keep(z, hook):
                z.retain_grad()
                corrupted[name] = z

            return keep

        logits = lens.run_with_hooks(torch.tensor([request["ids"]]), fwd_hooks=[(name, keeping(name)) for name in wanted])
        self.difference(logits, request).backward()
        effects = []
        for layer in range(self.hf.config.n_layer):
            name = f"blocks.{layer}.attn.hook_z"
            z = corrupted[name]
            effects += ((clean[name].clone() - z.detach()) * z.grad).sum((0, 1, 3)).tolist()
        lens.zero_grad(set_to_none=True)
        return {"check": effects}


side = Side()
for line in sys.stdin:
    request = json.loads(line)
    start, used = time.perf_counter(), time.process_time()
    answer = getattr(side, request["do"])(request)
    took = {"wallMs": 1000 * (time.perf_counter() - start), "cpuMs": 1000 * (time.process_time() - used)}
    print(json.dumps({**answer, **took}), flush=True)
