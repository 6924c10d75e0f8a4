"""Models at work: cards and their store, sessions, estimators, frames → people.

No PyTorch here: models are ONNX or TFLite files with a card. Importing this package imports
nothing else; its parts come when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gonio.runtime.cards import (
        Card,
        CropSpec,
        InputSpec,
        ModelSource,
        OutputSpec,
        Training,
        card_path,
        dump_card,
        load_card,
    )
    from gonio.runtime.chunks import Chunk, ChunkFolder, is_worth_keeping
    from gonio.runtime.estimator import Estimator, FramePeople, Person, open_estimator
    from gonio.runtime.fit import check_outputs, needed_outputs, output_name
    from gonio.runtime.pipeline import CHUNK_FRAMES, chunk_count, estimate_frames, find_people
    from gonio.runtime.predictions import predict
    from gonio.runtime.sessions import Session, cpu_count, onnx_providers, open_session
    from gonio.runtime.store import Model, ModelStore, built_in_cards
    from gonio.runtime.trained import card_for_network, needs_export

_HOMES = {
    "cards": (
        *("Card", "CropSpec", "InputSpec", "ModelSource", "OutputSpec", "Training"),
        *("card_path", "dump_card", "load_card"),
    ),
    "chunks": ("Chunk", "ChunkFolder", "is_worth_keeping"),
    "estimator": ("Estimator", "FramePeople", "Person", "open_estimator"),
    "fit": ("check_outputs", "needed_outputs", "output_name"),
    "pipeline": ("CHUNK_FRAMES", "chunk_count", "estimate_frames", "find_people"),
    "predictions": ("predict",),
    "sessions": ("Session", "cpu_count", "onnx_providers", "open_session"),
    "store": ("Model", "ModelStore", "built_in_cards"),
    "trained": ("card_for_network", "needs_export"),
}
_EXPORTS = {name: f"gonio.runtime.{home}" for home, names in _HOMES.items() for name in names}
__all__ = [  # noqa: RUF022 - in the order of the data's way
    "Card",
    "CropSpec",
    "InputSpec",
    "ModelSource",
    "OutputSpec",
    "Training",
    "needs_export",
    "card_for_network",
    "card_path",
    "dump_card",
    "load_card",
    "Model",
    "ModelStore",
    "built_in_cards",
    "Session",
    "onnx_providers",
    "open_session",
    "check_outputs",
    "needed_outputs",
    "output_name",
    "Estimator",
    "FramePeople",
    "Person",
    "open_estimator",
    "estimate_frames",
    "predict",
    "CHUNK_FRAMES",
    "Chunk",
    "ChunkFolder",
    "chunk_count",
    "find_people",
    "is_worth_keeping",
    "cpu_count",
]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'gonio.runtime' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
