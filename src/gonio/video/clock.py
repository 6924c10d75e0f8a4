"""Time stamps of a container made into strictly increasing seconds."""

from __future__ import annotations

JUMP_BACK_S = 1.0
"""A longer step back is a restart of the recorder's clock, not two frames out of order."""


class Clock:
    """Seconds after the first frame, strictly increasing.

    A missing stamp is one frame after the one before; a repeated stamp a hundredth of a frame
    after it, so that later frames keep their true times; after a restart of the recorder's
    clock time goes on by one frame.

    Parameters
    ----------
    frame_s
        Seconds from frame to frame, where stamps do not say.

    Attributes
    ----------
    repeated
        Stamps that did not increase.
    restarts
        Stamps that fell back by more than a second.
    missing
        Frames without a stamp.
    """

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._zero_s: float | None = None
        self._last_s = self._next_stamp_s = 0.0
        self.repeated = self.restarts = self.missing = 0

    def seconds(self, stamp_s: float | None) -> float:
        """Return the time of the next frame.

        Parameters
        ----------
        stamp_s
            The container's time stamp in seconds, from any origin; None where it has none.

        Returns
        -------
        float
            Seconds after the first frame.
        """
        if stamp_s is None:
            self.missing += 1
            stamp_s = self._next_stamp_s
        if self._zero_s is None:
            self._zero_s = stamp_s
            time_s = 0.0
        else:
            time_s = stamp_s - self._zero_s
            if time_s <= self._last_s - JUMP_BACK_S:
                self.restarts += 1
                time_s = self._last_s + self._frame_s
                self._zero_s = stamp_s - time_s
            elif time_s <= self._last_s:
                self.repeated += 1
                time_s = self._last_s + self._frame_s / 100
        self._last_s = time_s
        self._next_stamp_s = self._zero_s + time_s + self._frame_s
        return time_s
