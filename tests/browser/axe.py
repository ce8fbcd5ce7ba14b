"""What an open page offends of WCAG 2.0 to 2.2, levels A and AA: axe-core, no network.

axe-core (MPL-2.0, (c) Deque Systems) comes inside the development dependency
axe-playwright-python; only its script is used, and nothing of it is shipped.

    assert violations(page) == []
"""

from functools import cache
from importlib.resources import files

from tests.browser.layout import mark_new_looks

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
NODES_MAX = 5  # Of one rule: the rest is alike.
RUN = """async ([tags, only, except, within]) => (await axe.run(within || document, {
    runOnly: only.length ? {type: "rule", values: only} : {type: "tag", values: tags},
    rules: Object.fromEntries(except.map((rule) => [rule, {enabled: false}])),
    resultTypes: ["violations"], elementRef: false
})).violations.map((rule) => ({
    rule: rule.id,
    help: rule.help,
    nodes: rule.nodes.map((node) =>
        [node.target.flat().join(" "), node.html.slice(0, 160), node.failureSummary].join(" | "))
}))"""


def violations(page, *, only=(), without=(), within=None):
    """Return one text for each element that offends, [] for a page without fault.

    page: a Playwright page that has been drawn. Run it in the state that is to be judged: what is
    hidden, folded or not yet opened is not looked at. only: rules by name, else all of TAGS.
    without: rules left out of all. within: selectors of what is judged, else the whole page.
    """
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(script())
    wanted = [list(TAGS), list(only), list(without), within and [[one] for one in within]]
    return [
        f"{found['rule']} ({found['help']}): {node}"
        for found in page.evaluate(RUN, wanted)
        for node in found["nodes"][:NODES_MAX]
    ]


def violations_by_looks(page, looks):
    """Return the same, but judge contrast at one text of each look that is not in looks.

    looks: a set, which grows. axe-core takes most of its time for contrast, and what looks alike
    has one contrast.
    """
    found = violations(page, without=["color-contrast"])
    if mark_new_looks(page, looks):
        found += violations(page, only=["color-contrast"], within=["[data-judged]"])
    return found


@cache
def script():
    """Return axe-core, which a context may be told to start each page with."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
