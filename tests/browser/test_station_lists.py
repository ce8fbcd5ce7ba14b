"""What the station page lists: open documents, what is too much, banners that leave room for it."""

import pytest

from gateway.health import LinkHealth
from tests.browser.kiosk import opened_browser, outside, page_of, press
from tests.gateway.screen.served import served

pytestmark = pytest.mark.browser

TEA = "6901234567892"


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


def titles(page):
    return page.locator("#documents-list b").all_inner_texts()


def test_what_is_complete_stands_last_and_a_task_lists_its_own_documents(browser, tmp_path):
    with (
        served(tmp_path) as (bench, server),
        page_of(browser, server.url, (1280, 1000)) as page,
    ):
        page.wait_for_selector("#documents-list button")
        assert titles(page)[-1] == "TO-1"
        bench.scan("DOC-RS-1", TEA, "CMD-DONE")
        page.wait_for_selector("[data-code=DOC-RS-1].complete")
        assert titles(page)[-1] == "RS-1"
        bench.scan("CMD-PICK")
        page.wait_for_selector("#documents-list li:nth-child(3):last-child")
        assert titles(page) == ["SO-1", "TO-1", "RS-1"]
        assert "✓ complete" in page.inner_text("[data-code=DOC-RS-1]")
        bench.scan("DOC-SO-1")
        page.wait_for_selector("#documents", state="hidden")
        assert page.problems == []


def test_the_pager_is_on_the_first_page_again_once_all_fit(browser, tmp_path):
    with served(tmp_path) as (_, server), page_of(browser, server.url, (800, 480)) as page:
        page.wait_for_selector("#later:visible")
        page.click("#later")
        page.wait_for_selector("#earlier:visible")
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.wait_for_selector("#earlier", state="hidden")
        assert titles(page)[0] == "CNT-1"
        assert page.is_hidden("#later")


def test_more_than_expected_is_amber_and_says_how_much(browser, tmp_path):
    with served(tmp_path) as (bench, server), page_of(browser, server.url) as page:
        bench.scan("DOC-PO-7", "CMD-QTY-30", TEA)
        page.wait_for_selector("#lines .over")
        assert page.inner_text("#lines .over em") == "6 too many"
        amber = "getComputedStyle(document.querySelector('#lines .over .bar i')).backgroundColor"
        assert page.evaluate(amber) == "rgb(255, 200, 0)"


def test_a_printed_gs1_text_is_typed_with_its_parentheses(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url, (800, 480)) as page,
    ):
        bench.queue_scan("CMD-RECEIVE")
        page.wait_for_selector("#buttons button:has-text('Quantity')")
        page.click("#buttons button:has-text('Quantity')")
        assert "next scan counts this many times" in page.inner_text("#keypad-title")
        page.keyboard.press("Escape")
        page.wait_for_selector("#keypad", state="hidden")
        page.click("#buttons button:has-text('Type a code')")
        for letter in "(01)09501101530003(10)L1":
            page.click(f"#typing-keys button:text-is('{letter}')")
        page.click("#typing-keys .go")
        page.wait_for_selector("#signal.success:has-text('Milk')")
        (fact,) = [fact for _, fact in bench.journal.recent(1)]
        assert (fact.item, fact.lot) == ("MILK-1", "L1")


# What a loudspeaker would get: of each tone its loudness and, by its crossings of zero, its pitch.
HEARD = """async (kind) => {
    const rate = 44100, seconds = TONES[kind].reduce((sum, tone) => sum + tone[1] + 0.03, 0);
    const context = new OfflineAudioContext(1, Math.ceil(rate * seconds), rate);
    sounds(context, kind);
    const samples = (await context.startRendering()).getChannelData(0);
    let at = 0;
    return TONES[kind].map(([pitch, length]) => {
        const tone = samples.slice(Math.round(at * rate), Math.round((at + length) * rate));
        at += length + 0.03;
        let crossings = 0;
        for (let i = 1; i < tone.length; i++) crossings += tone[i - 1] < 0 && tone[i] >= 0;
        return [tone.reduce((most, one) => Math.max(most, Math.abs(one)), 0), crossings / length];
    });
}"""


def test_the_four_answers_sound_and_none_like_another(browser, tmp_path):
    with served(tmp_path) as (_, server), page_of(browser, server.url) as page:
        page.wait_for_selector("#tiles button")
        heard = {
            kind: page.evaluate(HEARD, kind) for kind in ("success", "info", "warning", "error")
        }
        assert all(loudness > 0.1 for tones in heard.values() for loudness, _ in tones)
        pitches = {kind: [pitch for _, pitch in tones] for kind, tones in heard.items()}
        wanted = {"success": [1320], "info": [740], "warning": [660, 880, 660], "error": [220, 160]}
        for kind, tones in wanted.items():
            assert pitches[kind] == pytest.approx(tones, rel=0.05), kind
        assert max(pitches["error"]) < min(pitches["warning"]) < min(pitches["success"])


def test_three_banners_leave_room_for_the_step_and_the_persons_name(browser, tmp_path):
    with served(tmp_path) as (bench, server):
        bench.clock.disciplined = False
        bench.health.set_link(LinkHealth(connected=False, connection="unreachable"))
        bench.scan("OPR-ann", "DOC-PO-7", TEA)
        with page_of(browser, server.url, (1024, 600)) as page:
            page.wait_for_selector("#scans li")
            assert page.locator("#banners p:visible").count() == 3
            assert page.locator("#banners").bounding_box()["height"] <= 70
            assert outside(page, "#scans li", "#buttons button:has-text('Quantity')") == []
            full = "one => one.scrollWidth <= one.clientWidth"
            assert page.eval_on_selector("#operator", full)
            assert page.inner_text("#operator") == "Ann Li"


def test_a_newcomer_is_told_what_is_next_and_finds_the_way_back(browser, tmp_path):
    with (
        served(tmp_path, running=True) as (bench, server),
        page_of(browser, server.url, (1024, 600)) as page,
    ):
        page.wait_for_selector("[data-code=CMD-RECEIVE] small:text-is('Transfer in')")
        page.wait_for_selector("[data-code=CMD-SHIP] small:text-is('Transfer out')")
        for task, document in (("CMD-WEIGH", "DOC-PO-7"), ("CMD-RETURN", "DOC-RC-1")):
            press(page, task)
            page.wait_for_selector(f"#documents-list [data-code={document}]")
            press(page, "CMD-DONE")
            page.wait_for_selector("#tiles button")
        # What to do with picked goods is said where the person looks next: in the menu.
        for code in ("CMD-RECEIVE", "CMD-QTY-40", TEA, "CMD-DONE", "CMD-PICK", "DOC-TO-1"):
            bench.queue_scan(code)
        for code in ("LOC-DOCK-1", "CMD-QTY-12", TEA, "CMD-DONE"):
            bench.queue_scan(code)
        page.wait_for_selector("#tiles button")
        page.wait_for_selector("#signal:visible:has-text('TO-1')")
        page.click("#sheet")
        page.click("a.back")
        page.wait_for_selector("#tiles button")
        assert page.problems == []
