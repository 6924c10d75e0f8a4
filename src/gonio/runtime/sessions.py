"""Sessions: ONNX Runtime and LiteRT behind one small protocol."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from gonio.errors import GonioWarning, ModelError, ModelOutputError, UnknownNameError
from gonio.runtime.tflite_graph import keep_outputs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Shape = tuple[int | None, ...]  # None: any size

logger = logging.getLogger(__name__)

PROVIDERS: Final[dict[str, tuple[str, ...]]] = {
    "auto": ("CUDAExecutionProvider", "DmlExecutionProvider"),
    "cpu": (),
    "cuda": ("CUDAExecutionProvider",),
    "coreml": ("CoreMLExecutionProvider",),
    "directml": ("DmlExecutionProvider",),
}
_CPU: Final = "CPUExecutionProvider"
_MAX_THREADS: Final = 4
_stderr_lock = Lock()


class Session(Protocol):
    """An opened model. Not to be shared between threads.

    Attributes
    ----------
    path
        The model's file.
    provider
        What computes: an execution provider of ONNX Runtime, or ``"LiteRT"`` (CPU, XNNPACK).
    input_shapes, output_shapes
        Name → shape; None stands for a size that may vary.
    input_dtypes
        Name → dtype.
    """

    path: Path
    provider: str
    input_shapes: dict[str, Shape]
    input_dtypes: dict[str, np.dtype[Any]]
    output_shapes: dict[str, Shape]

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, in the file's order."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the file's order."""
        ...

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the outputs that were asked for when the session was opened.

        Parameters
        ----------
        inputs
            Name → array, of exactly the shape and dtype the model declares.

        Returns
        -------
        dict
            Name → array; the arrays are the caller's own.

        Raises
        ------
        ModelOutputError
            If the inputs' names, shapes or dtypes are not the model's.
        ModelError
            If the computation fails.
        """
        ...


def open_session(
    path: Path,
    *,
    device: str = "auto",
    threads: int | None = None,
    outputs: Collection[str] | None = None,
) -> Session:
    """Open a model file.

    Parameters
    ----------
    path
        An ``.onnx`` file (ONNX Runtime) or a ``.tflite`` file (LiteRT, always on the CPU).
    device
        ``"auto"`` (a GPU where ONNX Runtime offers CUDA or DirectML, else the CPU), ``"cpu"``,
        ``"cuda"``, ``"coreml"`` or ``"directml"``. Where the device asked for cannot be had, or
        a GPU that is offered does not start, the CPU computes and a :class:`GonioWarning` says
        so. The choice is logged.
    threads
        Threads of one computation; by default as many as there are CPUs, at most 4. Results
        do not depend on it.
    outputs
        Names of those that are needed; what only leads to others is not computed where that can
        be helped. None: all. Names that the file does not have are ignored.

    Returns
    -------
    Session

    Raises
    ------
    UnknownNameError
        If there is no such device.
    ModelError
        If the file is missing, damaged, or of another kind.
    """
    if device not in PROVIDERS:
        raise UnknownNameError("device", device, PROVIDERS)
    if not path.is_file():
        raise ModelError(f"model '{path}': no such file")
    kinds: dict[str, type[_OnnxSession | _LiteRTSession]] = {
        ".onnx": _OnnxSession,
        ".tflite": _LiteRTSession,
    }
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise ModelError(f"model '{path}': is no {' or '.join(kinds)} file")
    session = kind(path, device, threads or min(cpu_count(), _MAX_THREADS), outputs)
    logger.info("model '%s' runs on %s", path.name, session.provider)
    offered = session.offered
    if session.provider not in PROVIDERS[device] and (offered or device not in {"auto", "cpu"}):
        reason = (
            f"{', '.join(offered)} could not be started; check its driver and libraries"
            if offered
            else "the installed runtime does not offer the device for this model"
        )
        warnings.warn(
            f"model '{path.name}': device '{device}' was asked for, but {session.provider} on the "
            f"CPU is used: {reason}",
            GonioWarning,
            stacklevel=2,
        )
    return session


class _Checked:
    """What both kinds of session share: names, and the check of inputs."""

    path: Path
    input_shapes: dict[str, Shape]
    input_dtypes: dict[str, np.dtype[Any]]
    output_shapes: dict[str, Shape]
    offered: tuple[str, ...]  # providers of the device asked for that the runtime has

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self.input_shapes)

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(self.output_shapes)

    def _check(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        if set(inputs) != set(self.input_shapes):
            raise ModelOutputError(
                f"model '{self.path}': takes inputs {', '.join(self.input_names)}; "
                f"given {', '.join(inputs) or 'none'}"
            )
        for name, array in inputs.items():
            shape, dtype = self.input_shapes[name], self.input_dtypes[name]
            if array.dtype != dtype or not shape_fits(array.shape, shape):
                raise ModelOutputError(
                    f"model '{self.path}': input '{name}' takes {dtype} {show_shape(shape)}; "
                    f"given {array.dtype} {show_shape(array.shape)}"
                )


def onnx_providers() -> list[str]:
    """Return the execution providers that this ONNX Runtime offers, best first."""
    return [str(name) for name in _onnxruntime().get_available_providers()]


def _onnxruntime() -> Any:
    # Patients' computers must not report to anyone: by default ONNX Runtime collects usage
    # data and writes a device id into the user's cache as soon as it is imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


class _OnnxSession(_Checked):
    def __init__(
        self, path: Path, device: str, threads: int, outputs: Collection[str] | None
    ) -> None:
        ort = _onnxruntime()
        self.path = path
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        offered = ort.get_available_providers()
        self.offered = tuple(p for p in PROVIDERS[device] if p in offered)
        try:
            session = ort.InferenceSession(str(path), options, providers=[*self.offered, _CPU])
        except Exception as error:  # its exceptions share no base of their own
            raise ModelError(f"model '{path}': cannot be opened ({_one_line(error)})") from error
        self._session = session
        self.provider = str(session.get_providers()[0])
        self.input_shapes = {i.name: _onnx_shape(i.shape) for i in session.get_inputs()}
        self.input_dtypes = {i.name: _onnx_dtype(i.type) for i in session.get_inputs()}
        self.output_shapes = {o.name: _onnx_shape(o.shape) for o in session.get_outputs()}
        wanted = [n for n in self.output_names if outputs is None or n in outputs]
        self._wanted = wanted or list(self.output_names)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self._check(inputs)
        try:
            arrays = self._session.run(self._wanted, dict(inputs))
        except Exception as error:  # see above
            raise ModelError(f"model '{self.path}': failed ({_one_line(error)})") from error
        return dict(zip(self._wanted, arrays, strict=True))


class _LiteRTSession(_Checked):
    provider = "LiteRT"
    offered = ()

    def __init__(
        self, path: Path, device: str, threads: int, outputs: Collection[str] | None
    ) -> None:
        del device  # always the CPU; open_session warns where another one was asked for
        from ai_edge_litert.interpreter import Interpreter

        self.path = path
        try:
            content, dropped = keep_outputs(path.read_bytes(), outputs or ())
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._allocate()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"model '{path}': cannot be opened ({_one_line(error)})") from error
        inputs = self._interpreter.get_input_details()
        kept = self._interpreter.get_output_details()
        self._inputs = {d["name"]: d["index"] for d in inputs}
        self._outputs = {d["name"]: d["index"] for d in kept}
        self._shapes = {d["name"]: tuple(int(n) for n in d["shape"]) for d in inputs}
        self.input_shapes = {d["name"]: _litert_shape(d) for d in inputs}
        self.input_dtypes = {d["name"]: np.dtype(d["dtype"]) for d in inputs}
        self.output_shapes = {d["name"]: _litert_shape(d) for d in kept}
        self.output_shapes |= {name: tuple(shape) for name, shape in dropped.items()}

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self._check(inputs)
        try:
            self._resize(inputs)
            for name, array in inputs.items():
                self._interpreter.set_tensor(self._inputs[name], array)
            self._interpreter.invoke()
            # get_tensor copies, so that the next call does not change what this one returned.
            return {n: self._interpreter.get_tensor(i) for n, i in self._outputs.items()}
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"model '{self.path}': failed ({_one_line(error)})") from error

    def _resize(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        shapes = {name: array.shape for name, array in inputs.items()}
        if shapes == self._shapes:
            return
        for name, shape in shapes.items():
            self._interpreter.resize_tensor_input(self._inputs[name], list(shape))
        self._allocate()
        self._shapes = shapes

    def _allocate(self) -> None:
        with _without_info_lines():
            self._interpreter.allocate_tensors()


def shape_fits(shape: tuple[int | None, ...], declared: Shape) -> bool:
    """Say whether a shape is one that a model declares; None fits every size."""
    return len(shape) == len(declared) and all(
        a is None or b is None or a == b for a, b in zip(shape, declared, strict=True)
    )


def show_shape(shape: Shape) -> str:
    """Return a shape as people read it: ``1×3×256×256``, ``?`` where a size may vary."""
    return "×".join("?" if n is None else str(n) for n in shape) or "scalar"


@contextmanager
def _without_info_lines() -> Iterator[None]:
    """Hold back what native code writes to stderr, and pass on all but its INFO lines.

    LiteRT announces its CPU delegate on stderr for every model, and has no setting against it.
    """
    # The lock comes first: another thread's held-back stderr must not be taken for the real one.
    with _stderr_lock, tempfile.TemporaryFile() as held:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all: nothing to keep quiet
            yield
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            rest = b"".join(line for line in held if not line.startswith(b"INFO: "))
            if rest:
                os.write(2, rest)


def cpu_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _onnx_shape(shape: list[int | str | None]) -> Shape:
    return tuple(n if isinstance(n, int) else None for n in shape)


def _onnx_dtype(kind: str) -> np.dtype[Any]:
    """Map ``tensor(float)`` to float32, and so on."""
    name = kind.removeprefix("tensor(").removesuffix(")")
    named = {"float": "float32", "double": "float64", "string": "object"}
    try:
        return np.dtype(named.get(name, name))
    except TypeError:  # bfloat16 and other kinds NumPy does not have
        return np.dtype(object)


def _litert_shape(details: dict[str, Any]) -> Shape:
    shape = details["shape_signature"] if len(details["shape_signature"]) else details["shape"]
    return tuple(None if n < 0 else int(n) for n in shape)


def _one_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
