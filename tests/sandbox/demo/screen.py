"""What the terminal shows while the onboarding runs: a living table of acts, or plain lines without a terminal."""

import time
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tests.sandbox.demo.view import READY, TenantView, as_text

_STYLES = {
    "Done": "green",
    "Running": "yellow",
    "Waiting": "yellow",
    "Failed": "bold red",
    "Blocked": "bold red",
    "Pending": "dim",
    READY: "bold green",
    "Onboarding": "yellow",
    "WaitingForConsent": "magenta",
    "WaitingForPerson": "magenta",
}
_MARKS = {"Done": "✓", "Running": "…", "Waiting": "◷", "Failed": "✗", "Pending": "·"}

type Now = Callable[[], datetime]


def duration(seconds: float | None) -> str:
    """Short for people: `0.4 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


class Screen(Protocol):
    """Where the demo is seen."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """Something that a person did or that came back."""
        ...

    def show(self, view: TenantView) -> None:
        """How the tenant stands now."""
        ...


def open_screen(console: Console, now: Now) -> Screen:
    """The living table if somebody looks, else lines."""
    return LiveScreen(console, now) if console.is_terminal else PlainScreen(console, now)


class PlainScreen:
    """One line for each change, with the seconds since the start."""

    def __init__(self, console: Console, now: Now) -> None:
        self._console = console
        self._now = now
        self._began = time.monotonic()
        self._seen: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def say(self, line: str) -> None:
        elapsed = time.monotonic() - self._began
        self._console.print(f"[{elapsed:6.1f} s] {line}", markup=False, highlight=False, soft_wrap=True)

    def show(self, view: TenantView) -> None:
        now = self._now()
        for act in view.acts:
            took = duration(act.seconds(now)) if act.ended else ""
            self._on_change(
                f"act {act.number:>2} {act.name}", act.state, took, as_text(act.problem) or act.detail or ""
            )
        self._on_change(view.display_name or view.tenant_id, view.state, "; ".join(view.what_to_do))

    def _on_change(self, subject: str, state: str, *details: str) -> None:
        if self._seen.get(subject) == state or (subject not in self._seen and state == "Pending"):
            return
        self._seen[subject] = state
        self.say(" · ".join(part for part in (f"{subject}: {state}", *details) if part))


class LiveScreen:
    """A table that is drawn anew some times a second; lines stay above it."""

    def __init__(self, console: Console, now: Now) -> None:
        self._console = console
        self._now = now
        self._began = time.monotonic()
        self._business_began = now()
        self._view: TenantView | None = None
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def say(self, line: str) -> None:
        self._console.print(f"[dim]>[/dim] {escape(line)}", highlight=False)

    def show(self, view: TenantView) -> None:
        self._view = view

    def _draw(self) -> Group:
        now = self._now()
        elapsed = duration(time.monotonic() - self._began)
        sandbox_time = duration((now - self._business_began).total_seconds())
        if self._view is None:
            return Group(Text(f"starting · {elapsed}", style="dim"))
        view = self._view
        title = Text.assemble(
            (view.display_name or view.tenant_id, "bold"),
            "  ",
            (view.state, _STYLES.get(view.state, "")),
            (f"  {elapsed} (sandbox time {sandbox_time})", "dim"),
        )
        table = Table(box=None, padding=(0, 1), show_header=False)
        for style, justify in (("dim", "right"), ("", "left"), ("", "left"), ("dim", "right"), ("dim", "left")):
            table.add_column(style=style, justify="right" if justify == "right" else "left", no_wrap=True)
        for act in view.acts:
            style = _STYLES.get(act.state, "")
            table.add_row(
                str(act.number),
                Text(f"{_MARKS.get(act.state, ' ')} {act.name}", style=style),
                Text(act.state, style=style),
                duration(act.seconds(now)),
                Text(as_text(act.problem) or act.detail or "", overflow="ellipsis"),
            )
        return Group(title, table)
