"""Builds the package that is deployed: our code and what it needs for Linux x86-64, compiled, without what is never reached.

`python -m tools.package` makes build/package/app, the same as build/package/tenantry.zip, and build/package/package.json: how
large it is, and how long it takes to load.
"""

import ast
import json
import py_compile
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.layout import ROOT, SITE

OUT = ROOT / "build" / "package"

MOST_MEGABYTES = 60
_OURS = ("function_app.py", "host.json")
_IGNORES = ".funcignore"
"""Without one, azd leaves every __pycache__ out (azd, service packaging ignore files)."""
_NOT_RUN = (".pyi", ".pyx", ".pxd", ".c", ".h", ".hpp", ".typed")
"""Of what a package brings and never loads: for type checkers and compilers."""

_BESIDE = ("bin", "tests")
"""What distributions put beside their packages, and nobody imports."""

_SDK = "msgraph"
_SENDS = frozenset({"get", "post", "patch", "put", "delete"})
"""What an SDK's builder sends and reads its models by. We build requests alone (graph/client.py sends them)."""

_PLATFORM, _PYTHON = "x86_64-manylinux_2_28", "3.13"
_EPOCH = (2020, 1, 1, 0, 0, 0)
_TIMES = 7


def attributes(files: Iterable[Path]) -> frozenset[str]:
    """Every name that our code follows from something: of the SDK, it can reach no others."""
    trees = [ast.parse(file.read_text()) for file in files]
    return frozenset(node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)) - _SENDS


def reached(site: Path, start: str, followed: frozenset[str]) -> set[Path]:
    """The files of a package that are loaded from that module on: also by functions, where their names are followed."""
    top = start.partition(".")[0]
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        path = _file_of(site, module)
        if path is None or path in found:
            continue
        found.add(path)
        if "." in module:
            waiting.append(module.rpartition(".")[0])
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        named = _imports(ast.parse(path.read_text()).body, package, followed)
        waiting += [one for one in named if one.partition(".")[0] == top]
    return found


def _file_of(site: Path, module: str) -> Path | None:
    path = site.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((one for one in files if one.exists()), None)


def _imports(body: Iterable[ast.stmt], package: str, followed: frozenset[str]) -> Iterator[str]:
    """The modules that statements may load. What is imported from one may be one itself."""
    for node in body:
        match node:
            case ast.Import():
                yield from (one.name for one in node.names)
            case ast.ImportFrom():
                base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
                whole = ".".join([*base, *([node.module] if node.module else [])])
                yield whole
                yield from (f"{whole}.{one.name}" for one in node.names)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if node.name in followed or node.name.startswith("__"):
                    yield from _imports(node.body, package, followed)
            case ast.If() if ast.unparse(node.test).endswith("TYPE_CHECKING"):
                yield from _imports(node.orelse, package, followed)
            case _:
                for one in ast.iter_child_nodes(node):
                    if isinstance(one, ast.stmt):
                        yield from _imports([one], package, followed)
                    elif isinstance(one, ast.ExceptHandler):
                        yield from _imports(one.body, package, followed)


def build(out: Path = OUT) -> Path:
    """Make the package anew. Gives the folder that holds the app."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" != _PYTHON:
        raise SystemExit(f"compiled files load in the version alone that made them, and this is not Python {_PYTHON}")
    shutil.rmtree(out, ignore_errors=True)
    app = out / "app"
    site = app / SITE
    site.mkdir(parents=True)
    _install(site)
    _copy_ours(app)
    _drop_unreached(site, app)
    _compile(app)
    _zip(app, out / "tenantry.zip")
    return app


def _install(site: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    how = (
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--python-platform",
        _PLATFORM,
        "--python-version",
        _PYTHON,
    )
    what = ("--target", str(site), "--requirement", str(ROOT / "requirements.txt"))
    subprocess.run([uv, "pip", "install", *how, *what], check=True)


def _copy_ours(app: Path) -> None:
    for name in _OURS:
        shutil.copy2(ROOT / name, app / name)
    (app / _IGNORES).write_text(f"{_IGNORES}\n", encoding="utf-8")
    shutil.copytree(ROOT / "shared", app / "shared", ignore=shutil.ignore_patterns("__pycache__"))


def _drop_unreached(site: Path, app: Path) -> None:
    for name in _BESIDE:
        shutil.rmtree(site / name, ignore_errors=True)
    for path in [one for one in site.rglob("*") if one.is_file()]:
        if path.suffix in _NOT_RUN or path.name in ("RECORD", ".lock"):
            path.unlink()
    kept = reached(site, f"{_SDK}.graph_service_client", attributes((app / "shared" / "graph").glob("*.py")))
    for path in (site / _SDK).rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    for folder in sorted((one for one in site.rglob("*") if one.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _compile(app: Path) -> None:
    """Unchecked: the files' times are not those that they have once they are mounted. Of what is not ours, without sources: a
    traceback still names its lines.
    """
    site, mode = app / SITE, py_compile.PycInvalidationMode.UNCHECKED_HASH
    ours = [app / "function_app.py", *(app / "shared").rglob("*.py")]
    theirs = list(site.rglob("*.py"))
    for files, alone in ((ours, False), (theirs, True)):
        for file in files:
            to = str(file.with_suffix(".pyc")) if alone else None
            shown = str(file.relative_to(app))
            py_compile.compile(str(file), cfile=to, dfile=shown, doraise=True, invalidation_mode=mode)
            if alone:
                file.unlink()


def _zip(app: Path, path: Path) -> None:
    """The same bytes for the same files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(one for one in app.rglob("*") if one.is_file() and one.name != _IGNORES):
            entry = zipfile.ZipInfo(file.relative_to(app).as_posix(), _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, file.read_bytes())


_LOAD = """
import sys, time
sys.path[:] = [{app!r}, {site!r}, *(one for one in sys.path if not one.endswith("site-packages"))]
began = time.perf_counter()
{what}
print(time.perf_counter() - began)
"""


def load_seconds(app: Path, what: str) -> float:
    """How long something takes to load from the package alone, in a fresh process: the median."""
    script = _LOAD.format(app=str(app), site=str(app / SITE), what=what)
    command = [sys.executable, "-I", "-S", "-c", script]
    times = [
        float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=app).stdout)
        for _ in range(_TIMES)
    ]
    return statistics.median(times)


def report(app: Path) -> dict[str, object]:
    """What there is to say of it."""
    files = [one for one in app.rglob("*") if one.is_file()]
    site = app / SITE
    sizes: dict[str, int] = {}
    for file in files:
        part = file.relative_to(site).parts[0] if file.is_relative_to(site) else "our own code"
        sizes[part] = sizes.get(part, 0) + file.stat().st_size
    largest = sorted(sizes.items(), key=lambda one: -one[1])[:8]
    return {
        "unpacked, MB": _megabytes(sum(one.stat().st_size for one in files)),
        "zip, MB": _megabytes((app.parent / "tenantry.zip").stat().st_size),
        "files": len(files),
        "largest, MB": {name: _megabytes(size) for name, size in largest},
        "of the Graph SDK, modules": len(list((site / _SDK).rglob("*.pyc"))),
        "import of function_app, seconds": round(load_seconds(app, "import function_app"), 3),
        "import of azure.functions and azure.durable_functions, seconds": round(
            load_seconds(app, "import azure.functions, azure.durable_functions"), 3
        ),
    }


def _megabytes(size: int) -> float:
    return round(size / 1_000_000, 1)


def main() -> int:
    """Build, tell, and refuse what is too large."""
    app = build()
    told = report(app)
    (OUT / "package.json").write_text(json.dumps(told, indent=2) + "\n")
    for name, value in told.items():
        sys.stdout.write(f"{name:<65}{value}\n")
    unpacked = told["unpacked, MB"]
    if not isinstance(unpacked, float) or unpacked > MOST_MEGABYTES:
        sys.stderr.write(f"it is larger than {MOST_MEGABYTES} MB unpacked\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
