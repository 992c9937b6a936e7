import os
import tempfile
import unittest

from guestbook import store, web


class GuestbookTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ["GUESTBOOK_DATA"] = folder.name

    def test_an_entry_is_shown_once_it_is_approved(self) -> None:
        store.add("Ada", "a fine harbour")
        self.assertEqual(store.approved(), [])
        self.assertEqual(store.approve_waiting(frozenset({"spam"})), 1)
        self.assertEqual(store.approved(), [("Ada", "a fine harbour")])

    def test_forbidden_words_are_removed(self) -> None:
        store.add("Eve", "buy SPAM now")
        store.approve_waiting(frozenset({"spam"}))
        self.assertEqual(store.approved(), [])

    def test_what_people_write_is_text(self) -> None:
        self.assertIn("&lt;b&gt;", web.page([("<b>", "x")]))


if __name__ == "__main__":
    unittest.main()
