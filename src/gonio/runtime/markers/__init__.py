"""The center of a marker, a sticker or a pen dot, at the source's resolution; or none.

A network looks at a small picture: a pixel of its input may be eight of the source's. Here the
source is looked at again, near each point: is there a round blob, lighter, darker or of another
color than what lies around it? Where there is, its center is fitted; where there is none, the
point counts as not seen. Three steps: blobs at all sizes (:mod:`.blobs`), looked at along rays
(:mod:`.rays`), and a soft-edged ellipse fitted to the best (:mod:`.ellipses`).
"""

from __future__ import annotations

from gonio.runtime.markers.estimator import MarkerEstimator, refine_person
from gonio.runtime.markers.fitting import MarkerFit, fit_markers
from gonio.runtime.markers.spec import MarkerSpec

__all__ = ["MarkerEstimator", "MarkerFit", "MarkerSpec", "fit_markers", "refine_person"]
