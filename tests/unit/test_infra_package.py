"""What the Functions Core Tools would publish from here is the app, and nothing else; azd deploys what make package built."""

import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_APP = {"function_app.py", "host.json", "requirements.txt"}
_LEFT_BY_TOOLS = (
    ".azure/dev/.env",
    ".hypothesis/x",
    ".mypy_cache/x",
    ".pytest_cache/x",
    ".ruff_cache/x",
    ".venv/bin/python",
    "build/demo/summary.json",
    "local.settings.json",
    "node_modules/azurite/package.json",
    "shared/__pycache__/x.pyc",
)


def _git(*arguments: str, given: str = "") -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=_ROOT, input=given, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return [line for line in done.stdout.split("\0") if line]


def deployed(ignoring: Path, names: list[str]) -> set[str]:
    """What of these names is packed. `.funcignore` has the rules of .gitignore, so git applies them."""
    out = _git(
        *("-c", f"core.excludesFile={ignoring}"),
        *("check-ignore", "--no-index", "--stdin", "-z"),
        given="\0".join(names),
    )
    return set(names) - set(out)


def _files() -> list[str]:
    return _git("ls-files", "--cached", "--others", "--exclude-standard", "-z")


def _of_the_app(name: str) -> bool:
    return name in _APP or name.startswith("shared/")


def test_the_app_is_deployed_and_nothing_else() -> None:
    files = _files()

    assert deployed(_ROOT / ".funcignore", files) == {name for name in files if _of_the_app(name)}
    assert len(files) > 300


def test_what_tools_leave_behind_is_not_deployed(tmp_path: Path) -> None:
    """By the file alone: what git ignores too proves nothing."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, capture_output=True)
    rules = (_ROOT / ".funcignore").read_text(encoding="utf-8")
    (tmp_path / ".git" / "info" / "exclude").write_text(rules, encoding="utf-8")
    told = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=tmp_path,
        input="\n".join(_LEFT_BY_TOOLS),
        capture_output=True,
        text=True,
        check=True,
    )

    assert tuple(told.stdout.split()) == _LEFT_BY_TOOLS


def test_a_file_that_lets_too_much_or_too_little_through_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "funcignore"
    files = _files()
    rules = (_ROOT / ".funcignore").read_text(encoding="utf-8")

    wrong.write_text(rules.replace("tests/\n", ""), encoding="utf-8")
    assert "tests/conftest.py" in deployed(wrong, files)
    wrong.write_text(f"{rules}\nshared/approvals/templates/\n", encoding="utf-8")
    assert "shared/approvals/templates/base.html" not in deployed(wrong, files)
