import unittest

from stock.api import routes
from stock.catalogue import catalogue


class ApiTest(unittest.TestCase):
    def test_paths_find_their_functions(self) -> None:
        for path, arguments in (("/up", {}), ("/items", {}), ("/items/rope", {"name": "rope"})):
            found = routes.find(path)
            assert found is not None
            self.assertEqual(found[1], arguments)
        self.assertIsNone(routes.find("/items/rope/more"))

    def test_the_catalogue_names_its_warehouse(self) -> None:
        self.assertEqual(catalogue("north quay")["warehouse"], "north quay")


if __name__ == "__main__":
    unittest.main()
