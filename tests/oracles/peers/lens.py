"""Records what TransformerLens' own code says of the tiny GPT-2, in float64: head detectors, composition scores, logit attribution and lens,
ablation, patching and its estimate.

    python tests/oracles/peers/lens.py    (torch, transformers, transformer-lens 3)
"""

import json
from importlib.metadata import version
from pathlib import Path

import torch
from transformer_lens import HookedTransformer, HookedTransformerConfig
from transformer_lens import head_detector, patching
from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights
from transformers import GPT2LMHeadModel

here = Path(__file__).parent
answers = [7, 9]
detected = [[5, 6, 7, 5, 6, 7, 9, 9], [11, 12, 11, 12, 13, 11, 12, 14]]
clean, corrupted = [5, 6, 7, 8, 9], [5, 6, 40, 8, 9]


def lens(source, folded):
    c = source.config
    cfg = HookedTransformerConfig(
        n_layers=c.n_layer, d_model=c.n_embd, n_ctx=c.n_positions, d_head=c.n_embd // c.n_head, n_heads=c.n_head,
        d_mlp=c.n_inner or 4 * c.n_embd, d_vocab=c.vocab_size, act_fn="gelu_new", eps=c.layer_norm_epsilon,
        normalization_type="LN", positional_embedding_type="standard", model_name="tiny", device="cpu",
        dtype=torch.float64,
    )
    model = HookedTransformer(cfg)
    state = convert_gpt2_weights(source, cfg)
    model.load_and_process_state_dict(
        state, fold_ln=folded, center_writing_weights=folded, center_unembed=folded, fold_value_biases=False
    )
    return model.double().eval()


def without(head):
    def zero(z, hook):
        z = z.clone()
        z[:, :, head] = 0
        return z

    return zero


def estimated(model, cache, other, difference):
    """(z_clean − z_corrupted) · ∂m/∂z_corrupted of every head, summed over positions."""
    names = [f"blocks.{l}.attn.hook_z" for l in range(model.cfg.n_layers)]
    found = {}

    def keep(z, hook):
        z.retain_grad()
        found[hook.name] = z

    difference(model.run_with_hooks(other, fwd_hooks=[(name, keep) for name in names])).backward()
    return torch.stack([((cache[name] - found[name]) * found[name].grad).sum((0, 1, 3)) for name in names]).detach()


def rows(x):
    return [[float(f"{v:.9g}") for v in row] for row in x.tolist()]


def main():
    source = GPT2LMHeadModel.from_pretrained(here.parent / "models" / "gpt2", dtype=torch.float64)
    raw, folded = lens(source, False), lens(source, True)
    difference = lambda logits: (logits[0, -1, answers[0]] - logits[0, -1, answers[1]])
    detectors = {
        "previous": head_detector.get_previous_token_head_detection_pattern,
        "duplicate": head_detector.get_duplicate_token_head_detection_pattern,
        "induction": head_detector.get_induction_head_detection_pattern,
    }
    roles = []
    for ids in detected:
        tokens = torch.tensor([ids])
        _, cache = raw.run_with_cache(tokens)
        found = {}
        for name, pattern in detectors.items():
            for suffix, exclude in (("", False), (" without first", True)):
                found[name + suffix] = rows(torch.tensor([[
                    head_detector.compute_head_attention_similarity_score(
                        cache["pattern", l][0, h].clone(), pattern(tokens).to(torch.float64), exclude_bos=exclude,
                        exclude_current_token=False, error_measure="mul",
                    ) for h in range(raw.cfg.n_heads)] for l in range(raw.cfg.n_layers)], dtype=torch.float64))
        roles.append(found)
    composition = {
        form: {kind: [rows(layer) for layer in model.all_composition_scores(kind).flatten(2).flatten(0, 1)[:, :].reshape(
            raw.cfg.n_layers * raw.cfg.n_heads, raw.cfg.n_layers, raw.cfg.n_heads)] for kind in "QKV"}
        for form, model in (("raw", raw), ("folded", folded))
    }
    tokens = torch.tensor([clean])
    _, cache = folded.run_with_cache(tokens)
    heads = cache.stack_head_results(layer=-1, pos_slice=-1)
    attribution = cache.logit_attrs(heads, pos_slice=-1, tokens=answers[0], incorrect_tokens=answers[1], has_batch_dim=True)
    _, kept = raw.run_with_cache(tokens)
    other = torch.tensor([corrupted])
    with torch.no_grad():
        base = difference(raw(other))
        patched = patching.get_act_patch_attn_head_out_all_pos(raw, other, kept, difference) - base
        stream = patching.get_act_patch_resid_pre(raw, other, kept, difference) - base
        without_heads = torch.tensor([[
            difference(raw.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{l}.attn.hook_z", without(h))])) - difference(raw(tokens))
            for h in range(raw.cfg.n_heads)] for l in range(raw.cfg.n_layers)])
        streams = [kept["resid_pre", l] for l in range(raw.cfg.n_layers)] + [kept["resid_post", raw.cfg.n_layers - 1]]
        lens_values = torch.stack([difference(raw.unembed(raw.ln_final(stream))) for stream in streams])
    spectra = {kind: [rows(layer) for layer in getattr(raw, kind).svd()[1]] for kind in ("OV", "QK")}
    record = {
        "source": {name: version(name) for name in ("transformer-lens", "torch", "transformers")},
        "answers": answers, "detected": detected, "clean": clean, "corrupted": corrupted,
        "roles": roles, "composition": composition,
        "attribution": rows(attribution.reshape(raw.cfg.n_layers, raw.cfg.n_heads)),
        "heads": rows(patched), "tokens": rows(stream), "spectra": spectra,
        "ablated": rows(without_heads), "estimated": rows(estimated(raw, kept, other, difference)),
        "lens": rows(lens_values[None])[0],
    }
    (here / "lens.json").write_text(json.dumps(record, separators=(",", ":")) + "\n")


main()
