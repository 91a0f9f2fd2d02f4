#!/usr/bin/env python3
"""What transformers' WhisperFeatureExtractor makes of a short sound:  python record.py

Writes sound.wav (PCM, 16 bits, 16 kHz, stereo), and its features for two small extractors as features.safetensors,
and each extractor's preprocessor_config.json in a folder of its own.
"""
import json
import os
import struct
import wave

import numpy as np
import transformers
from safetensors.numpy import save_file
from transformers import WhisperFeatureExtractor

HERE = os.path.dirname(os.path.abspath(__file__))
RATE = 16000
rng = np.random.default_rng(5)
t = np.arange(int(0.7 * RATE)) / RATE
chirp = 0.4 * np.sin(2 * np.pi * (200 * t + 2500 * t**2))
tone = 0.2 * np.sin(2 * np.pi * 440 * t) * (t > 0.3)
noise = 0.05 * rng.standard_normal(t.shape) * np.linspace(0, 1, t.size)
stereo = np.stack([chirp + noise, tone + 0.5 * noise], 1)
stereo[int(0.5 * RATE):int(0.55 * RATE)] = 0
pcm = np.clip(np.round(stereo * 32767), -32768, 32767).astype("<i2")
with wave.open(os.path.join(HERE, "sound.wav"), "wb") as f:
    f.setnchannels(2)
    f.setsampwidth(2)
    f.setframerate(RATE)
    f.writeframes(pcm.tobytes())
mono = ((pcm[:, 0].astype(np.float64) + pcm[:, 1].astype(np.float64)) / 65536).astype(np.float32)

out = {}
for name, kw in {"mel16": dict(feature_size=16, chunk_length=1), "mel80": dict(feature_size=80, chunk_length=2, n_fft=512, hop_length=256)}.items():
    extractor = WhisperFeatureExtractor(**kw)
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    extractor.save_pretrained(folder)
    out[name] = extractor(mono, sampling_rate=RATE, return_tensors="np")["input_features"].astype(np.float32)
    print(name, out[name].shape, out[name].min(), out[name].max())
save_file(out, os.path.join(HERE, "features.safetensors"), metadata={"transformers": transformers.__version__})
