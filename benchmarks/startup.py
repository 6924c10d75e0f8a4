"""How long ``gonio --help`` and ``import gonio`` take, against DESIGN.md's limits.

``gonio --help`` in a fresh process: under 0.4 s. ``import gonio`` in a process that has loaded
NumPy: under 0.1 s. Each is the best of several, since other work only ever slows one down; the
file system is warm. Loading what an analysis needs is printed beside them.

Writes ``build/bench/startup.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

RESULT = Path("build/bench/startup.json")
ROUNDS = 10
HELP_S, IMPORT_S = 0.4, 0.1
IMPORT = "import time, numpy; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def main() -> int:
    helps = min(help_s() for _ in range(ROUNDS))
    imports = min(import_s("import gonio") for _ in range(ROUNDS))
    analysis = min(import_s("from gonio.workflows import analyze_batch") for _ in range(ROUNDS))
    figure = {
        "value": helps,
        "unit": "s for gonio --help",
        "peer": None,
        "ratio_to_peer": None,
        "limit": HELP_S,
        "ratio_to_limit": helps / HELP_S,
        "import_s": imports,
        "import_analysis_s": analysis,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    print(f"gonio --help {helps:.3f} s (limit {HELP_S}), import gonio {1000 * imports:.2f} ms")
    print(f"beyond NumPy (limit {1000 * IMPORT_S:.0f} ms), the analysis {analysis:.2f} s", end="")
    print(f" -> {RESULT}")
    return int(helps > HELP_S or imports > IMPORT_S)


def help_s() -> float:
    """Return the seconds of ``gonio --help`` in a process of its own."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "gonio", "--help"], check=True, capture_output=True)
    return time.perf_counter() - began


def import_s(statement: str) -> float:
    """Return the seconds of an import in a process that has loaded NumPy."""
    command = [sys.executable, "-c", IMPORT.format(statement)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
