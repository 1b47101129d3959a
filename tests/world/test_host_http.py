"""The HTTP front and the life of the app's process."""

from pathlib import Path

import httpx
import pytest

from tests.sandbox.host import AppFailedToLoad, Host
from tests.sandbox.points import cut
from tests.world.host_scene import Scene


async def test_a_request_reaches_the_function_whole(scene: Scene) -> None:
    url = f"{scene.host.url}/api/echo/caf%C3%A9%20au%2Flait?a=1&b=two&b=three"
    answer = await scene.client.post(url, content=b"hello", headers={"X-Told": "yes"})

    assert answer.status_code == 200
    assert answer.headers["x-answer"] == "yes"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "word": "café au/lait",
        "query": {"a": "1", "b": "two,three"},
        "body": "hello",
        "header": "yes",
        "url": url,
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/api/echo/special", 200, "special"),
        ("GET", "/API/Echo/SPECIAL/", 200, "special"),
        ("GET", "/api/things/0d9c3f3e-53b0-4a5c-9a39-1c2a3b4c5d6e", 200, "0d9c3f3e-53b0-4a5c-9a39-1c2a3b4c5d6e"),
        ("GET", "/api/things/no-guid", 404, ""),
        ("GET", "/api/files/a/b/c", 200, "a/b/c"),
        ("GET", "/api/files/a%0Ab", 200, "a\nb"),
        ("GET", "/api/files", 200, "-"),
        ("DELETE", "/api/echo/word", 404, ""),
        ("GET", "/echo/word", 404, ""),
        ("GET", "/api/locked", 401, ""),
        ("GET", "/api/broken", 500, ""),
    ],
)
async def test_routes_are_found_as_the_host_finds_them(
    scene: Scene, method: str, path: str, status: int, text: str
) -> None:
    answer = await scene.client.request(method, scene.host.url + path)

    assert (answer.status_code, answer.text) == (status, text)


async def test_a_function_that_raises_is_recorded(scene: Scene) -> None:
    await scene.client.get(f"{scene.host.url}/api/broken")

    [(name, message)] = scene.host.failures
    assert name == "broken"
    assert "RuntimeError: broken on purpose" in message


async def test_the_caller_of_a_killed_app_loses_the_connection(scene: Scene) -> None:
    scene.points.arm("http.before", "echo_special", 0, scene.host.kill)

    with pytest.raises(httpx.RemoteProtocolError):
        await scene.client.get(f"{scene.host.url}/api/slow")

    assert (await scene.client.get(f"{scene.host.url}/api/echo/special")).status_code == 503

    await scene.host.restart()

    assert (await scene.client.get(f"{scene.host.url}/api/echo/special")).status_code == 200
    assert scene.host.violations == []


async def test_a_cut_at_the_front_drops_the_connection(scene: Scene) -> None:
    scene.points.arm("http.before", "echo_special", 0, cut)

    with pytest.raises(httpx.RemoteProtocolError):
        await scene.client.get(f"{scene.host.url}/api/echo/special")

    assert (await scene.client.get(f"{scene.host.url}/api/echo/special")).status_code == 200


async def test_a_restart_takes_the_environment_as_it_is_then(scene: Scene) -> None:
    assert (await scene.client.get(f"{scene.host.url}/api/setting/COLOUR")).text == "-"

    scene.host.environment["COLOUR"] = "blue"
    await scene.host.kill_and_restart()

    assert (await scene.client.get(f"{scene.host.url}/api/setting/COLOUR")).text == "blue"


async def test_an_app_that_dies_by_itself_is_started_again_and_reported(scene: Scene) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await scene.client.get(f"{scene.host.url}/api/die")

    assert (await scene.client.get(f"{scene.host.url}/api/echo/special")).status_code == 200
    assert scene.host.violations == ["the app's process died by itself; see its log"]


async def test_an_app_that_fails_to_load_says_why(scene: Scene, tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "function_app.py").write_text("raise KeyError('a missing setting')\n")
    host = _host_of(scene, app)

    with pytest.raises(AppFailedToLoad, match=r"function_app.py(.|\n)*a missing setting"):
        await host.start()


async def test_an_app_with_services_gets_the_clock_by_itself(scene: Scene, tmp_path: Path) -> None:
    services = tmp_path / "app" / "shared" / "services.py"
    services.parent.mkdir(parents=True)
    (services.parent / "__init__.py").touch()
    services.write_text("def install(*, clock):\n    raise LookupError(f'installed {clock.now():%Y-%m-%d}')\n")
    host = _host_of(scene, tmp_path / "app")

    with pytest.raises(AppFailedToLoad, match="installed 2026-11-23"):
        await host.start()


async def test_functions_are_listed_with_their_bindings(scene: Scene) -> None:
    found = {function.name: function.kind for function in scene.host.functions}

    assert found["echo"] == "httpTrigger"
    assert found["every_hour"] == "timerTrigger"
    assert found["work"] == "activityTrigger"
    assert found["patient"] == "orchestrationTrigger"


def _host_of(scene: Scene, app: Path) -> Host:
    return Host(
        app_directory=app,
        environment={},
        hub=scene.folder / "other.sqlite",
        log=scene.folder / "other.log",
        clock=scene.clock,
        points=scene.points,
        zygote=scene.zygote,
    )
