"""What an open page offends of WCAG 2.0 to 2.2, levels A and AA: axe-core, no network.

axe-core (MPL-2.0, (c) Deque Systems) comes inside the development dependency
axe-playwright-python; only its script is used, and nothing of it is shipped.

    assert violations(page) == []
"""

from functools import cache
from importlib.resources import files

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
NODES_MAX = 5  # Of one rule: the rest is alike.
RUN = """async (tags) => (await axe.run(document, {
    runOnly: {type: "tag", values: tags},
    resultTypes: ["violations"], elementRef: false
})).violations.map((rule) => ({
    rule: rule.id,
    help: rule.help,
    nodes: rule.nodes.map((node) =>
        [node.target.flat().join(" "), node.html.slice(0, 160), node.failureSummary].join(" | "))
}))"""


def violations(page):
    """Return one text for each element that offends, [] for a page without fault.

    page: a Playwright page that has been drawn. Run it in the state that is to be judged: what is
    hidden, folded or not yet opened is not looked at.
    """
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(_script())
    return [
        f"{found['rule']} ({found['help']}): {node}"
        for found in page.evaluate(RUN, list(TAGS))
        for node in found["nodes"][:NODES_MAX]
    ]


@cache
def _script():
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
