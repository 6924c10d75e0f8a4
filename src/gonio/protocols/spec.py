"""What a protocol may say: names, types, and what this version cannot do yet."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gonio.analysis.angles import View, find_angle
from gonio.errors import UnknownNameError, near_match

_PERSON_RULES = ("largest", "longest", "confident", "all")


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class GaitSpec(_Spec):
    """How gait events are found; further keys are the method's settings."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    method: str


class RepetitionsSpec(_Spec):
    """How repetitions are counted: one signal crosses two thresholds.

    Attributes
    ----------
    signal
        The angle that counts.
    enter, leave
        Thresholds, degrees.
    min_s
        Shortest repetition, seconds.
    """

    signal: str
    enter: float
    leave: float
    min_s: float = Field(gt=0)


class RuleSpec(_Spec):
    """A judgement: what is measured, when it is exceeded, and what is said then.

    Attributes
    ----------
    measure, phase, op, threshold, hold_s
        The rule is met when the measure stands in the relation ``op`` to the threshold for
        ``hold_s`` seconds, in the phase of the movement (None = any).
    severity, message, source
        What is reported, and where the threshold comes from.
    """

    name: str
    measure: str
    phase: str | None = None
    op: Literal["<", "<=", ">", ">="]
    threshold: float
    hold_s: float = Field(0.0, ge=0)
    severity: Literal["info", "warning", "alert"]
    message: str
    source: str


class ProtocolSpec(_Spec):
    """A protocol, everything it extends resolved.

    Attributes
    ----------
    extends
        The protocol it was derived from; None once resolved.
    model
        A model's name in the store, or a path.
    view
        From where the camera sees the person; ``any`` is taken as sagittal.
    mirrored
        The picture shows left and right exchanged, as a mirror does: seen from behind, the
        person's left is at its right. Front and rear views only.
    person
        Who is measured: ``largest``, ``longest``, ``confident``, ``all``, or an index as text.
    processing
        Operations on the tracks, in order: ``{"op": name, argument: value}``.
    angles
        Angles to measure; ``knee`` stands for both sides. Empty = all that the view gives.
    gait, repetitions, rules
        Parsed, but refused by ``load_protocol``: this version computes none of them.
    """

    schema_: Literal["gonio.protocol/1"] = Field("gonio.protocol/1", alias="schema")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    extends: str | None = None
    title: str = ""
    model: str = Field(min_length=1)
    view: View
    mirrored: bool = False
    person: str = "largest"
    processing: tuple[dict[str, Any], ...] = Field((), strict=False)
    angles: tuple[str, ...] = Field((), strict=False)
    gait: GaitSpec | None = None
    repetitions: RepetitionsSpec | None = None
    rules: tuple[RuleSpec, ...] = Field((), strict=False)

    @model_validator(mode="after")
    def _mirrored_where_it_is_known_what_that_means(self) -> Self:
        if self.mirrored and self.view not in {"frontal", "rear"}:
            raise ValueError(
                f"mirrored: true goes with the views frontal and rear, not with {self.view}"
            )
        return self

    @field_validator("person", mode="before")
    @classmethod
    def _person_as_text(cls, value: Any) -> Any:
        text = str(value) if type(value) is int else value
        if isinstance(text, str) and text not in _PERSON_RULES and not text.isdecimal():
            near = near_match(text, [*_PERSON_RULES, "0"])
            raise ValueError(f"'{text}' is no choice of person{near}")
        return text

    @field_validator("processing")
    @classmethod
    def _steps_are_named(cls, steps: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for i, step in enumerate(steps):
            if not step.get("op"):
                raise ValueError(f"step {i} says no 'op', the name of its operation")
        return steps

    @field_validator("angles")
    @classmethod
    def _angles_exist(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                find_angle(name)
            except UnknownNameError as error:
                raise ValueError(str(error)) from error
        return names

    def unsupported(self) -> list[str]:
        """Return the keys that ask for something this version cannot compute."""
        return [key for key in ("gait", "repetitions", "rules") if getattr(self, key)]
