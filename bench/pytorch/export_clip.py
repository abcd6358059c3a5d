"""Writes the image tower of clip_model.py, as ONNX, in the layout that transformers.js reads.

    python bench/pytorch/export_clip.py FOLDER      # FOLDER/clip-vit-base-patch32/config.json, …/onnx/vision_model.onnx

Needs torch==2.13.0, and onnx==1.23.2 and onnxscript==0.7.2 for the export. Weights are random, nothing is downloaded.
"""
import argparse
import json
from pathlib import Path

import torch

from clip_model import size_of, vit_b_32

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
folder = parser.parse_args().folder / "clip-vit-base-patch32"
(folder / "onnx").mkdir(parents=True, exist_ok=True)

torch.manual_seed(1)
model = vit_b_32()
config = {"model_type": "clip_vision_model", "architectures": ["CLIPVisionModelWithProjection"]}
(folder / "config.json").write_text(json.dumps(config))
(folder / "parameters.json").write_text(json.dumps({"parameters": size_of(model)}))
torch.onnx.export(
    model,
    (torch.zeros(2, 3, 224, 224),),
    folder / "onnx" / "vision_model.onnx",
    input_names=["pixel_values"],
    output_names=["image_embeds"],
    dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=1024)},),
    external_data=False,
    dynamo=True,
)
