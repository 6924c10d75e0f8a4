"""Keeps other libraries' talk out of the terminal, and their settings as they were."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import cv2
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGERS: Final = ("lightning", "lightning.pytorch", "lightning.fabric", "pytorch_lightning")
# What Lightning tells people who write training programs, and those who train cannot mend.
_TALK: Final = (
    r".*does not have many workers.*",
    r".*module\(s\) in eval mode.*",
    r".*`lightning_logs`.*",
    r"Checkpoint directory .* exists and is not empty",
    r".*smaller than the logging interval.*",
    r".*is deprecated as an API.*",
    r".*LeafSpec.*",
    r"GPU available but not used.*",
    r".*Precision .* is not supported by the model summary.*",
    r".*You're resuming from a checkpoint that ended before the epoch ended.*",
    r".*find_unused_parameters=True was specified in DDP constructor.*",
    r".*barrier\(\): using the device under current context.*",
)


@contextmanager
def torch_as_it_was() -> Iterator[None]:
    """Give the process back its own ways: deterministic operations, OpenCV's threads."""
    strict, threads = torch.are_deterministic_algorithms_enabled(), cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        torch.use_deterministic_algorithms(strict)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning's own logs and the warnings that are not for those who train."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for talk in _TALK:
            warnings.filterwarnings("ignore", message=talk)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
