"""A series put on the keypoints of people, and read back."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gonio.poses import make_poses
from gonio.skeletons import load_skeleton

SKELETON = load_skeleton("lower6")
NAN = np.nan


def track(values: object, *, rate_hz: float = 30.0, time_s: object = None) -> xr.Dataset:
    """Give every keypoint of two people the same series in x, and its negative in y."""
    series = np.asarray(values, np.float64)
    times = np.arange(len(series)) / rate_hz if time_s is None else np.asarray(time_s)
    position = np.zeros((len(series), 2, 6, 2))
    position[:, 0] = series[:, None, None]
    position[:, 1] = -series[:, None, None]
    poses = make_poses(
        position, np.ones((len(series), 6, 2)), time_s=times, skeleton=SKELETON, fps=rate_hz
    )
    # Single precision hides small faults.
    return poses.assign(position=poses["position"].copy(data=position))


def x_of(poses: xr.Dataset) -> NDArray[np.float64]:
    """Return the series in x, which all keypoints must share."""
    x = poses["position"].values[:, 0]
    np.testing.assert_allclose(x, x[:, :1, :1].repeat(6, 1).repeat(2, 2), rtol=1e-12)
    np.testing.assert_allclose(poses["position"].values[:, 1], -x, rtol=1e-9, atol=1e-9)
    result: NDArray[np.float64] = x[:, 0, 0]
    return result


def noisy(frames: int, *, seed: int = 0, rate_hz: float = 30.0) -> xr.Dataset:
    """Let each keypoint wander by itself, with gaps."""
    rng = np.random.default_rng(seed)
    poses = track(np.zeros(frames), rate_hz=rate_hz)
    poses["position"][:] = rng.normal(0, 3, poses["position"].shape).cumsum(axis=0)
    poses["confidence"][:] = rng.uniform(0.2, 1, poses["confidence"].shape)
    poses["position"][5:9, :, 2] = NAN
    poses["position"][20:40, :, :, 1] = NAN
    poses["position"][50, 1, 0, 0] = NAN
    return poses


def gain_db(
    filtered: tuple[NDArray[np.float64], NDArray[np.float64]],
    frequency: float,
    rate_hz: float,
) -> float:
    """Return a filter's gain from its answers to a cosine and a sine, without the ends."""
    wave = np.exp(2j * np.pi * frequency * np.arange(len(filtered[0])) / rate_hz)
    middle = slice(len(wave) // 3, -(len(wave) // 3))
    gain = ((filtered[0] + 1j * filtered[1]) / wave)[middle]
    return float(20 * np.log10(np.abs(gain).mean()))


def waves(frequency: float, rate_hz: float, frames: int = 3000) -> tuple[xr.Dataset, xr.Dataset]:
    """Return tracks that are a cosine and a sine."""
    phase = 2 * np.pi * frequency * np.arange(frames) / rate_hz
    return track(np.cos(phase), rate_hz=rate_hz), track(np.sin(phase), rate_hz=rate_hz)
