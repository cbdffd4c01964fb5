"""The page in a real browser: it loads, filters, jumps, and fits a phone."""

import os
import shutil

import pytest
from page_reading import document

from longctx_edu.metrics import MISTAKES
from longctx_edu.recipes.report_page import write_report_page
from longctx_edu.recipes.scores import score_documents

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
GOLD = "B-PER I-PER O B-LOC O B-ORG O B-PER"
SAID = ["B-PER", "O", "B-LOC", "B-ORG", "O", "B-PER", "I-PER", "O"]
HOSTILE = "</script><script>window.hacked=1</script>"

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"no browser on the path: {', '.join(NAMES)}"
)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        # A browser that runs as root needs its sandbox off.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = play.chromium.launch(executable_path=BROWSER, args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A page with errors of every kind, and the scores that it was made of."""
    documents = [
        document("Ada Byron saw Rome and Acme near Bo", GOLD, name="first"),
        document(f"{HOSTILE} met שרה " + "word " * 300, "B-PER O B-PER " + "O " * 300),
        document("我 在 北 京 。", "O O B-LOC I-LOC O", name="北"),
        document("שרה גרה ברומא", "B-PER O B-LOC"),
    ]
    predicted = [SAID, ["O"] * 303, ["O", "O", "B-LOC", "O", "O"], ["B-PER", "O", "O"]]
    scores = score_documents(documents, predicted)
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report_page(path, documents, predicted, scores)
    return path, scores


@pytest.fixture
def page(browser, written):
    """The page, open; anything that the browser complains of fails the test."""
    opened, said = browser.new_page(), []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda r: said.append(r.url) if "file:" not in r.url else 0)
    opened.goto(written[0].as_uri())
    yield opened
    opened.close()
    assert [line for line in said if not line.startswith("data:")] == []


def visible(page):
    return page.locator("li:visible").count()


def test_the_counts_are_those_of_the_scores(page, written):
    wrong = {kind: n for kind, n in written[1]["mistakes"].items() if n}
    assert set(wrong) == set(MISTAKES)
    heads = page.locator("section[data-kind]")
    for kind, n in wrong.items():
        section = page.locator(f'section[data-kind="{kind}"]')
        assert section.locator(".count").inner_text() == str(n)
        assert section.locator("li").count() == n
        assert page.get_by_label(f"{kind} ({n})", exact=True).is_checked()
    assert heads.count() == len(MISTAKES)
    total = sum(wrong.values())
    assert page.get_by_role("status").inner_text() == (
        f"{total} of {total} listed errors shown"
    )
    assert visible(page) == total


def test_kinds_are_hidden_and_shown(page, written):
    total = sum(written[1]["mistakes"].values())
    page.locator('input[value="missed"]').uncheck()
    missed = written[1]["mistakes"]["missed"]
    assert visible(page) == total - missed
    assert not page.locator('section[data-kind="missed"]').is_visible()
    assert page.get_by_role("status").inner_text().startswith(f"{total - missed} of ")
    page.get_by_role("button", name="Show all").click()
    assert visible(page) == total
    assert page.locator('input[value="missed"]').is_checked()


def test_one_type_alone(page):
    page.get_by_label("of type").select_option("ORG")
    shown = page.locator("li:visible > p:first-child").all_inner_texts()
    assert len(shown) == 2
    assert all("ORG" in text for text in shown)


def test_the_keyboard_is_enough(page):
    box = page.locator('input[value="missed"]')
    box.focus()
    page.keyboard.press("Space")
    assert not box.is_checked()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "spurious"


def test_a_link_leads_to_the_words(page):
    item = page.locator('section[data-kind="wrong type"] li').first
    item.get_by_role("link").click()
    assert page.url.endswith("#d0w3")
    target = page.locator(":target")
    assert target.inner_text() == "Rome"
    box, height = target.bounding_box(), page.viewport_size["height"]
    assert 0 <= box["y"] < height


def test_words_run_nothing(page):
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.scripts.length") == 1
    assert HOSTILE[:59] in page.locator("#errors").inner_text()


def test_text_takes_its_own_direction(page):
    directions = page.eval_on_selector_all(
        "li .text", "all => all.map(one => getComputedStyle(one).direction)"
    )
    assert set(directions) == {"ltr", "rtl"}
    assert (
        page.locator("li .text", has_text="גרה").evaluate(
            "one => getComputedStyle(one).direction"
        )
        == "rtl"
    )


@pytest.mark.parametrize("width", [320, 1200])
def test_nothing_is_wider_than_the_screen(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_in_print_all_is_there_but_the_filters(page):
    page.emulate_media(media="print")
    assert not page.locator("#filters fieldset").is_visible()
    assert visible(page) > 0


def test_without_a_script_all_is_shown(browser, written):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written[0].as_uri())
    assert visible(page) == sum(written[1]["mistakes"].values())
    assert not page.locator("#filters").is_visible()
    context.close()
