"""Fixtures for every test: where real data and pretrained models are, or why a test skips.

With ``GONIO_NO_SKIPS`` set (as ``.ci/run`` does where the real data are), a skip fails the run.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts a duration; in CI every run draws the same examples.
settings.register_profile("gonio", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("gonio")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real recordings and models beside the checkout."""
    if not (SHARED / "data").is_dir():
        pytest.skip("real data are absent: no folder 'shared' beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def walk_video(shared: Path) -> Path:
    """The recording of a walking woman whom a man crosses."""
    return shared / "data" / "videos" / "sagittal_walk_two_people.mp4"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder that holds the pretrained BlazePose, fetched once."""
    from gonio.errors import OfflineError
    from gonio.runtime import ModelStore

    store = ModelStore()
    try:
        paths = [store.pull(name) for name in ("blazepose-detector", "blazepose-full")]
    except OfflineError as error:
        pytest.skip(f"pretrained models are absent: {error}")
    return paths[0].parent


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is absent")
    return path


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a test skipped although everything it needs should be here."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("GONIO_NO_SKIPS") or reporter is None:
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"GONIO_NO_SKIPS: {len(skipped)} tests skipped, none may", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
