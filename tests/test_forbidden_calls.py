"""No package runs code out of a file, a string or a shell."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[1] / "packages"
MODULES = sorted(PACKAGES.glob("*/src/**/*.py"))
FORBIDDEN = {
    "__import__",
    "compile",
    "dill.load",
    "dill.loads",
    "eval",
    "exec",
    "joblib.load",
    "marshal.load",
    "marshal.loads",
    "numpy.load(allow_pickle)",
    "os.popen",
    "os.system",
    "pickle.Unpickler",
    "pickle.load",
    "pickle.loads",
    "shelve.open",
    "subprocess(shell)",
    "torch.load",
    "yaml.full_load",
    "yaml.load",
    "yaml.load_all",
    "yaml.unsafe_load",
}


def forbidden_calls(source: str) -> list[str]:
    tree = ast.parse(source)
    aliases = names_of_imports(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [f"{call.lineno}: {name}" for call in calls if (name := verdict(call, aliases)) in FORBIDDEN]


def names_of_imports(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: {'np': 'numpy', 'loads': 'pickle.loads'}."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def verdict(call: ast.Call, aliases: dict[str, str]) -> str:
    """Return the full name of what is called, marked where an argument is what makes it dangerous."""
    first, dot, rest = ast.unparse(call.func).partition(".")
    name = aliases.get(first, first) + dot + rest
    options = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
    if name == "torch.load" and options.get("weights_only") is True:
        return "torch.load(weights_only)"
    if name == "numpy.load" and options.get("allow_pickle", False) is not False:
        return "numpy.load(allow_pickle)"
    if name.startswith("subprocess.") and options.get("shell", False) is not False:
        return "subprocess(shell)"
    return name


def test_there_are_modules_to_look_at():
    assert len(MODULES) > 50


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGES).as_posix())
def test_a_module_calls_nothing_forbidden(module):
    assert forbidden_calls(module.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "from pickle import loads\nloads(b'')",
        "import pickle as p\np.load(file)",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import subprocess\nsubprocess.run('ls', shell=True)",
    ],
)
def test_a_forbidden_call_is_seen(source):
    assert forbidden_calls(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "import re\nre.compile('a')",
        "model.eval()",
        "import torch\ntorch.load(path, weights_only=True)",
        "import yaml\nyaml.safe_load(text)",
        "import numpy as np\nnp.load(path)",
    ],
)
def test_a_harmless_call_passes(source):
    assert forbidden_calls(source) == []
