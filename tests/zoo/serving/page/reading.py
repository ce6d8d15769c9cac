"""What the page shows, read in the browser; and how it writes numbers."""

from urllib.parse import urlencode, urlsplit

MARKUP = '<img src=x onerror="document.title=1"> & <b>good</b>'
TEXT = "a good film, Ann met Bob in Oslo"
ANSWERED = "!!document.querySelector('.answer:not([hidden])[aria-busy=false]')"
CONTRAST = """(() => {
    const numbers = (color) => {
        const found = color.match(/[\\d.]+(e-?\\d+)?/g).map(Number);
        const scale = color.startsWith("color(") ? 1 : 255;
        return [...found.slice(0, 3).map((part) => part / scale), found[3] ?? 1];
    };
    const over = ([r, g, b, a], [x, y, z]) =>
        [a * r + (1 - a) * x, a * g + (1 - a) * y, a * b + (1 - a) * z, 1];
    const ground = (element) => {
        if (!element) return [1, 1, 1, 1];
        const own = numbers(getComputedStyle(element).backgroundColor);
        return own[3] === 1 ? own : over(own, ground(element.parentElement));
    };
    const light = (parts) => {
        const linear = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let least = [99, ""];
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const box = element.getBoundingClientRect();
        const inner = element.closest("svg, option, script, noscript, details:not([open])");
        if (!walker.currentNode.data.trim() || !box.width || inner) continue;
        const back = ground(element);
        const [a, b] = [over(numbers(getComputedStyle(element).color), back), back].map(light);
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < least[0]) least = [ratio, walker.currentNode.data];
    }
    return least;
})()"""


def ask(page, address, model, **fields):
    """Opens a model with its input in the address, and waits for the answer."""
    page.open(f"{address}#{urlencode({'model': model, **fields})}")
    page.wait(ANSWERED)


def texts(page, selector):
    return page.run(f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent)")


def notes(page):
    """What is said of each token."""
    return page.run(
        "[...document.querySelectorAll('.token[data-about]')].map((e) => e.dataset.about)"
    )


def percent(share):
    if share < 0.001:
        return "< 0.1 %"
    return "> 99.9 %" if share > 0.999 else f"{round(100 * share, 1):g} %"


def signed(score):
    return f"{score:+.2f}".replace("-", "\u2212")


def check_view(page, address, model, **fields):
    """A view fits a narrow window, its text can be read in both schemes, each field has a label."""
    page.size(360, 640)
    ask(page, address, model, **fields)
    page.run("document.querySelectorAll('details').forEach((e) => (e.open = true))")
    assert page.run("document.documentElement.scrollWidth") <= 360, model
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        ratio, text = page.run(CONTRAST)
        assert ratio >= 4.5, (model, scheme, text)
    nameless = page.run(
        "[...document.querySelectorAll('input, select, textarea')]"
        ".filter((e) => !e.labels.length).map((e) => e.outerHTML)"
    )
    assert nameless == []
    assert "Answered in" in texts(page, ".status")[0]
    facts = dict(zip(texts(page, ".facts dt"), texts(page, ".facts dd"), strict=True))
    assert facts["Accuracy (test)"] == "0.9876" and facts["Parameters"] == "12,345"
    asked = [urlsplit(each) for each in page.requests()]
    assert {each[:2] for each in asked if each[0] not in ("data", "about")} == {
        urlsplit(address)[:2]
    }
