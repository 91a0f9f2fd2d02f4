#!/usr/bin/env python3
"""Pixel values of two small pictures by transformers' image processors on Pillow:  python record.py

Writes the pictures as PNG and JPEG files of several kinds, and into `reference.safetensors` what Pillow decodes and resizes and what the
processors of `reference.json` make of them. With Pillow before 13, which sometimes resizes columns before rows.
"""
import json
import os

import numpy as np
import PIL
import torch
import transformers
from PIL import Image
from safetensors.numpy import save_file
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

HERE = os.path.dirname(os.path.abspath(__file__))


def picture(width, height, seed):
    """Smooth colours, sharp edges and noise."""
    y, x = np.mgrid[0:height, 0:width]
    rng = np.random.default_rng(seed)
    smooth = np.stack([127 + 120 * np.sin(x / 5), 127 + 120 * np.cos(y / 4), 255 * x / width], -1)
    smooth[(x // 6 + y // 5) % 4 == 0] = [250, 10, 30]
    smooth += rng.normal(0, 20, smooth.shape)
    return Image.fromarray(np.clip(smooth, 0, 255).astype(np.uint8), "RGB")


def main():
    out, cases = {}, []
    wide, tall = picture(43, 29, 1), picture(17, 26, 2)
    wide.save(os.path.join(HERE, "wide.png"))
    tall.save(os.path.join(HERE, "tall.png"))
    files = {}
    alpha = tall.convert("RGBA")
    alpha.putalpha(Image.fromarray((np.arange(17 * 26).reshape(26, 17) % 256).astype(np.uint8)))
    for name, image, options in (("alpha.png", alpha, {}), ("grey.png", tall.convert("L"), {}),
                                 ("palette.png", tall.quantize(13), {}), ("plain.png", tall, {"optimize": True}),
                                 ("full.jpg", wide, {"quality": 92, "subsampling": 0}), ("half.jpg", wide, {"quality": 90}),
                                 ("grey.jpg", wide.convert("L"), {"quality": 92})):
        image.save(os.path.join(HERE, name), **options)
        with Image.open(os.path.join(HERE, name)) as read:
            out[f"decoded.{name}"] = np.array(read.convert("RGB"))
        files[name] = list(image.size)
    assert int(PIL.__version__.split(".")[0]) < 13
    for number, name in ((1, "lanczos"), (2, "bilinear"), (3, "bicubic")):
        for size in ((20, 31), (60, 29), (43, 7), (50, 20)):  # width, height
            out[f"resized.{name}.{size[0]}x{size[1]}"] = np.array(wide.resize(size, resample=Image.Resampling(number)))

    def record(name, processor, legacy=None):
        config = processor.to_dict()
        out[f"pixels.{name}"] = processor([wide, tall], return_tensors="np")["pixel_values"].astype(np.float32)
        cases.append({"name": name, "config": config, **({"legacy": legacy} if legacy else {})})

    record("vit", ViTImageProcessorPil(size={"height": 24, "width": 18}),
           {"feature_extractor_type": "ViTFeatureExtractor", "do_normalize": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5], "resample": 2, "size": {"height": 24, "width": 18}})
    record("clip", CLIPImageProcessorPil(size={"shortest_edge": 20}, crop_size={"height": 20, "width": 20}),
           {"feature_extractor_type": "CLIPFeatureExtractor", "size": 20, "crop_size": 20, "resample": 3, "do_center_crop": True,
            "do_normalize": True, "do_resize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711]})
    record("clip_larger_crop", CLIPImageProcessorPil(size={"shortest_edge": 20}, crop_size={"height": 23, "width": 25}))
    record("dinov2", BitImageProcessorPil(size={"shortest_edge": 24}, crop_size={"height": 21, "width": 19},
                                          image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]))
    record("siglip", SiglipImageProcessorPil(size={"height": 22, "width": 22}))
    record("lanczos", SiglipImageProcessorPil(size={"height": 19, "width": 33}, resample=1))
    record("llava", LlavaImageProcessorPil(size={"shortest_edge": 21}, crop_size={"height": 21, "width": 21}))

    save_file(out, os.path.join(HERE, "reference.safetensors"))
    with open(os.path.join(HERE, "reference.json"), "w") as f:
        json.dump({"transformers": transformers.__version__, "torch": torch.__version__, "pillow": PIL.__version__, "files": files,
                   "cases": cases}, f, indent=1, default=str)
        f.write("\n")


main()
