"""What a card says about markers."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class MarkerSpec(BaseModel):
    """How the markers near a network's points are fitted.

    Attributes
    ----------
    radius_px
        Least and greatest radius of a marker, pixels of the source.
    search
        How far from the network's point its marker may lie, pixels of the network's input: a few
        times its typical error.
    min_confidence
        Of a point of which the network is less sure no marker is looked for: it is not seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    radius_px: tuple[float, float] = (2.0, 30.0)
    search: float = Field(default=2.5, gt=0)
    min_confidence: float = Field(default=0.1, ge=0, le=1)

    @model_validator(mode="after")
    def _check_radii(self) -> Self:
        least, most = self.radius_px
        if not 1 <= least <= most <= 100:
            raise ValueError(
                f"radius_px: {least:g} to {most:g}; from 1 to 100 pixels, the least first"
            )
        return self
