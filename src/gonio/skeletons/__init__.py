"""Skeletons: keypoint names, edges, left/right pairs, derived points, OKS sigmas.

One TOML file a skeleton; users write their own and give its path. Left and right are always
the person's own.
"""

from __future__ import annotations

from gonio.skeletons.skeleton import (
    DEFAULT_SIGMA,
    Side,
    Skeleton,
    load_skeleton,
    side_of,
    skeleton_names,
)

__all__ = ["DEFAULT_SIGMA", "Side", "Skeleton", "load_skeleton", "side_of", "skeleton_names"]
