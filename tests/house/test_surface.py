"""What the package shows to others: its names, their documentation, its types."""

import ast
import subprocess
import sys
from importlib import import_module

import abierto
from tests.house.sources import PACKAGE, Function, package_trees, python_files, tree


def test_the_public_names_are_those_declared() -> None:
    assert sorted(abierto.__all__) == dir(abierto)
    assert len(set(abierto.__all__)) == len(abierto.__all__)


def test_every_public_name_can_be_had() -> None:
    for name in abierto.__all__:
        assert getattr(abierto, name) is not None


def test_what_type_checkers_see_is_what_runs() -> None:
    """The names imported for type checkers come from the modules that the names are really loaded from."""
    seen = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree(PACKAGE / "__init__.py"))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("abierto.")
        for alias in node.names
    }
    assert set(seen) == {name for name in abierto.__all__ if not name.startswith("__")}
    for name, module in seen.items():
        assert getattr(import_module(module), name) is getattr(abierto, name)


def test_another_name_is_an_attribute_error() -> None:
    assert not hasattr(abierto, "no_such_name")


def test_every_file_says_what_it_is() -> None:
    assert not [place for place, module in package_trees() if module.body and not ast.get_docstring(module)]
    assert not [
        path.name for path in python_files("tests") if path.name != "__init__.py" and not ast.get_docstring(tree(path))
    ]


def test_every_public_function_and_class_says_what_it_is() -> None:
    silent = [
        f"{place}:{node.name}"
        for place, module in package_trees()
        for node in module.body
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not documented(node, module)
    ]
    assert not silent


def documented(node: Function | ast.ClassDef, module: ast.Module) -> bool:
    """Whether the function or class has a docstring; the forms of an overloaded function share that of its body."""
    same = [other for other in module.body if isinstance(other, Function | ast.ClassDef) and other.name == node.name]
    return any(ast.get_docstring(other) for other in same)


def test_every_folder_is_a_package() -> None:
    """Without this file a folder is left out of the layers, and of what type checkers read."""
    folders = {path.parent for path in python_files("abierto")}
    assert not [folder.name for folder in folders if not (folder / "__init__.py").is_file()]


def test_the_package_tells_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_importing_the_package_loads_none_of_its_rooms() -> None:
    code = "import sys, abierto; print(*sorted(m for m in sys.modules if m.startswith('abierto')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == ["abierto"]
