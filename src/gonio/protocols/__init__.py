"""Protocols: which view, which model, what to measure, and how to judge it; one YAML each.

Built-in ones are called by name, a user's own by the path of its file. A protocol that says
``extends:`` holds only what differs.
"""

from __future__ import annotations

from gonio.protocols.loading import load_protocol, protocol_names
from gonio.protocols.spec import GaitSpec, ProtocolSpec, RepetitionsSpec, RuleSpec

__all__ = [
    "GaitSpec",
    "ProtocolSpec",
    "RepetitionsSpec",
    "RuleSpec",
    "load_protocol",
    "protocol_names",
]
