"""timm's weights: from the cache, from the hub, or from scratch with a word about it."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import safetensors.torch
import timm
import torch

from gonio.errors import GonioWarning, OfflineError
from gonio.networks import PoseNetwork, build_network
from gonio.networks.hub import fetch_weights


def build(**options: Any) -> PoseNetwork:
    torch.manual_seed(3)
    return build_network("simple_baseline", keypoints=2, input_wh=(64, 64), **options)


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, no_cache: None) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no route to host")

    def never(*_: Any, **__: Any) -> None:
        pytest.fail("the hub's client tries again and again without network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", never)


class _Answer:
    def close(self) -> None: ...


@pytest.fixture
def network_up(monkeypatch: pytest.MonkeyPatch, no_cache: None) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: _Answer())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(9)
    path = tmp_path / "model.safetensors"
    safetensors.torch.save_file(timm.create_model("resnet18").state_dict(), path)
    return path


def test_without_network_it_starts_from_scratch_and_says_so(no_network: None) -> None:
    with pytest.warns(GonioWarning, match=r"'resnet18' starts from scratch.*no route to host"):
        network = build(pretrained=True)
    scratch = build(pretrained=False).state_dict()
    assert all(torch.equal(values, scratch[k]) for k, values in network.state_dict().items())


def test_offline_by_setting_asks_nobody(monkeypatch: pytest.MonkeyPatch, no_network: None) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(OfflineError, match=r"HF_HUB_OFFLINE is set.*pretrained=PATH"):
        fetch_weights("resnet18")


def test_a_cached_file_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, no_network: None, file: Path
) -> None:
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(file))
    network, weights = build(pretrained=True, in_channels=1), safetensors.torch.load_file(file)
    state = network.backbone.state_dict()
    grey = weights["conv1.weight"].sum(dim=1, keepdim=True)
    torch.testing.assert_close(state.pop("conv1.weight"), grey)
    assert all(torch.equal(values, weights[name]) for name, values in state.items())


def test_the_hubs_file_is_fetched_in_the_form_it_has(
    monkeypatch: pytest.MonkeyPatch, network_up: None, file: Path
) -> None:
    asked = []

    def download(repository: str, name: str, **_: Any) -> str:
        asked.append((repository, name))
        if name == "model.safetensors":
            raise huggingface_hub.errors.EntryNotFoundError("no such file")
        return str(file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert "layer4.1.bn2.weight" in fetch_weights("resnet18")
    repository = "timm/resnet18.a1_in1k"
    assert asked == [(repository, "model.safetensors"), (repository, "pytorch_model.bin")]


def test_a_download_that_breaks_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, network_up: None
) -> None:
    def download(*_: Any, **__: Any) -> str:
        raise TimeoutError("read timed out\nand more")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(OfflineError, match=r"cannot be fetched \(read timed out\)"):
        fetch_weights("resnet18")


def test_a_backbone_without_published_weights_says_so() -> None:
    with pytest.raises(OfflineError, match="timm offers no pretrained weights"):
        fetch_weights("convnext_atto_rms")
