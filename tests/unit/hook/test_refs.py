"""What git can push beside a branch with one more commit."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from lockship.prepare.prepare import prepare
from tests.unit.gitrepo import CONFIG, Repo, clone
from tests.unit.hook.scenes import LOCK, begin, change_and_lock, forced, locked, push, shell
from tests.unit.hook.scenes import lockship as run


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return begin(tmp_path)


def lie(repo: Repo, liar: str = "Eve") -> None:
    text = (repo.path / LOCK).read_text()
    repo.write(LOCK, text.replace("Ada Shipper", f"{liar} Shipper"))
    repo.commit("Lie")


def test_branches_tags_and_deletions(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--create", "topic")
    change_and_lock(repo)
    repo.git("tag", "--annotate", "--message", "one", "v1")
    repo.git("tag", "blob", repo.git("rev-parse", "HEAD:app.txt"))
    repo.git("tag", "folder", repo.git("rev-parse", "HEAD^{tree}"))
    done = push(repo, "main", "topic", "v1", "blob", "folder")
    assert (done.status, "1 lock" in done.said) == (0, True)
    assert push(repo, "--delete", "topic", "v1").ours == "\n"
    assert push(repo, "v1").ours == "lockship: 1 lock in this push judged, nothing wrong\n"

    lie(repo)
    repo.git("tag", "--annotate", "--message", "two", "v2")
    for words in (["v2"], ["topic"], ["HEAD:refs/notes/x"], ["main", "topic", "v2"], ["--all"]):
        done = push(repo, *words)
        assert (done.status != 0, "source.author" in done.said) == (True, True), words
    assert push(repo, "main").status == 0


def test_a_lie_that_was_taken_back_is_still_in_the_history(repo: Repo) -> None:
    lie(repo)
    wrong = repo.head[:12]
    repo.git("revert", "--no-edit", "HEAD")
    assert push(repo).mend == f"git rebase -i {wrong}~1 main"
    repo.git("switch", "--quiet", "--detach", "origin/main")
    shell(repo, f"GIT_SEQUENCE_EDITOR='sed -i s/^pick/drop/' {push(repo).mend}")
    assert push(repo).status == 0


def test_a_forced_push_of_an_amended_commit(repo: Repo) -> None:
    change_and_lock(repo)
    assert push(repo).status == 0
    repo.git("commit", "--quiet", "--amend", "--message", "Another")
    assert push(repo, "--force", "main").ours.startswith("lockship: 1 lock")
    repo.git("reset", "--quiet", "--hard", "HEAD~2")
    assert push(repo, "--force", "main").ours == "\n"


def test_a_merge_brings_what_its_sides_judged(repo: Repo) -> None:
    repo.git("switch", "--quiet", "--create", "topic")
    change_and_lock(repo)
    repo.git("switch", "--quiet", "main")
    repo.write("else.txt", "x\n")
    repo.commit("Else")
    repo.git("merge", "--quiet", "--no-edit", "topic")
    assert push(repo).status == 0
    repo.git("switch", "--quiet", "topic")
    repo.write("third.txt", "three\n")
    repo.commit("Third")
    repo.git("merge", "--quiet", "--no-commit", "--no-ff", "main")
    lie(repo)
    assert len(repo.git("rev-parse", "HEAD^@").split()) == 2
    done = push(repo, "topic")
    assert "Refused: 1 thing" in done.ours
    assert repo.head[:12] in done.ours


def test_a_shallow_clone(repo: Repo, tmp_path: Path) -> None:
    change_and_lock(repo)
    push(repo)
    shallow = clone(Repo(tmp_path / "remote.git"), tmp_path / "shallow", "--depth=1")
    shallow.git("config", "core.hooksPath", str(repo.path / ".git/hooks"))
    shallow.write("app.txt", "four\n")
    shallow.commit("Four")
    locked(shallow)
    assert push(shallow).status == 0
    # The edge is judged too where all is asked for: what lies beyond it isn't here.
    run(shallow, "hook", "verify", "HEAD~1..HEAD")
    said = json.loads(run(shallow, "hook", "verify", "HEAD", "--json", ok=(3,)))
    assert {each["mend"] for each in said["objections"]} == {
        "`git fetch --unshallow`, then repeat."
    }
    shallow.git("fetch", "--quiet", "--unshallow")
    run(shallow, "hook", "verify", "HEAD")


def test_many_refs_and_several_lockfiles(repo: Repo) -> None:
    repo.write("lockship.live.toml", '[env]\nWHERE = "live"\n')
    repo.commit("A destination")
    prepare(repo.path)
    prepare(repo.path, destination="live")
    repo.commit("Lock both")
    names = [f"many-{number}" for number in range(200)]
    repo.git("fetch", "--quiet", ".", *(f"HEAD:refs/heads/{name}" for name in names))
    done = push(repo, *names)
    assert done.ours == "lockship: 2 locks in this push judged, nothing wrong\n"
    repo.write("services/api/.shiplock", (repo.path / LOCK).read_text().replace("Ada", "Eve"))
    repo.write(f"{LOCK}.live", (repo.path / f"{LOCK}.live").read_text().replace("Ada", "Eve"))
    repo.commit("Two lies")
    done = push(repo)
    assert "Refused: 2 things" in done.ours
    assert "services/api/.shiplock: source.author" in done.ours
    assert ".shiplock.live: source.author" in done.ours


def test_a_snapshot_that_is_pushed_along_or_before(repo: Repo, tmp_path: Path) -> None:
    forced(repo)
    ref = shlex.split(push(repo).mend)[-1]
    assert push(repo, "main", ref).status == 0
    other = clone(Repo(tmp_path / "remote.git"), tmp_path / "other")
    other.git("config", "core.hooksPath", str(repo.path / ".git/hooks"))
    other.git("update-ref", "-d", "refs/remotes/origin/main")  # so that all of it is new again
    assert push(other, "HEAD:refs/heads/new").status == 0
    other.git("update-ref", "-d", "refs/remotes/origin/new")
    said = json.loads(run(other, "hook", "verify", "HEAD", "--json", ok=(3,)))
    shell(other, said["objections"][0]["mend"].strip("`"))
    run(other, "hook", "verify", "HEAD")


class TestSigned:
    POLICY = "\n[policy]\nrequire-signed = true\n"

    @pytest.fixture
    def signed(self, repo: Repo) -> Repo:
        keys = repo.path.parent
        for name in ("ada", "eve"):
            shell(repo, f"ssh-keygen -q -t ed25519 -N '' -f {keys}/{name}")
        repo.git("config", "gpg.format", "ssh")
        repo.git("config", "user.signingKey", f"{keys}/ada.pub")
        allowed = f"ada@example.com {(keys / 'ada.pub').read_text()}"
        repo.write(".lockship/allowed-signers", allowed)
        repo.write("lockship.toml", CONFIG + self.POLICY)
        repo.commit("Signatures from now on")
        locked(repo)
        return repo

    def test_signed_by_whom(self, signed: Repo) -> None:
        done = push(signed)
        assert "the commit isn't signed" in done.ours
        shell(signed, done.mend)
        signed.git("config", "gpg.ssh.allowedSignersFile", "/dev/null")  # nothing of ours counts
        assert push(signed).status == 0

        signed.git("config", "user.signingKey", f"{signed.path.parent}/eve.pub")
        signed.git("commit", "--quiet", "--amend", "--no-edit", "-S")
        eves = signed.path.parent / "eves"
        eves.write_text(f"ada@example.com {(signed.path.parent / 'eve.pub').read_text()}")
        signed.git("config", "gpg.ssh.allowedSignersFile", str(eves))
        assert "no key in that file has signed" in push(signed, "--force", "main").ours

    def test_a_push_that_lets_others_sign_says_so(self, signed: Repo) -> None:
        signed.git("commit", "--quiet", "--amend", "--no-edit", "-S")
        assert "note:" not in push(signed).ours, "the first list weakens nothing"
        eves = f"eve@example.com {(signed.path.parent / 'eve.pub').read_text()}"
        signers = signed.path / ".lockship/allowed-signers"
        signers.write_text(signers.read_text() + eves)
        signed.git("config", "user.signingKey", f"{signed.path.parent}/eve.pub")
        signed.commit("Let Eve sign")
        prepare(signed.path)
        signed.commit("Lock by Eve", "-S")
        known = signed.git("rev-parse", "origin/main")
        done = push(signed)
        assert done.status == 0
        said = "other signers, .lockship/allowed-signers isn't as the remote has it\n"
        assert done.ours.endswith(f'note: {signed.head[:12]} "Lock by Eve" .shiplock: {said}')
        notes = json.loads(run(signed, "hook", "verify", f"{known}..HEAD", "--json"))["notes"]
        assert [note["kind"] for note in notes] == ["signers"]

    def test_without_a_list_of_signers(self, signed: Repo) -> None:
        signed.git("rm", "--quiet", "-r", ".lockship")
        signed.git("commit", "--quiet", "--amend", "--no-edit", "-S")
        assert "there is no .lockship/allowed-signers in it" in push(signed).ours
