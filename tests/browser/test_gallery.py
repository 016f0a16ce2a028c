"""On the page of all figures, a press on a picture leads to the figure."""

from companion.publishing.gallery import PAGE

from .test_pages import PHONE

PLACE = "10_07_longterm.html#factors"


def test_a_press_on_a_card_lands_on_its_figure(http_book, visit):
    tab, watch = visit(f"{http_book}{PAGE}.html", http_book, **PHONE)
    picture = tab.locator("ul.all-figures > li", has=tab.locator(f"a[href='{PLACE}']")).locator("img")
    picture.scroll_into_view_if_needed()
    tab.wait_for_load_state("networkidle")  # pictures that are still to come would be given up
    assert watch.complaints == []
    box = picture.bounding_box()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    tab.wait_for_url(f"**/{PLACE}")
    figure = tab.locator(f"figure#{PLACE.split('#')[1]}")
    figure.wait_for()
    tab.wait_for_timeout(300)
    assert 0 <= figure.bounding_box()["y"] < 400
