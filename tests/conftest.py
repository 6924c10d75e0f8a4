"""Fixtures for every test: where real data and pretrained models are, or why a test skips."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real recordings and models beside the checkout."""
    if not (SHARED / "data").is_dir():
        pytest.skip("real data are absent: no folder 'shared' beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder that holds the pretrained BlazePose, fetched once."""
    from gonio.errors import OfflineError
    from gonio.runtime import ModelStore

    store = ModelStore()
    try:
        paths = [store.pull(name) for name in ("blazepose-detector", "blazepose-full")]
    except OfflineError as error:
        pytest.skip(f"pretrained models are absent: {error}")
    return paths[0].parent
