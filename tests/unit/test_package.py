"""The package as a whole: what it exports, what importing it does, and where torch may live."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gonio
from gonio.errors import GonioError, UnknownNameError

HEAVY = ("xarray", "pandas", "sklearn", "nicegui", "matplotlib", "plotly", "scipy", "cv2", "av",
         "torch")  # fmt: skip
ROOMS = (
    "errors", "configs", "skeletons", "poses", "labels", "codec", "formats", "imaging", "video",
    "synthetic", "datasets", "runtime", "tracking", "analysis", "metrics", "protocols", "store",
    "report", "workflows", "cli",
)  # fmt: skip


# Not `sys.modules["torch"] = None`: SciPy looks a module up there and takes None for it.
NO_TORCH = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "timm", "lightning", "litert_torch"}:
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocker())
"""


def grey_png() -> bytes:
    import cv2
    import numpy as np

    return bytes(cv2.imencode(".png", np.full((64, 48, 3), 128, np.uint8))[1])


def run(code: str, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::DeprecationWarning:gonio", "-c", code, *args]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_the_public_names_are_these() -> None:
    assert gonio.__all__ == ["__version__", "analyze", "demo", "load_poses", "load_skeleton"]
    assert all(getattr(gonio, name) is not None for name in gonio.__all__)
    assert dir(gonio) == sorted(gonio.__all__)
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        gonio.analyse  # noqa: B018


def test_importing_gonio_imports_no_room_and_makes_no_file(tmp_path: Path) -> None:
    code = "import sys, gonio; print([m for m in sys.modules if m.startswith('gonio.')])"
    done = run(code, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['gonio', '--help']\n"
        "from gonio.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', [m for m in {HEAVY} if m in sys.modules])"
    )
    done = run(code)
    assert done.stdout.strip().endswith("heavy: []"), done.stdout + done.stderr


def test_every_room_imports_without_torch() -> None:
    imports = "; ".join(f"import gonio.{room}" for room in ROOMS)
    done = run(f"{NO_TORCH}{imports}; print('fine')")
    assert done.stdout.strip() == "fine", done.stderr


@pytest.mark.models
def test_a_picture_is_analyzed_without_torch(tmp_path: Path, models_dir: Path) -> None:
    (tmp_path / "grey.png").write_bytes(grey_png())
    code = f"{NO_TORCH}import gonio; print(gonio.analyze('grey.png').evaluation.chosen)"
    done = run(code, cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


def test_an_unknown_name_offers_the_nearest() -> None:
    assert str(UnknownNameError("protocol", "genral", ["general", "squat"])) == (
        "unknown protocol 'genral' (did you mean 'general'?)"
    )
    assert "(known: general, squat)" in str(UnknownNameError("protocol", "x", ["squat", "general"]))


def test_the_command_prints_an_error_without_a_traceback_and_exits_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gonio", "protocols", "show", "genral"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr == "gonio: unknown protocol 'genral' (did you mean 'general'?)\n"
    assert issubclass(UnknownNameError, GonioError)
    assert list(tmp_path.iterdir()) == []
