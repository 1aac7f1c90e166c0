"""The report in a real browser: clicks, keys, units and themes show the saved numbers, and nothing asks the network.

Without a browser these tests are skipped by name; with EHB_REQUIRE_BROWSER=1, as the gate sets it, they fail then.
"""

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fake_points
from ehbilayer.results.base import Record, Variable
from ehbilayer.run import runner
from ehbilayer.status import Status
from ehbilayer.studies.file import make_study
from ehbilayer.sweep.load import load
from ehbilayer.view import write_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = os.environ.get("EHB_REQUIRE_BROWSER") == "1"
pytestmark = pytest.mark.skipif(BROWSER is None and not REQUIRED, reason="needs the browser chromium")
# no sandbox, as a container has none to give; nothing of its own on the network
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'><!--"


class Page:
    """A tab, and what it complained of or asked for."""

    def __init__(self, tab: Any) -> None:
        self.tab, self.faults = tab, []
        tab.on("console", lambda message: self.faults.append(message.text))
        tab.on("pageerror", lambda error: self.faults.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(("file:", "data:", "blob:"))
               or self.faults.append(request.url))

    def show(self, path: Path) -> Any:
        self.tab.emulate_media(color_scheme="light")
        self.tab.goto(path.as_uri())
        return self.tab

    def number(self, name: str) -> float:
        return float(self.tab.locator(f"#numbers td[data-name='{name}']").inner_text().replace("\u2212", "-"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    assert BROWSER is not None, "no chromium: apt-get install chromium"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=BROWSER, headless=True, args=FLAGS, offline=True)
        yield context
        context.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    found = Page(browser.new_page())
    yield found
    assert found.faults == []
    found.tab.close()


@pytest.fixture
def swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_points.install(monkeypatch)
    study = make_study({"kind": fake_points.KIND, "bilayer": {"hole_mass": 0.4, "dielectric": 5.0}, "density": {},
                        "sweep": {"density.rs_hole": [8, 4, 6], "bilayer.spacing": ["1 nm", "3 nm", "4 nm"]}})
    runner.run(study, tmp_path / "s")
    write_report(tmp_path / "s")
    return tmp_path / "s"


def test_points_by_click_key_and_slider_show_the_saved_numbers(page: Page, swept: Path) -> None:
    result, tab = load(swept), page.show(swept / "report.html")
    rows = [1, 2, 0]  # of the saved grid, whose r_s do not ascend

    def here(i: int, j: int, factor: float = 1.0) -> None:
        for name in ("energy", "gap.hole", "margin"):
            assert page.number(name) == pytest.approx(result.data[name].values[rows[i], j] * factor, rel=1e-9)

    tab.locator("input[value=atomic]").check()
    here(0, 0)
    tab.locator("#map").focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowUp")
    here(1, 1)
    sliders = tab.locator("#sliders input")
    assert [sliders.nth(k).get_attribute("aria-valuetext") for k in (0, 1)] != [None, None]
    sliders.nth(0).focus()
    tab.keyboard.press("ArrowRight")
    here(2, 1)
    box = tab.evaluate("""() => {
        const d = document.getElementById('map'), l = d._fullLayout, r = d.getBoundingClientRect();
        return [r.left + l._size.l + l._size.w / 6, r.top + l._size.t + l._size.h / 6 ] }""")
    tab.mouse.move(*box)
    tab.wait_for_timeout(150)
    tab.mouse.click(*box)  # r_s = 4, 4 nm: the first column, the uppermost row
    here(0, 2)
    scales = result.provenance.scales
    tab.locator("input[value=real]").check()
    here(0, 2, scales.hartree_meV)
    tab.locator("input[value=kelvin]").check()
    here(0, 2, scales.hartree_kelvin)
    study = tomllib.loads(tab.locator("#study").inner_text())
    assert study["density"]["rs_hole"] == 4 and study["bilayer"]["spacing"] == "4 nm"
    tab.locator("input[value=python]").check()
    assert "ehbilayer.run(study)" in tab.locator("#study").inner_text()


def test_theme_cautions_and_origin_are_in_sight(page: Page, swept: Path) -> None:
    tab = page.show(swept / "report.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(paper)
    tab.locator("#theme").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#theme").get_attribute("aria-pressed") == "true" and tab.evaluate(paper) != light
    for which in ("#table", "#study", "#origin", "#numbers"):
        assert tab.locator(which).is_visible()
    assert "numpy" in tab.locator("#origin").inner_text()
    for width in (1280, 420):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_cuts_of_a_loss_function(page: Page, tmp_path: Path) -> None:
    q, w = np.linspace(0.1, 1, 7), np.linspace(0, 1, 5)
    loss = np.random.default_rng(0).random((2, 7, 5)) + 0.1
    data = {"q": Variable(("q",), q, "1/a_h"), "frequency": Variable(("frequency",), w, "Ha_h"),
            "carrier": Variable(("carrier",), np.array(["electron", "hole"]), "1"),
            "loss": Variable(("carrier", "q", "frequency"), loss, "1")}
    Record("response", Status.converged, {"energy": -1.5}, {}, data).save(tmp_path / "result.nc")
    tab = page.show(write_report(tmp_path))
    curve = "n => Array.from(document.querySelectorAll('#panels .chart')[n].data[0].y)"
    assert tab.evaluate(curve, 1) == pytest.approx(loss[0, :, 2], rel=1e-6)
    tab.locator("#panels select").select_option("1")
    tab.locator("#panels input[type=range]").nth(0).focus()
    tab.keyboard.press("End")
    assert tab.evaluate(curve, 1) == pytest.approx(loss[1, :, 4], rel=1e-6)  # along q, at the last frequency
    assert tab.evaluate(curve, 2) == pytest.approx(loss[1, 3, :], rel=1e-6)


def test_hostile_texts_stay_texts(page: Page, tmp_path: Path) -> None:
    place = tmp_path / "<img src=x onerror=window.hacked=1>"
    place.mkdir()
    summary = {"reason": HOSTILE, "energies": {HOSTILE.replace("/", ""): -1.0, "liquid": -0.5}, "phase": HOSTILE,
               HOSTILE: 1.0, "energy": -1.0, "versions": {HOSTILE: HOSTILE}}
    names = np.array([HOSTILE, "b"])
    data = {"x": Variable(("x",), np.arange(3.0), "1", HOSTILE), "carrier": Variable(("carrier",), names, "1"),
            "y": Variable(("carrier", "x"), np.ones((2, 3)), "1", HOSTILE)}
    study = {"kind": "phases", "cell": {"shape": HOSTILE}}
    Record(HOSTILE, Status.invalid, summary, {"study": study, "hash": "0"}, data).save(place / "result.nc")
    tab = page.show(write_report(place, tmp_path / "r.html"))
    tab.locator("#every summary").click()
    assert tomllib.loads(tab.locator("#study").inner_text()) == study
    assert HOSTILE in tab.locator("#cautions").inner_text() and place.name == tab.locator("#title").inner_text()
    told = tab.evaluate("[window.hacked === undefined, document.scripts.length, document.images.length]")
    assert told == [True, 3, 0]


def test_ten_thousand_points_stay_fluid(page: Page, tmp_path: Path) -> None:
    from ehbilayer.sweep.result import SweepResult

    x, shape = np.linspace(1, 9, 100), (100, 100)
    keys = ("density.rs_hole", "bilayer.spacing")
    rng = np.random.default_rng(1)
    data = {key: Variable((key,), x, "a_h", "swept") for key in keys}
    data |= {"status": Variable(keys, np.full(shape, "converged"), "1"),
             "winner": Variable(keys, rng.choice(["liquid", "crystal"], shape), "1")}
    data |= {f"n{i}": Variable(keys, rng.random(shape), "Ha_h") for i in range(150)}
    data["margin"] = data["n3"]
    SweepResult(status=Status.converged, study_kind="phases", points=10000, done=10000, failed=0, mode="grid",
                axes={key: x.tolist() for key in keys}, data=data).save(tmp_path / "result.nc")
    path = write_report(tmp_path)
    assert path.stat().st_size < 30e6
    tab = page.show(path)
    assert page.number("margin") == pytest.approx(data["margin"].values[0, 0], rel=1e-6)
    tab.locator("#map").focus()
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
    assert page.number("margin") == pytest.approx(data["margin"].values[20, 0], rel=1e-6)
    tab.locator("#choices select").first.select_option("margin")
    assert tab.evaluate("document.getElementById('map').data[0].z[4][5]") == pytest.approx(data["margin"].values[5, 4])
