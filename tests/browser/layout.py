"""What is wrong with the layout of an open page at its size, and which of its texts are new.

Text that is cut off or runs out of its box, that lies over other text of a chart, that stands in a
column too narrow to be read; targets too small for a finger; anything that makes the page wider
than the window. Cheap: it is asked of every page at every size.
"""

# WCAG 2.2, 2.5.8: 24 pixels, or 24 to the next. Whoever is nearer is judged by axe-core.
TARGET_PX = 24
LAYOUT = """([target]) => {
    const faults = [], near = new Set();
    const told = (one) => one.outerHTML.replace(/\\s+/g, " ").slice(0, 110);
    const drawn = (one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true});
    const hidden = ".unseen, .skip, script, style, dialog:not([open])";
    if (document.documentElement.scrollWidth > innerWidth) {
        const wide = [...document.querySelectorAll("body *")].filter((one) =>
            one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, svg"));
        faults.push(`${document.documentElement.scrollWidth} wide: ${wide.slice(0, 3).map(told)}`);
    }
    for (const one of document.querySelectorAll(BOXES)) {
        const over = one.scrollWidth > one.clientWidth + 1, slim = one.clientWidth < 70;
        if (!one.clientWidth || !(over || slim) || one.closest(hidden) || !drawn(one)) continue;
        const scrolls = /auto|scroll/.test(getComputedStyle(one).overflowX);
        if (!scrolls && over && !one.title)
            faults.push(`cut off or out of its box: ${told(one)}`);
        if (!slim) continue;
        const text = one.textContent.trim();
        const high = one.clientHeight / parseFloat(getComputedStyle(one).lineHeight);
        if (high > 6 && text.length > 12)
            faults.push(`too narrow to be read: ${told(one)}`);
    }
    for (const chart of document.querySelectorAll("svg.chart")) {
        if (!drawn(chart)) continue;
        const frame = chart.getBoundingClientRect();
        const texts = [...chart.querySelectorAll("text")].map((one) =>
            [one, one.getBoundingClientRect()]).filter(([, box]) => box.width);
        texts.forEach(([one, box], index) => {
            if (box.left < frame.left - 1 || box.right > frame.right + 1)
                faults.push(`out of its chart: ${told(one)}`);
            if (box.height < 9) faults.push(`too small to be read: ${told(one)}`);
            for (const [other, its] of texts.slice(index + 1))
                if (Math.min(box.right, its.right) - Math.max(box.left, its.left) > 2
                    && Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top) > 4)
                    faults.push(`over each other: ${told(one)} ${told(other)}`);
        });
    }
    const targets = [...document.querySelectorAll(TARGETS)]
        .filter((one) => drawn(one) && !one.closest(hidden))
        .map((one) => one.getBoundingClientRect()).filter((box) => box.width && box.height);
    for (const one of document.querySelectorAll("main *")) {
        if (one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight) continue;
        const style = getComputedStyle(one);
        if (/auto|scroll/.test(style.overflowX + style.overflowY) && one.tabIndex < 0 && drawn(one))
            near.add("scrollable-region-focusable");
    }
    // A circle of 24 pixels about a small one touches no other, nor the circle of a small one.
    const isSmall = (box) => Math.min(box.width, box.height) < target;
    const reach = target / 2 + 1;
    for (const box of targets.filter(isSmall)) {
        const x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
        for (const other of targets) {
            if (other === box) continue;
            const aside = Math.max(other.left - x, x - other.right, 0);
            const below = Math.max(other.top - y, y - other.bottom, 0);
            const between = Math.hypot(
                (other.left + other.right) / 2 - x, (other.top + other.bottom) / 2 - y);
            if (Math.hypot(aside, below) < reach || (isSmall(other) && between < 2 * reach))
                near.add("target-size");
        }
    }
    return [[...new Set(faults)], [...near]];
}""".replace(
    "BOXES",
    '"th, td, dt, dd, a, button, summary, label, legend, h1, h2, h3, p, li, select, .chip, .pill"',
).replace("TARGETS", '"a[href], button, input, select, textarea, summary, [role=button]"')

# Marks one text of each look that is not in the list: colour, ground, size, weight. axe-core takes
# most of its time for contrast, and what looks alike has one contrast.
LOOKS = """(known) => {
    const seen = new Set(known), fresh = [];
    const clear = /rgba\\(0, 0, 0, 0\\)|transparent/;
    const grounds = new Map();
    const ground = (one) => {
        if (!one) return "";
        if (!grounds.has(one)) {
            const its = getComputedStyle(one), faint = its.opacity === "1" ? "" : its.opacity;
            const image = its.backgroundImage === "none" ? "" : its.backgroundImage;
            grounds.set(one, faint + image + (clear.test(its.backgroundColor)
                ? ground(one.parentElement) : ` on ${its.backgroundColor}`));
        }
        return grounds.get(one);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const one = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || one.hasAttribute("data-judged")) continue;
        if (!one.checkVisibility({visibilityProperty: true})) continue;
        const style = getComputedStyle(one);
        const look = [style.color, style.fontSize, style.fontWeight, ground(one)].join(" ");
        if (seen.has(look)) continue;
        seen.add(look);
        fresh.push(look);
        one.setAttribute("data-judged", "");
    }
    return fresh;
}"""

# What a page is made of, without what is said on it: two languages of a page are alike in this.
STRUCTURE = """(place) => {
    const said = /^(title|aria-label|placeholder|value|alt|href|src|content|datetime|data-.*)$/;
    const told = (one) => [one.localName,
        ...[...one.attributes].map((its) =>
            its.name + (said.test(its.name) ? !!its.value.trim() : its.value)).sort(),
        [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()),
        one.childElementCount, one.checkVisibility()];
    const top = document.querySelector(place);
    return JSON.stringify([top, ...top.querySelectorAll("*")].map(told));
}"""


def structure_of(page, place):
    """Return what the place of a page is made of: elements, attributes, which of them are shown."""
    return page.evaluate(STRUCTURE, place)


def layout_faults(page):
    """Return what is wrong with the layout, and the rules by which axe-core has to look closer: at
    targets that are small and close to others, at what scrolls and cannot be reached by keys."""
    faults, rules = page.evaluate(LAYOUT, [TARGET_PX])
    return faults, rules


def mark_new_looks(page, known):
    """Return how many texts were marked `data-judged` whose look is not in known; adds theirs."""
    fresh = page.evaluate(LOOKS, sorted(known))
    known.update(fresh)
    return len(fresh)
