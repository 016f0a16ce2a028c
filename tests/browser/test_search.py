"""The book's own search, in a real browser: who types a word of elsewhere is led to the page of words."""

import pytest


@pytest.mark.parametrize("word", ["peephole connections", "return_sequences"])
def test_the_books_search_finds_the_page_of_words(word, http_book, browser):
    tab = browser.new_page()
    tab.goto(f"{http_book}search.html?q={word}")
    found = tab.locator("#search-results li a", has_text="What you may have searched for")
    found.first.wait_for(timeout=10_000)
    assert "search_words.html" in found.first.get_attribute("href")
    tab.close()
