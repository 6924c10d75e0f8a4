"""The model store: where it looks, what it fetches, and what it refuses; no network needed."""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gonio.errors import (
    ConfigError,
    GonioWarning,
    ModelError,
    ModelOutputError,
    OfflineError,
    OutputError,
    UnknownNameError,
)
from gonio.runtime import Card, ModelStore, card_path, dump_card, store
from gonio.runtime.cards import make_card
from unit.runtime.tiny_onnx import write_identity

FILES = {"one": b"weights of one", "two": b"weights of two"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def values(name: str = "tiny", **changes: Any) -> dict[str, Any]:
    base = {
        "name": name,
        "task": "segmenter",
        "input": {"width": 8, "height": 4},
        "output": {"kind": "heatmap", "stride": 1},
    }
    return {**base, **changes}


@pytest.fixture(autouse=True)
def _no_named_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GONIO_MODELS", raising=False)


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Card]:
    """Two built-in entries, both in the wheel of a package that does not exist elsewhere."""
    cards = {
        name: make_card(
            values(
                name,
                sha256=sha256(content),
                source=[
                    {"package": "gonio-tiny", "version": "1.0", "member": f"tiny/up_{name}.tflite"}
                ],
            ),
            where=name,
        )
        for name, content in FILES.items()
    }
    monkeypatch.setattr(store, "built_in_cards", lambda: cards)
    return cards


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Pip configured to know nothing but the wheels in a folder, which is empty."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


def write_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    """Write a wheel for Linux and Python 3.11, whatever runs this test."""
    path = folder / "gonio_tiny-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    info = "gonio_tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(f"tiny/up_{name}.tflite", content)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: gonio-tiny\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_one_wheel_brings_every_built_in_model_and_is_then_not_needed(
    entries: dict[str, Card], offline: Path, tmp_path: Path
) -> None:
    wheel = write_wheel(offline, FILES)
    models = ModelStore(tmp_path / "store")
    assert models.find("one") is None
    assert not (tmp_path / "store").exists()
    assert models.pull("one").read_bytes() == FILES["one"]
    assert names_in(models.folder) == ["one.tflite", "two.tflite"]
    wheel.unlink()
    model = models.resolve("two")
    assert model.path == models.find("two") == models.folder / "two.tflite"
    assert model.sha256 == sha256(FILES["two"])
    assert model.card is entries["two"]


def test_two_may_pull_at_once(entries: dict[str, Card], offline: Path, tmp_path: Path) -> None:
    write_wheel(offline, FILES)
    models = ModelStore(tmp_path / "store")
    paths: list[Path] = []
    pulls = [threading.Thread(target=lambda n=n: paths.append(models.pull(n))) for n in FILES]
    for pull in pulls:
        pull.start()
    for pull in pulls:
        pull.join()
    assert sorted(p.read_bytes() for p in paths) == sorted(FILES.values())
    assert names_in(models.folder) == ["one.tflite", "two.tflite"]


def test_offline_says_which_model_where_it_looked_and_what_to_do(
    entries: dict[str, Card], offline: Path, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / "store")
    with pytest.raises(OfflineError) as caught:
        models.pull("one")
    message = str(caught.value)
    assert "model 'one' is not on this machine" in message
    assert f"Looked in '{models.folder}'" in message
    assert "package gonio-tiny==1.0: pip cannot fetch its wheel" in message
    assert "gonio models pull one" in message
    assert "put 'one.tflite' and 'two.tflite' into a folder and set GONIO_MODELS" in message
    assert "gonio models add" in message
    assert not models.folder.exists()


@pytest.mark.parametrize("file_name", ["one.tflite", "up_one.tflite"])
def test_the_named_folder_is_looked_in_first_by_either_name(
    entries: dict[str, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_name: str
) -> None:
    monkeypatch.setenv("GONIO_MODELS", str(tmp_path))
    (tmp_path / file_name).write_bytes(FILES["one"])
    models = ModelStore(tmp_path / "store")
    assert models.pull("one") == tmp_path / file_name
    assert not models.folder.exists()


def test_a_damaged_file_in_the_named_folder_is_an_error_and_stays(
    entries: dict[str, Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONIO_MODELS", str(tmp_path))
    (tmp_path / "one.tflite").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"one\.tflite': is damaged, or not the file its card"):
        ModelStore(tmp_path / "store").pull("one")
    assert (tmp_path / "one.tflite").read_bytes() == b"half"


def test_a_named_folder_that_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONIO_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match=r"GONIO_MODELS: '.*nowhere' is no folder"):
        ModelStore(tmp_path).pull("blazepose-full")


def test_a_damaged_cached_file_is_fetched_again_with_a_warning(
    entries: dict[str, Card], offline: Path, tmp_path: Path
) -> None:
    write_wheel(offline, FILES)
    models = ModelStore(tmp_path / "store")
    models.pull("one").write_bytes(b"half")
    with pytest.warns(GonioWarning, match=r"one\.tflite' is damaged: fetching it again"):
        path = models.pull("one")
    assert path.read_bytes() == FILES["one"]


def test_a_wheel_with_other_content_or_without_the_file_is_refused(
    entries: dict[str, Card], offline: Path, tmp_path: Path
) -> None:
    models = ModelStore(tmp_path / "store")
    write_wheel(offline, {"one": b"forged", "two": FILES["two"]})
    with pytest.raises(ModelError, match="is not the file its card 'one' describes"):
        models.pull("one")
    write_wheel(offline, {"two": FILES["two"]})
    with pytest.raises(ModelError, match=r"not the wheel expected.*up_one\.tflite"):
        models.pull("one")
    assert names_in(models.folder) == []


def test_an_unknown_name_offers_a_near_one(entries: dict[str, Card], tmp_path: Path) -> None:
    for look in (ModelStore(tmp_path).resolve, ModelStore(tmp_path).pull):
        with pytest.raises(UnknownNameError, match=r"unknown model 'onee' \(did you mean 'one'"):
            look("onee")


def test_a_store_that_cannot_be_written_is_an_error(
    entries: dict[str, Card], offline: Path, tmp_path: Path
) -> None:
    write_wheel(offline, FILES)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        ModelStore(tmp_path / "file" / "store").pull("one")


@pytest.fixture
def server() -> Any:
    """A web server on this machine that has one file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/one.tflite"
            self.send_response(200 if found else 404)
            self.send_header("content-length", str(len(FILES["one"]) if found else 0))
            self.end_headers()
            if found:
                self.wfile.write(FILES["one"])

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_sources_are_tried_in_order_and_progress_is_told(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    sources = [{"url": f"{server}/gone.tflite"}, {"url": f"{server}/one.tflite"}]
    entry = make_card(values("one", sha256=sha256(FILES["one"]), source=sources), where="one")
    monkeypatch.setattr(store, "built_in_cards", lambda: {"one": entry})
    told: list[tuple[int, int | None]] = []
    models = ModelStore(tmp_path)
    path = models.pull("one", progress=lambda _, done, total: told.append((done, total)))
    assert path.read_bytes() == FILES["one"]
    assert told[-1] == (len(FILES["one"]),) * 2
    gone = entry.model_copy(update={"source": entry.source[:1]})
    monkeypatch.setattr(store, "built_in_cards", lambda: {"one": gone})
    path.unlink()
    with pytest.raises(OfflineError, match=r"gone\.tflite: cannot be fetched \(404"):
        models.pull("one")


def test_a_file_beside_its_card_and_a_run_folder_are_models(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    path = write_identity(run / "model.onnx", [1, 3, 4, 8])
    card = make_card(values(), where="tiny")
    card_path(path).write_text(dump_card(card))
    for given in (run, str(run), path, str(path)):
        model = ModelStore(tmp_path / "store").resolve(given)
        assert (model.path, model.card) == (path, card)
        assert model.sha256 == sha256(path.read_bytes())
    card_path(path).write_text(dump_card(card.model_copy(update={"sha256": "0" * 64})))
    with pytest.raises(ModelError, match="is damaged, or not the file its card"):
        ModelStore(tmp_path / "store").resolve(run)


def test_a_path_that_is_no_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    resolve = ModelStore(tmp_path / "store").resolve
    with pytest.raises(ModelError, match=r"no model\.onnx\. Run: gonio export .* --to onnx"):
        resolve(tmp_path)
    with pytest.raises(ModelError, match=r"'nowhere\.onnx': no such file"):
        resolve("nowhere.onnx")
    (tmp_path / "m.pt").touch()
    with pytest.raises(ModelError, match=r"is no \.onnx or \.tflite file"):
        resolve(tmp_path / "m.pt")
    with pytest.raises(ModelError, match=r"no card beside it\. Write 'm\.card\.json'"):
        resolve(write_identity(tmp_path / "m.onnx", [1]))


@pytest.mark.parametrize("as_url", [False, True])
def test_an_added_model_is_found_by_its_name(tmp_path: Path, as_url: bool) -> None:
    path = write_identity(tmp_path / "given.onnx", ["n", 3, 4, 8])
    (tmp_path / "card.yaml").write_text(dump_card(make_card(values(licence="MIT"), where="x")))
    models = ModelStore(tmp_path / "store")
    added = models.add("mine", path.as_uri() if as_url else path, tmp_path / "card.yaml")
    assert added.card.name == "mine"
    assert added.card.sha256 == added.sha256 == sha256(path.read_bytes())
    assert [s.url for s in added.card.source] == ([path.as_uri()] if as_url else [])
    assert "mine" in models.names()
    assert models.resolve("mine") == added
    assert names_in(models.folder) == ["mine.card.json", "mine.onnx"]
    with pytest.raises(ModelError, match="the name is taken"):
        models.add("mine", path, added.card)
    assert models.add("mine", path, added.card, overwrite=True).path == added.path
    with pytest.raises(ModelError, match="the name is taken"):
        models.add("blazepose-full", path, added.card, overwrite=True)


def test_a_model_that_does_not_open_or_fit_is_not_kept(tmp_path: Path) -> None:
    models = ModelStore(tmp_path / "store")
    card = make_card(values(), where="tiny")
    other = write_identity(tmp_path / "other.onnx", [1, 3, 8, 8])
    (tmp_path / "text.onnx").write_text("hello")
    (tmp_path / "m.pt").touch()
    with pytest.raises(ModelOutputError, match=r"other\.onnx': input 'image' is float32 1×3×8×8"):
        models.add("mine", other, card)
    with pytest.raises(ModelError, match=r"text\.onnx': cannot be opened"):
        models.add("mine", tmp_path / "text.onnx", card)
    with pytest.raises(ModelError, match="no such file"):
        models.add("mine", tmp_path / "nowhere.onnx", card)
    with pytest.raises(ModelError, match=r"is no \.onnx or \.tflite file"):
        models.add("mine", tmp_path / "m.pt", card)
    with pytest.raises(ModelError, match="is not the file its card"):
        models.add("mine", other, card.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(ConfigError, match="name: String should match"):
        models.add("../mine", other, card)
    with pytest.raises(OfflineError, match=r"cannot be fetched \(.*no such file"):
        models.add("mine", (tmp_path / "nowhere.onnx").as_uri(), card)
    assert not models.folder.exists() or names_in(models.folder) == []


def test_a_model_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = write_identity(tmp_path / "m.onnx", [1, 3, 4, 8])
    card = make_card(values(), where="tiny")
    card_path(path).write_text(dump_card(card))
    models = ModelStore(tmp_path / "store")
    path.chmod(0)
    tmp_path.chmod(0o755)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        with pytest.raises(ModelError, match=r"m\.onnx': cannot be read \(Permission denied\)"):
            models.resolve(path)
    finally:
        if is_root:
            os.seteuid(0)
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(ModelError, match=r"folder\.onnx': cannot be read \(Is a directory\)"):
        models.add("mine", tmp_path / "folder.onnx", card)


def test_a_built_in_model_without_a_source_is_added_once_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_identity(tmp_path / "given.onnx", [1, 3, 4, 8])
    entry = make_card(values("alone", sha256=sha256(path.read_bytes()), source=[]), where="alone")
    monkeypatch.setattr(store, "built_in_cards", lambda: {"alone": entry})
    models = ModelStore(tmp_path / "store")
    with pytest.raises(OfflineError, match="run 'gonio models add alone FILE' once"):
        models.resolve("alone")
    other = write_identity(tmp_path / "other.onnx", [1, 3, 4, 8, 1])
    with pytest.raises(ModelError, match="is not the file its card 'alone' describes"):
        models.add("alone", other)
    added = models.add("alone", path)
    assert models.resolve("alone").path == added.path == models.folder / "alone.onnx"
    with pytest.raises(ConfigError, match="'mine': is not built in, so it needs a card"):
        models.add("mine", path)


@pytest.mark.models
def test_the_real_models_have_the_hashes_on_their_cards(models_dir: Path) -> None:
    models = ModelStore()
    for name in ("blazepose-detector", "blazepose-full"):
        assert sha256(models.pull(name).read_bytes()) == models.card(name).sha256
