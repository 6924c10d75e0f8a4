"""Does a model's file do what its card says? Checked before a model is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gonio.errors import ModelOutputError, near_match
from gonio.runtime.sessions import shape_fits, show_shape

if TYPE_CHECKING:
    from gonio.runtime.cards import Card
    from gonio.runtime.sessions import Session, Shape

# Roles that each kind of output must have; the others are optional.
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "heatmap": ("heatmap",),
    "simcc": ("x", "y"),
    "coords": ("coords",),
    "blazepose": ("landmarks", "presence", "heatmap"),
    "boxes": ("boxes",),
}
_BLAZEPOSE_POINTS: Final = 39
_BLAZEPOSE_VALUES: Final = 5


def roles_of(card: Card) -> tuple[str, ...]:
    """Return the roles without which a model's outputs cannot be decoded."""
    refined = ("locref",) if card.output.locref_stdev_px is not None else ()
    return (*ROLES[card.output.kind], *refined)


def output_name(session: Session, card: Card, role: str) -> str:
    """Return the name of the output that plays a role.

    Raises
    ------
    ModelOutputError
        If the card names no output for the role, or the file has none of that name.
    """
    names = card.output.names
    if role in names:
        if names[role] in session.output_names:
            return names[role]
        hint = near_match(names[role], session.output_names)
        raise ModelOutputError(
            f"model '{session.path}': has no output '{names[role]}', which its card names for "
            f"'{role}'{hint}"
        )
    if len(session.output_names) == 1 and ROLES[card.output.kind] == (role,):
        return session.output_names[0]
    raise ModelOutputError(
        f"model '{session.path}': its card does not say which output is '{role}'. "
        f"Add output.names.{role} (the file has: {', '.join(session.output_names)})."
    )


def needed_outputs(card: Card) -> list[str] | None:
    """Return the names of the outputs without which the kind cannot be decoded.

    None where the card does not name them all.
    """
    names = [card.output.names.get(role) for role in roles_of(card)]
    return [name for name in names if name is not None] if all(names) else None


def check_outputs(session: Session, card: Card) -> None:
    """Check that a model's inputs and outputs fit its card.

    Sizes the file leaves open are taken from one run on an empty image.

    Parameters
    ----------
    session
        The opened model.
    card
        What it should be.

    Raises
    ------
    ModelOutputError
        At the first misfit, naming what was expected and what was found.
    """
    _check_input(session, card)
    roles = {role: output_name(session, card, role) for role in roles_of(card)}
    for role in card.output.names:
        output_name(session, card, role)
    shapes = session.output_shapes
    if any(None in shapes[name][1:] or not shapes[name] for name in roles.values()):
        empty = np.zeros(card.input.shape, dtype=np.float32)
        arrays = session.run({session.input_names[0]: empty})
        shapes = {name: array.shape for name, array in arrays.items()}
    for role, expected in _expected(card).items():
        found = shapes[roles[role]]
        if not any(shape_fits(found, shape) for shape in expected):
            wanted = " or ".join(dict.fromkeys(show_shape(shape) for shape in expected))
            raise ModelOutputError(
                f"model '{session.path}': output '{roles[role]}' ({role}) is "
                f"{show_shape(found)}; its card '{card.name}' says {wanted}"
            )


def _check_input(session: Session, card: Card) -> None:
    if len(session.input_names) != 1:
        raise ModelOutputError(
            f"model '{session.path}': takes {len(session.input_names)} inputs "
            f"({', '.join(session.input_names)}), expected one image"
        )
    name = session.input_names[0]
    shape, dtype = session.input_shapes[name], session.input_dtypes[name]
    if dtype != np.float32 or not shape_fits(card.input.shape, shape):
        raise ModelOutputError(
            f"model '{session.path}': input '{name}' is {dtype} {show_shape(shape)}; "
            f"its card '{card.name}' says float32 {show_shape(card.input.shape)}"
        )


def _expected(card: Card) -> dict[str, list[Shape]]:
    """Role → the shapes that would do; None for a size the card does not fix."""
    points = len(card.load_skeleton().keypoints) if card.skeleton else None
    wide, high = (_cells(n, card.output.stride) for n in (card.input.width, card.input.height))
    match card.output.kind:
        case "heatmap":
            shapes = {"heatmap": [_grid(card, points, high, wide)]}
            if card.output.locref_stdev_px is not None:
                offsets = None if points is None else 2 * points
                shapes["locref"] = [_grid(card, offsets, high, wide)]
            return shapes
        case "simcc":
            bins = card.output.stride
            across, down = (_cells(n, bins) for n in (card.input.width, card.input.height))
            return {"x": [(None, points, across)], "y": [(None, points, down)]}
        case "coords":
            flat = None if points is None else points * 2
            return {"coords": [(None, points, 2), (None, points, 3), (None, flat)]}
        case "blazepose":
            heatmap = (None, high, wide, _BLAZEPOSE_POINTS)
            return {
                "landmarks": [(None, _BLAZEPOSE_POINTS * _BLAZEPOSE_VALUES)],
                "presence": [(None, 1)],
                "heatmap": [heatmap],
            }
        case _:
            return {"boxes": [(None, None, values) for values in (4, 5, 12)]}


def _grid(card: Card, points: int | None, high: int | None, wide: int | None) -> Shape:
    if card.input.layout == "nhwc":
        return (None, high, wide, points)
    return (None, points, high, wide)


def _cells(size: int, stride: float | None) -> int | None:
    return None if stride is None else round(size / stride)
