"""Files of weights: prefixes, other parts, grey images, and what is said where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from gonio.errors import ModelError
from gonio.networks import PoseNetwork, build_network
from gonio.networks.weights import read_weights


def build(builder: str = "simple_baseline", **options: Any) -> PoseNetwork:
    torch.manual_seed(1)
    return build_network(builder, keypoints=2, input_wh=(64, 64), **options)


def saved(state: dict[str, Any], path: Path) -> Path:
    if path.suffix == ".safetensors":
        safetensors.torch.save_file({k: v.contiguous() for k, v in state.items()}, path)
    else:
        torch.save(state, path)
    return path


def same(module: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(v, state[k]) for k, v in module.state_dict().items())


@pytest.fixture(scope="module")
def resnet18() -> dict[str, Tensor]:
    """A whole classifier, names as timm and torchvision have them."""
    torch.manual_seed(7)
    state: dict[str, Tensor] = timm.create_model("resnet18").state_dict()
    return state


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("prefix", ["", "backbone.", "module.", "network.backbone."])
def test_a_file_fits_whatever_stands_before_its_names(
    prefix: str, suffix: str, resnet18: dict[str, Tensor], tmp_path: Path
) -> None:
    state = {f"{prefix}{name}": values for name, values in resnet18.items()}
    state["keypoint_head.weight"] = torch.zeros(3)
    network = build(pretrained=saved(state, tmp_path / f"it{suffix}"))
    assert same(network.backbone, resnet18)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_a_checkpoint_that_wraps_its_weights_is_unwrapped(
    key: str, resnet18: dict[str, Tensor], tmp_path: Path
) -> None:
    path = saved({key: resnet18, "epoch": 3}, tmp_path / "it.ckpt")
    assert same(build(pretrained=str(path)).backbone, resnet18)


def test_weights_for_color_are_summed_for_grey_and_split_the_other_way(
    resnet18: dict[str, Tensor], tmp_path: Path
) -> None:
    color = saved(resnet18, tmp_path / "color.safetensors")
    grey = build(pretrained=color, in_channels=1)
    weight: Tensor = grey.backbone.state_dict()["conv1.weight"]
    torch.testing.assert_close(weight, resnet18["conv1.weight"].sum(dim=1, keepdim=True))
    back = build(pretrained=saved(grey.state_dict(), tmp_path / "grey.safetensors"))
    image = torch.randn(1, 1, 64, 64)
    torch.testing.assert_close(
        back.eval().backbone(image.expand(1, 3, 64, 64))[0], grey.eval().backbone(image)[0]
    )


@pytest.mark.parametrize(
    ("builder", "options"),
    [
        ("simple_baseline", {"backbone": "convnext_atto"}),
        ("hrnet", {"variant": "w18_small"}),
        ("resnet_fpn", {}),
    ],
)
def test_a_runs_own_file_starts_the_next_one(
    builder: str, options: dict[str, Any], tmp_path: Path
) -> None:
    first = build(builder, **options)
    for parameter in first.parameters():
        nn.init.normal_(parameter)
    path = saved(first.state_dict(), tmp_path / "model.safetensors")
    assert same(build(builder, pretrained=path, **options).backbone, first.backbone.state_dict())


@pytest.mark.parametrize(
    ("builder", "options", "name"),
    [
        ("simple_baseline", {"backbone": "convnext_atto"}, "convnext_atto"),
        ("hrnet", {"variant": "w18_small"}, "hrnet_w18_small"),
        ("hrnet", {"variant": "w18_small", "multi_scale": True}, "hrnet_w18_small"),
    ],
)
def test_a_whole_classifiers_file_fits_backbones_that_timm_renames_or_we_trim(
    builder: str, options: dict[str, Any], name: str, tmp_path: Path
) -> None:
    state = timm.create_model(name).state_dict()
    network = build(builder, pretrained=saved(state, tmp_path / "it.safetensors"), **options)
    weights = network.backbone.state_dict()
    first = next(iter(weights))
    assert torch.equal(weights[first], state.get(first, state.get(first.replace("_", ".", 1))))


def test_a_file_of_another_backbone_names_what_is_missing_and_unexpected(
    resnet18: dict[str, Tensor], tmp_path: Path
) -> None:
    path = saved(resnet18, tmp_path / "it.safetensors")
    with pytest.raises(ModelError, match=r"missing layer1.0.conv3.weight.* more; unexpected none"):
        build(pretrained=path, backbone="resnet50")
    with pytest.raises(ModelError, match=r"missing layer1.2.conv1.weight.*more; unexpected none"):
        build(pretrained=path, backbone="resnet34")
    deeper = saved(timm.create_model("resnet34").state_dict(), tmp_path / "deeper.pth")
    with pytest.raises(ModelError, match=r"missing none; unexpected layer1.2.conv1.weight"):
        build(pretrained=deeper)


def test_a_shape_that_differs_is_named_with_both_shapes(
    resnet18: dict[str, Tensor], tmp_path: Path
) -> None:
    state = resnet18 | {"bn1.weight": torch.ones(32)}
    with pytest.raises(ModelError, match=r"'bn1.weight' has shape \(32,\).*wants \(64,\)"):
        build(pretrained=saved(state, tmp_path / "it.safetensors"))


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such file"):
        read_weights(tmp_path / "none.pth")
    for name in ("broken.safetensors", "broken.pth"):
        (tmp_path / name).write_bytes(b"\x80\x02 these are no weights")
        with pytest.raises(ModelError, match=r"broken\.(safetensors|pth)"):
            read_weights(tmp_path / name)
    (tmp_path / "empty.pth").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be read"):
        read_weights(tmp_path / "empty.pth")
    with pytest.raises(ModelError, match="holds no tensors"):
        read_weights(saved({"epoch": 3}, tmp_path / "none.pt"))
    torch.save([torch.ones(1)], tmp_path / "list.pt")
    with pytest.raises(ModelError, match="holds list, expected named tensors"):
        read_weights(tmp_path / "list.pt")


class _Harmful:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("harmed"),))


def test_a_pickle_that_would_run_code_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": _Harmful()}, "bad.pth")
    with pytest.raises(ModelError, match=r"could run code.*torch.save\(model.state_dict"):
        read_weights(Path("bad.pth"))
    assert not Path("harmed").exists()
