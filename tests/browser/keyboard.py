"""Someone who uses the keyboard alone: Tab, arrows, space, Enter and typing; never a click."""

from datetime import date

from playwright.sync_api import Locator, Page, expect

FARTHEST = 400
"""More Tabs than any page has stops: whoever needs more goes round in circles."""
DAY_FIRST, MONTH_FIRST = "%d%m%Y", "%m%d%Y"
BACK_TO_FIRST_PART = ("ArrowLeft", "ArrowLeft")


class Keyboard:
    """The keyboard of a page."""

    def __init__(self, page: Page):
        self.page = page

    def press(self, *keys: str) -> None:
        """Press one key after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def go_to(self, place: Locator) -> None:
        """Press Tab until the focus is on `place`.

        Raises:
            AssertionError: it cannot be reached.
        """
        expect(place).to_have_count(1)
        target = place.element_handle()
        is_there = "place => document.activeElement === place"
        for _ in range(FARTHEST):
            if target.evaluate(is_there):
                return
            self.press("Tab")
        raise AssertionError(f"No Tab leads to {place} on {self.page.url}")

    def enter(self, place: Locator, text: str) -> None:
        """Type a text in a box, instead of what is there."""
        self.go_to(place)
        self.press("Control+a")
        self.page.keyboard.type(text)
        expect(place).to_have_value(text)

    def enter_date(self, place: Locator, day: date) -> None:
        """Type a date in a browser's date box, part by part, in the order in which it asks."""
        self.go_to(place)
        for order in (MONTH_FIRST, DAY_FIRST):
            self.page.keyboard.type(day.strftime(order))
            if place.input_value() == day.isoformat():
                return
            self.press(*BACK_TO_FIRST_PART)
        raise AssertionError(f"The date box does not take {day}: it says {place.input_value()}")

    def choose(self, place: Locator, words: str) -> None:
        """Choose an entry of a list by its first letters."""
        self.go_to(place)
        self.page.keyboard.type(words)
        chosen = place.evaluate("list => list.selectedOptions[0].text")
        assert chosen == words, f"The list chose {chosen}, not {words}"

    def tick(self, box: Locator) -> None:
        """Tick a box with the space bar."""
        self.go_to(box)
        self.press("Space")
        expect(box).to_be_checked()

    def pick(self, group: Locator, words: str) -> None:
        """Pick one of a group of radio buttons with the arrows."""
        wanted = group.get_by_label(words, exact=True)
        stop = group.locator("input[type=radio]:checked")
        if stop.count() == 0:
            stop = group.locator("input[type=radio]").first
        self.go_to(stop)
        self.press("Space")
        for _ in range(group.locator("input[type=radio]").count()):
            if wanted.is_checked():
                return
            self.press("ArrowDown")
        raise AssertionError(f"No arrow leads to {words}")

    def push(self, button: Locator) -> None:
        """Go to a button or a link, and press Enter; the next page is there."""
        self.go_to(button)
        with self.page.expect_navigation(wait_until="load"):
            self.press("Enter")
