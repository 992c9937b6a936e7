"""Assets of two versions on real servers, while both may be asked."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.fleet.shop import Json, Shop, config
from tests.harness import Fleet

TEXT = config(hosts=("web1", "web2"), ports="").replace(
    "[healthcheck]", 'assets = "/www/assets"\n\n[healthcheck]', 1
)


def release(shop: Shop, number: int) -> str:
    """A version whose page names a style sheet that no other version has."""
    shutil.rmtree(shop.folder / "site/assets", ignore_errors=True)
    shop.write(f"site/assets/style-{number}.css", f"/* {number} */\n")
    shop.write("site/assets/manifest.json", f'["style-{number}.css"]\n')
    shop.write(f"site/assets/deep/{number}.txt", f"{number}\n")
    return shop.release(f'<link href="/assets/style-{number}.css">\n')


def assets(shop: Shop, host: str, container: Json) -> dict[str, str]:
    """What is in a container's folder, running or not, by name."""
    folder = shop.folder.parent / f"packed-{container['Id']}"
    shutil.rmtree(folder, ignore_errors=True)
    shop.engine(host).docker("cp", f"{container['Id']}:/www/assets", str(folder))
    return {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in folder.rglob("*")
        if file.is_file()
    }


def of_version(shop: Shop, host: str, version: str) -> Json:
    (one,) = [c for c in shop.containers(host) if f"-{version}-" in c["Name"]]
    return one


def test_pages_of_both_versions_find_their_assets(clean_fleet: Fleet, tmp_path: Path) -> None:
    shop = Shop.create(clean_fleet, tmp_path / "shop", TEXT)
    first = release(shop, 1)
    second = release(shop, 2)
    both = {f"style-{n}.css": f"/* {n} */\n" for n in (1, 2)}
    both |= {f"deep/{n}.txt": f"{n}\n" for n in (1, 2)}
    for host in ("web1", "web2"):
        new, old = of_version(shop, host, second), of_version(shop, host, first)
        assert assets(shop, host, new) == both | {"manifest.json": '["style-2.css"]\n'}
        assert assets(shop, host, old) == both | {"manifest.json": '["style-1.css"]\n'}
    third = release(shop, 3)
    found = assets(shop, "web1", of_version(shop, "web1", third))
    two = {"style-2.css", "style-3.css", "deep/2.txt", "deep/3.txt", "manifest.json"}
    assert set(found) == two, "and not the first one's, which the second only borrowed"
    shop.run("rollback")
    back = assets(shop, "web1", shop.running("web1"))
    assert {"style-2.css", "style-3.css"} <= set(back)
    assert back["manifest.json"] == '["style-2.css"]\n'

    shop.write("lockship.toml", TEXT.replace("/www/assets", "/www/no-such"))
    shop.commit("Name a folder that isn't there")
    shop.run("prepare")
    said = shop.run("deploy", expect=1).stderr
    assert "the image has no folder /www/no-such" in said
    assert "Mend `assets`" in said

    shop.write("lockship.toml", TEXT.replace("/www/assets", "/www/link"))
    (shop.folder / "site/link").symlink_to("assets")
    shop.commit("Name a link to the folder")
    shop.run("prepare")
    assert "the image has no folder /www/link" in shop.run("deploy", expect=1).stderr
