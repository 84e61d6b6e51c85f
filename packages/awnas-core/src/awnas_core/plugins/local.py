"""Plugins that are single files, and the decorator that declares a component in one."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from awnas_core.errors import PluginError
from awnas_core.plugins.spec import ComponentSpec

Target = TypeVar("Target", bound=Callable[..., Any])
DECLARED = "__awnas_declared__"


def component(kind: str, name: str, **facts: Any) -> Callable[[Target], Target]:
    """Declare the decorated class as a component of its plugin file.

    ``facts`` are the other fields of :class:`ComponentSpec` (``rollouts``, ``summary``, …)::

        @component("controller", "my-search", rollouts=("discrete",))
        class MySearch(Controller): ...
    """

    def declare(target: Target) -> Target:
        module = sys.modules[target.__module__]
        spec = ComponentSpec(kind=kind, name=name, target=target, **facts)
        module.__dict__.setdefault(DECLARED, []).append(spec)
        return target

    return declare


def plugin_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of local plugin files; it need not exist."""
    if folder := environ.get("AWNAS_PLUGIN_DIR"):
        return Path(folder).expanduser()
    return Path(environ.get("AWNAS_HOME") or "~/awnas").expanduser() / "plugins"


def plugin_files(folder: Path) -> Iterator[Path]:
    """Yield the plugin files below ``folder``, sorted; tests and hidden folders are left out."""
    for path in sorted(folder.rglob("*.py")):
        hidden = any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
        if not hidden and not path.name.startswith("test_"):
            yield path


class _Uncached(SourceFileLoader):
    """Leaves no compiled copy beside the file: nothing is written among a user's own files."""

    def set_data(self, path: str, data: object, *, _mode: int = 0o666) -> None:
        pass


def import_file(path: Path) -> ModuleType:
    """Run a plugin file as a module of its own and return it.

    Raises: PluginError when there is no such file; whatever the file itself raises.
    """
    if not path.is_file():
        raise PluginError(f"no plugin file '{path}'")
    name = f"awnas_local_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    loader = _Uncached(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None, "there is a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and the decorator look their module up there
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
