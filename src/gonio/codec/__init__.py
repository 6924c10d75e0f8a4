"""Image ↔ crop ↔ network input ↔ heatmap coordinates, both ways; targets and decoders (NumPy).

**The half-pixel convention**, here and nowhere else. A position is given in pixels *of its own
grid* (image, crop, network input, heatmap): the centre of the top-left pixel is (0, 0), x grows
to the right, y downward. A grid of width W therefore reaches from −0.5 to W − 0.5. Two grids
that show the same rectangle share its **edges**, not the centres of its corner pixels, so that
from a grid of width W to one of width W′

    x′ = (x + 0.5) · W′ / W − 0.5

- heatmap ↔ input at stride s: ``x_in = (x_hm + 0.5) · s − 0.5``
- normalized (0 = left edge, 1 = right edge) ↔ pixels: ``x_px = x01 · W − 0.5``
- a :class:`Region`'s size is measured from edge to edge, its centre in pixels as above
- SimCC bins at ratio r are a grid of width r · W over the same rectangle

A model that was trained in another convention says so on its card (:data:`Alignment`), and
:func:`grid_to_input`, :func:`decode_simcc` and :func:`decode_coords` follow it.

Matrices have shape ``(2, 3)`` (affine) or ``(3, 3)`` (homographies), float64, and map (x, y) to
(x, y); every function takes both. Maps have shape
``(..., H, W)``, points ``(..., 2)``, the leading dimensions alike (keypoints, or batch and
keypoints); NaN = not there.
"""

from __future__ import annotations

from gonio.codec.affine import (
    Border,
    Matrix,
    Region,
    compose,
    crop_matrix,
    homography,
    invert,
    letterbox_matrix,
    transform,
    warp,
)
from gonio.codec.boxes import box_around, region_of_box, transform_boxes
from gonio.codec.coords import decode_coords, encode_coords
from gonio.codec.discs import decode_disc, encode_disc
from gonio.codec.grids import (
    Alignment,
    grid_to_input,
    heatmap_to_input,
    input_to_grid,
    input_to_heatmap,
    input_to_normalized,
    normalized_to_input,
)
from gonio.codec.heatmaps import decode_argmax, decode_dark, decode_quarter, encode_gaussian
from gonio.codec.locref import decode_locref, encode_locref
from gonio.codec.simcc import decode_simcc, encode_simcc
from gonio.codec.window import refine_in_window

__all__ = [
    "Alignment",
    "Border",
    "Matrix",
    "Region",
    "box_around",
    "compose",
    "crop_matrix",
    "decode_argmax",
    "decode_coords",
    "decode_dark",
    "decode_disc",
    "decode_locref",
    "decode_quarter",
    "decode_simcc",
    "encode_coords",
    "encode_disc",
    "encode_gaussian",
    "encode_locref",
    "encode_simcc",
    "grid_to_input",
    "heatmap_to_input",
    "homography",
    "input_to_grid",
    "input_to_heatmap",
    "input_to_normalized",
    "invert",
    "letterbox_matrix",
    "normalized_to_input",
    "refine_in_window",
    "region_of_box",
    "transform",
    "transform_boxes",
    "warp",
]
