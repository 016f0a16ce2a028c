"""Questions in the page: they judge as Python does, unlock their help after an attempt, and keep what was done."""

import json

import numpy as np
import pytest

from companion.exercises import exercises, judge, question
from companion.exercises.bank import sections
from companion.exercises.ladder import Implement
from companion.exercises.questions import FigureGoal, FindBug, MultipleChoice, Numerical
from companion.figures import assets
from companion.figures.kinds import KINDS
from companion.figures.questions import slug

from ..test_exercises import states
from .figures import Figure, bring

COURSES = ["", "a course", "ünïcode"]
MOUNT = """() => { const f = document.querySelector("form.question");
    questions.mount(f, JSON.parse(f.querySelector("script").textContent)); }"""
JUDGE = """([spec, answers]) => answers.map(a => {
    const { done, says } = questions.judges[spec.type](spec, a);
    return [Boolean(done), says];
})"""
ASKED = [i for s in sections() for i in exercises(s).values() if not isinstance(i, Implement)]


@pytest.fixture(scope="module")
def empty(browser):
    """An empty page in which questions are defined."""
    context = browser.new_context(viewport={"width": 800, "height": 900})
    page = context.new_page()
    page.add_script_tag(content=assets.script(KINDS) + assets._read("questions/questions.js"))
    yield page
    context.close()


def attempts(item, course):
    """Answers of all sorts to one question."""
    rng = np.random.default_rng(0)
    if isinstance(item, MultipleChoice):
        return list(range(1, len(item.options) + 1))
    if isinstance(item, Numerical):
        asked = item.asked(course)
        far = [asked.value * 1.7 + 1, asked.value * 0.4 - 1]
        return [asked.value, asked.value * (1 + item.tolerance / 2), *asked.betrays, *far]
    if isinstance(item, FindBug):
        lines = range(1, len(item.code.splitlines()) + 1)
        return [[line, reason] for line in lines for reason in range(len(item.reasons) + 1)]
    if isinstance(item, FigureGoal):
        return states(item)
    n, every = len(item.code.splitlines()), len(item.lines)
    right = list(range(1, n + 1))
    orders = [right, right[1:], list(range(1, every + 1)), item.shuffled]
    return orders + [[int(k) + 1 for k in rng.permutation(n)] for _ in range(20)]


@pytest.mark.parametrize("item", ASKED, ids=lambda item: item.id)
def test_the_page_judges_as_python_does(empty, item):
    for course in COURSES if isinstance(item, Numerical) else [""]:
        answers = attempts(item, course)
        spec = json.loads(json.dumps({**item.spec(), "course": course}))
        here = empty.evaluate(JUDGE, [spec, answers])
        there = [judge(item.id, answer, course) for answer in answers]
        assert here == [[v.done, v.says] for v in there]
        assert any(done for done, _ in here) and not all(done for done, _ in here)


def show(page, item):
    page.set_content(
        f"<style>{assets.question_style()}</style><body style='width:700px'>{question(item.id).html()}</body>"
    )
    page.evaluate(MOUNT)
    return page.locator("form.q-live")


def said(form):
    return form.locator(".q-said").inner_text()


def test_a_choice_is_made_by_keyboard_and_an_attempt_unlocks_hints_and_answer(empty):
    item = next(i for i in ASKED if i.id == "10.2.2-first-copy")
    form = show(empty, item)
    hint, reveal = form.get_by_role("button", name="Hint"), form.get_by_role("button", name="Show the answer")
    assert not hint.is_visible() and not reveal.is_visible()
    form.get_by_role("button", name="Check").click()
    assert "Choose one of the answers first." in said(form) and not hint.is_visible()
    right = next(k for k, option in enumerate(item.options) if option.right)
    wrong = (right + 1) % len(item.options)
    radio = form.get_by_role("radio").nth(wrong)
    radio.focus()
    empty.keyboard.press("Space")
    empty.keyboard.press("Enter")
    assert said(form) == f"✗ Not yet. {item.options[wrong].says}"
    assert form.locator(".q-mark").inner_text() == "tried"
    hint.click()
    assert form.locator(".q-hints li").all_inner_texts() == list(item.hints) and not hint.is_visible()
    reveal.click()
    assert item.answer in form.locator(".q-answer").inner_text()
    radio.focus()
    for _ in range(len(item.options) - 1):  # arrows lead to every option
        empty.keyboard.press("ArrowDown")
        if form.get_by_role("radio").nth(right).is_checked():
            break
    empty.keyboard.press("Enter")
    assert said(form) == f"✓ Right. {item.options[right].says}"


def test_a_number_is_typed_with_comma_or_point_and_a_misconception_is_named(empty):
    item = next(i for i in ASKED if i.id == "10.2.2-checkpoints")
    form = show(empty, item)
    asked = item.asked("")
    field = form.get_by_role("textbox", name=asked.words)
    for typed, word in [
        ("", "Type a number first"),
        ("many", "Type a number first"),
        (str(asked.value), "✓ Right."),
        (f"{asked.value},0", "✓ Right."),
        (f"{asked.value / 100}e2", "✓ Right."),
        *((str(value), says) for value, says in asked.betrays.items()),
    ]:
        field.fill(typed)
        empty.keyboard.press("Enter")
        assert word in said(form), typed


def test_a_bug_is_a_line_and_then_a_reason(empty):
    item = next(i for i in ASKED if i.id == "10.2.2-transposed")
    form = show(empty, item)
    lines, reasons = form.locator(".q-code"), form.locator("fieldset.q-options")
    assert not reasons.is_visible()
    assert lines.locator("code").all_text_contents() == item.code.splitlines()
    lines.get_by_role("radio").nth(0).check()
    form.get_by_role("button", name="Check").click()
    assert item.lines[1] in said(form)
    lines.get_by_role("radio").nth(item.line - 1).check()
    form.get_by_role("button", name="Check").click()
    assert "Now choose the reason" in said(form) and reasons.is_visible()
    reasons.get_by_role("radio").nth(next(k for k, r in enumerate(item.reasons) if r.right)).check()
    form.get_by_role("button", name="Check").click()
    assert said(form).startswith("✓ Right.")


def _order(form):
    return [int(n) for n in form.locator(".q-lines li").evaluate_all("all => all.map(li => li.dataset.line)")]


def test_lines_are_put_in_order_by_buttons(empty):
    item = next(i for i in ASKED if i.id == "10.2.2-order")
    form = show(empty, item)
    assert _order(form) == item.shuffled
    n = len(item.code.splitlines())
    for extra in item.extra:
        form.get_by_role("checkbox", name=f"use: {extra.strip()}").uncheck()
    for line in range(1, n + 1):
        row = form.locator(f'li[data-line="{line}"]')
        while _order(form).index(line) > line - 1:
            row.get_by_role("button", name="up").focus()
            empty.keyboard.press("Enter")
    assert _order(form)[:n] == list(range(1, n + 1))
    assert f"line {n} of {len(item.lines)}" in form.locator(".q-unseen").inner_text()
    form.get_by_role("button", name="Check").click()
    assert said(form) == f"✓ Right. {item.answer}"


def test_lines_are_dragged(empty):
    item = next(i for i in ASKED if i.id == "10.2.2-order")
    form = show(empty, item)
    rows = form.locator(".q-lines li")
    before = _order(form)
    a, b = rows.nth(0).locator(".q-grip").bounding_box(), rows.nth(3).bounding_box()
    empty.mouse.move(a["x"] + a["width"] / 2, a["y"] + a["height"] / 2)
    empty.mouse.down()
    empty.mouse.move(a["x"], b["y"] + b["height"], steps=12)
    empty.mouse.up()
    assert _order(form) == [*before[1:4], before[0], *before[4:]]


# What is kept is tried with served pages: of pages opened from a disc, Chromium 156 gives two or three in a hundred a
# storage that does not last (a page of three lines and a reload show it).
GOALS = [item for item in ASKED if isinstance(item, FigureGoal)]


@pytest.mark.parametrize("item", GOALS, ids=lambda item: item.id)
def test_a_figure_is_brought_to_its_goal_by_keyboard_and_nothing_else_solves_it(item, http_book, visit):
    number = "_".join(part.zfill(2) if k == 1 else part for k, part in enumerate(item.id.partition("-")[0].split(".")))
    page, watch = visit(f"{http_book}book/exercises/{number}.html", http_book)
    form = page.locator(f"#q-{slug(item.id)}")
    figure = Figure(page, form.locator("figure.ex-live").get_attribute("id"))
    mark, hint = form.locator(".q-mark"), form.get_by_role("button", name="Hint")
    state = next(state for state in states(item) if item.judge(state).done)
    figure.put(**state)
    figure.reset()
    assert mark.inner_text() == "" and not hint.is_visible()
    check = form.get_by_role("button", name="Check")
    check.focus()
    page.keyboard.press("Enter")
    assert said(form) == f"✗ Not yet. {item.judge(figure.state()).says}"
    assert mark.inner_text() == "tried" and hint.is_visible()
    figure.put(**state)
    assert mark.inner_text() == "tried"
    check.press("Enter")
    assert said(form) == f"✓ Right. {item.judge(state).says}" and mark.inner_text() == "✓ solved"
    page.reload()
    assert bring(form).locator(".q-mark").inner_text() == "✓ solved"
    assert watch.complaints == []


def test_in_a_notebook_the_question_brings_its_figure_and_what_draws_it(browser):
    item = next(i for i in GOALS if i.id == "10.8-both")
    widget = question(item.id)
    page = browser.new_page()
    page.set_content("<div id='cell'></div>")
    page.add_script_tag(content=str(widget._esm).rpartition("export default")[0])
    spec = json.loads(json.dumps(widget.spec))
    page.evaluate("spec => questions.render({ model: { get: () => spec }, el: document.getElementById('cell') })", spec)
    form, figure = page.locator("form.q-live"), Figure(page, spec["figure"]["name"])
    figure.put(**next(state for state in states(item) if item.judge(state).done))
    form.get_by_role("button", name="Check").click()
    assert said(form).startswith("✓ Right.") and ".ex-stage" in str(widget._css)
    page.close()


def test_what_was_done_is_kept_counted_in_the_contents_saved_and_erased(http_book, visit):
    page, watch = visit(f"{http_book}book/exercises/10_02_2.html?course=abc", http_book)
    item = next(i for i in ASKED if i.id == "10.2.2-transposed")
    form = page.locator(f"#q-{slug(item.id)}")
    count = page.locator("nav.bd-links a.current .q-count").first
    ids = page.locator("form[data-question]").evaluate_all("all => all.map(f => f.dataset.question)")
    assert count.text_content() == f" 0/{len(ids)}"
    form.locator(".q-code").get_by_role("radio").nth(item.line - 1).check()
    form.locator("fieldset.q-options").get_by_role("radio").nth(
        next(k for k, r in enumerate(item.reasons) if r.right)
    ).check()
    form.get_by_role("button", name="Check").click()
    assert count.text_content() == f" 1/{len(ids)}"
    page.reload()
    assert bring(form).locator(".q-mark").inner_text() == "✓ solved"
    page.goto(f"{http_book}book/exercises/about.html")
    panel = page.locator("[data-progress]")
    assert panel.get_by_role("status").inner_text().startswith("1 questions solved, 1 tried")
    assert panel.get_by_role("textbox").input_value() == "abc"
    with page.expect_download() as saved:
        panel.get_by_role("button", name="Save").click()
    assert json.loads(saved.value.path().read_text())["done"] == {item.id: {"tries": 1, "done": True}}
    erase = panel.get_by_role("button", name="Erase")
    erase.click()
    assert "sure?" in erase.inner_text()
    erase.click()
    assert panel.get_by_role("status").inner_text().startswith("0 questions solved")
    assert watch.complaints == []


def test_numbers_follow_the_course(built_book, visit):
    home = built_book.as_uri() + "/"
    item = next(i for i in ASKED if i.id == "10.2.2-two-levels")
    for course in ("abc", "a"):
        page, _ = visit(f"{home}book/exercises/10_02_2.html?course={course}", home)
        assert item.asked(course).words in bring(page.locator(f"#q-{slug(item.id)}")).inner_text()
    assert item.asked("abc") != item.asked("a")
