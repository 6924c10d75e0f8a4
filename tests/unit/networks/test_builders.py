"""Every builder: what it gives, that all of it learns, how large it is, and that it exports."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from gonio.codec import decode_dark, decode_locref, decode_simcc, heatmap_to_input
from gonio.datasets.targets import TargetSettings, encode_targets
from gonio.errors import ConfigError, UnknownNameError
from gonio.networks import PoseNetwork, build_network, builder_options, complexity, network_names

SMALL_WH = (64, 96)
COCO = {"keypoints": 17, "input_wh": (192, 256)}

RESNET18, RESNET50 = 11_176_512, 23_508_032
"""Without classifier: torchvision's 11,689,512 and 25,557,032 less 513,000 and 2,049,000."""

PYRAMID = (128 + 256 + 512 + 3) * 256 + 256 * 256 * 16 + 2 * 256
"""Laterals, a deconvolution 4×4 with batch norm."""
ATTENTION = 48 * 256 + 4 * 256 + 257 * 4 * 256 + 257 * 1024 + 1025 * 256
"""Places, two layer norms, query, key, value and projection, two layers by way of 1,024."""


@dataclass(frozen=True)
class Case:
    """A network, and its parameters for 17 keypoints at 256×192."""

    builder: str
    parameters: int
    options: dict[str, Any] = field(default_factory=dict)
    published_millions: float | None = None


CASES = {
    # 34.0 M: Xiao et al. 2018 and HRNet's tables; exactly these: GluonCV's simple_pose_resnet.
    "simple_baseline": Case("simple_baseline", 15_376_721),
    "simple_baseline-resnet50": Case(
        "simple_baseline", 33_999_697, {"backbone": "resnet50"}, published_millions=34.0
    ),
    "resnet_fpn": Case("resnet_fpn", RESNET18 + PYRAMID + 257 * 17),
    "resnet_fpn-attention": Case(
        "resnet_fpn", RESNET18 + PYRAMID + ATTENTION + 257 * 17, {"attention": True}
    ),
    # 7×7, four blocks of two 3×3, 3×3, each with batch norm; 1×1.
    "dilated_cnn": Case("dilated_cnn", 64 * 147 + 128 + 9 * (64 * 64 * 9 + 128) + 65 * 17),
    "hrnet-w18_small": Case("hrnet", 1_284_961, {"variant": "w18_small"}),
    "hrnet-multi_scale": Case("hrnet", 1_540_097, {"variant": "w18_small", "multi_scale": True}),
    "hrnet-w18": Case("hrnet", 9_318_215, {"variant": "w18"}),
    # Sun et al. 2019, table 1.
    "hrnet": Case("hrnet", 28_536_113, published_millions=28.5),
    "hrnet-w48": Case("hrnet", 63_595_745, {"variant": "w48"}, published_millions=63.6),
    # Two deconvolutions 3×3 from 2048 channels to 17 and 34.
    "deeplabcut": Case("deeplabcut", RESNET50 + (2048 * 9 + 1) * 51),
    "deeplabcut-resnet18": Case(
        "deeplabcut", RESNET18 + (512 * 9 + 1) * 51, {"backbone": "resnet18"}
    ),
    # SimpleBaseline's deconvolutions and 1×1, then linear from 64·48 cells to 384 and 512 bins.
    "simcc": Case("simcc", 15_376_721 + 3073 * 896),
    "simcc-resnet50": Case("simcc", 33_999_697 + 3073 * 896, {"backbone": "resnet50"}),
    # 1×1, then linear from 8·6 cells.
    "simcc-small": Case("simcc", RESNET18 + 513 * 17 + 49 * 896, {"deconvolutions": 0}),
}
# The others are larger and show the same.
LARGE = ("hrnet", "hrnet-w18", "hrnet-w48", "deeplabcut")
QUICK = [name for name in CASES if name not in LARGE and not name.endswith("resnet50")]


def build(name: str, **changes: Any) -> PoseNetwork:
    case = CASES[name]
    arguments = {"keypoints": 4, "input_wh": SMALL_WH} | case.options | changes
    torch.manual_seed(0)
    return build_network(case.builder, **arguments)


def images(network: PoseNetwork, count: int = 2) -> torch.Tensor:
    width, height = network.input_wh
    return torch.randn(count, network.in_channels, height, width)


def test_every_builder_is_tested() -> None:
    assert {case.builder for case in CASES.values()} == set(network_names())


@pytest.mark.parametrize("name", QUICK)
def test_outputs_have_the_shapes_that_the_roles_declare(name: str) -> None:
    network = build(name, visibility=True)
    outputs = network(images(network))
    assert list(outputs) == list(network.roles)
    assert {role: tuple(o.shape) for role, o in outputs.items()} == {
        role: (2, *info.shape) for role, info in network.roles.items()
    }


@pytest.mark.parametrize("name", QUICK)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = build(name, visibility=True)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            # timm begins residual branches at 0, where what lies before them has no slope yet.
            nn.init.ones_(module.weight)
    outputs = network(images(network))
    torch.stack([o.float().square().sum() for o in outputs.values()]).sum().backward()
    without = [k for k, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def target_of(network: PoseNetwork) -> TargetSettings:
    if network.kind == "simcc":
        assert network.stride is not None
        return TargetSettings(kind="simcc", ratio=1 / network.stride, simcc_sigma=6)
    kind = "locref" if "locref" in network.roles else "gaussian"
    return TargetSettings(kind=kind, stride=network.stride, sigma=1.5)


@pytest.mark.parametrize("name", QUICK)
def test_targets_at_its_stride_have_its_shapes_and_decode_to_the_points(name: str) -> None:
    network = build(name)
    points = np.array([[30.2, 40.7], [33.0, 55.5], [25.1, 47.9], [40.0, 60.0]])
    seen = np.ones(4, dtype=bool)
    target = target_of(network)
    made = encode_targets(points, seen, np.full(4, 2, np.int8), SMALL_WH, target)
    for role, info in network.roles.items():
        assert made[role].shape == info.shape
    if network.kind == "simcc":
        found, _ = decode_simcc(made["x"], made["y"], ratio=target.ratio)
    elif target.kind == "locref":
        offsets = made["locref"].reshape(4, 2, *made["heatmap"].shape[1:])
        found, _ = decode_locref(made["heatmap"], offsets, SMALL_WH, stdev_px=target.stdev_px)
    else:
        cells, _ = decode_dark(made["heatmap"], sigma=0)
        found = heatmap_to_input(cells, target.stride)
    np.testing.assert_allclose(found, points, atol=0.01)


@pytest.mark.parametrize("name", CASES)
def test_parameters_are_as_many_as_published_or_counted_by_hand(name: str) -> None:
    with torch.device("meta"):
        network = build(name, **COCO)
    count = sum(p.numel() for p in network.parameters())
    assert count == CASES[name].parameters
    published = CASES[name].published_millions
    assert published is None or round(count / 1e6, 1) == published


@pytest.mark.parametrize("name", QUICK)
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    first, second = build(name).state_dict(), build(name).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(values, second[key]) for key, values in first.items())


@pytest.mark.parametrize("name", QUICK)
def test_parts_hold_every_parameter_once(name: str) -> None:
    network = build(name, visibility=True)
    assert list(network.parts) == ["backbone", "neck", "head", "visibility"]
    held = [p for part in network.parts.values() for p in part.parameters()]
    assert sum(p.numel() for p in held) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", ["resnet_fpn-attention", "hrnet-multi_scale", "simcc"])
def test_channels_last_gives_the_same_and_half_precision_nearly(name: str) -> None:
    network = build(name).eval()
    batch = images(network)
    with torch.no_grad():
        plain = network(batch)
        network.to(memory_format=torch.channels_last)
        last = network(batch.contiguous(memory_format=torch.channels_last))
        with torch.autocast("cpu", torch.bfloat16):
            half = network(batch)
    for role, values in plain.items():
        torch.testing.assert_close(last[role], values, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(half[role].float(), values, atol=0.05, rtol=0.1)


def test_activations_turn_raw_values_into_what_is_decoded() -> None:
    network = build("simcc", visibility=True)
    raw = network(images(network))
    decoded = network.activate(raw)
    torch.testing.assert_close(decoded["x"].sum(dim=-1), torch.ones(2, 4))
    torch.testing.assert_close(decoded["visibility"], torch.sigmoid(raw["visibility"]))
    plain = build("simple_baseline")
    outputs = plain(images(plain))
    assert plain.activate(outputs)["heatmap"] is outputs["heatmap"]
    assert build("hrnet-w18_small", activation="sigmoid").roles["heatmap"].activation == "sigmoid"


def test_deeplabcuts_maps_have_half_the_stride_of_its_backbone() -> None:
    strides = [build("deeplabcut-resnet18", output_stride=s).stride for s in (8, 16, 32)]
    assert strides == [4, 8, 16]


@pytest.mark.parametrize("name", [name for name in CASES if name != "hrnet-w48"])
def test_a_network_that_takes_any_size_says_so(name: str) -> None:
    network = build(name).eval()
    assert network.takes_any_size == ("attention" not in name and "simcc" not in name)
    if network.takes_any_size:
        outputs = network(torch.zeros(1, 3, 128, 64))
        assert all(
            v.shape[-2:] == (128 // network.stride, 64 // network.stride) for v in outputs.values()
        )


def test_any_backbone_of_timm_that_gives_features_will_do() -> None:
    for backbone in ("mobilenetv3_small_050", "convnext_atto"):
        network = build("simple_baseline", backbone=backbone, width=16)
        assert network.roles["heatmap"].shape == (4, 24, 16)
        assert network(images(network))["heatmap"].shape == (2, 4, 24, 16)


def test_pooling_and_attention_do_not_tie_a_network_to_one_size() -> None:
    for wh in ((64, 64), (96, 64)):
        network = build("resnet_fpn-attention", input_wh=wh)
        assert network(images(network))["heatmap"].shape == (2, 4, wh[1] // 4, wh[0] // 4)


@pytest.mark.parametrize(
    ("name", "changes", "match"),
    [
        ("simple_baseline", {"backbon": "resnet18"}, "unknown key 'backbon' .did you mean 'backb"),
        ("simple_baseline", {"backbone": "resnet19"}, "unknown backbone 'resnet19' .did you mean"),
        ("simple_baseline", {"backbone": "resnet18.a2"}, "unknown weights 'a2' .known: .*a1_in1k"),
        ("simple_baseline", {"input_wh": (70, 96)}, r"70 × 96 px.*multiples of 32. Use 64 × 96"),
        ("hrnet", {"input_wh": (68, 96)}, r"multiples of 32"),
        ("dilated_cnn", {"input_wh": (66, 96)}, r"multiples of 4"),
        ("dilated_cnn", {"pretrained": True}, "no pretrained weights"),
        ("hrnet", {"variant": "w33"}, "variant: unknown value 'w33' .did you mean 'w32'"),
        ("resnet_fpn-attention", {"heads": 7}, "heads: 7 do not divide the width of 256"),
        ("simcc", {"ratio": 0}, "ratio: Input should be greater than 0"),
        ("simcc", {"keypoints": 0}, "keypoints: must be at least 1, not 0"),
        ("simcc", {"input_wh": (0, 96)}, "input width: must be at least 1, not 0"),
        ("deeplabcut", {"backbone": "vgg11"}, "'vgg11' cannot be built with output_stride=16"),
        ("simple_baseline", {"backbone": "vit_tiny_patch16_224"}, "cannot take images of 64 × 96"),
        (
            "simple_baseline",
            {"backbone": "swin_tiny_patch4_window7_224", "input_wh": (224, 224)},
            "gives maps of shape",
        ),
    ],
)
def test_what_does_not_fit_is_said(name: str, changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        build(name, **changes)


def test_an_unknown_network_names_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown network 'hrnett' .did you mean 'hrnet'"):
        build_network("hrnett", keypoints=1, input_wh=(64, 64))
    with pytest.raises(UnknownNameError, match="unknown network 'sim_cc'"):
        builder_options("sim_cc")


def test_options_are_told_by_name() -> None:
    assert builder_options("hrnet").model_fields["variant"].default == "w32"


def test_operations_count_a_multiplication_and_its_addition_as_two() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 16, 5))
    found = complexity(layers, (3, 4, 4))
    assert found.parameters == 3 * 8 * 9 + 8 + 129 * 5
    assert found.flops == 2 * (16 * 8 * 27 + 128 * 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_the_exported_file_gives_the_same_for_any_batch(name: str, tmp_path: Path) -> None:
    network = build(name, visibility=True).eval()

    class Outputs(nn.Module):
        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(network.activate(network(image)).values())

    module = Outputs()
    module.network = network
    torch.onnx.export(
        module.eval(),
        (images(network),),
        tmp_path / "it.onnx",
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        input_names=["image"],
        output_names=list(network.roles),
        verbose=False,
    )
    session = onnxruntime.InferenceSession(tmp_path / "it.onnx")
    for count in (1, 3):
        batch = images(network, count)
        found = session.run(None, {"image": batch.numpy()})
        with torch.no_grad():
            expected = module(batch)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b.numpy(), atol=1e-5)
