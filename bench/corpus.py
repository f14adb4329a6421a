"""A data folder with the IRC corpus imported: a folder or .tar.xz the caller names, else the project's sample."""

import tarfile
from pathlib import Path

from parley_server import Parley

SAMPLE = Path(__file__).resolve().parent.parent / "samples/irc"
SAMPLE_COPIES = 40
USER = "importer"


def loaded(servers, plan, say):
    """Returns a Parley whose data folder holds the corpus (no server runs on it), and what to say of it. The import is
    made once in a run."""
    parley = Parley(servers, plan.binary, servers.work / "corpus-data")
    described = servers.work / "corpus-described"
    if not described.exists():
        logs, name = unpack(plan, servers.work / "corpus")
        parley.start("parley-import")
        seconds = parley.import_irc(logs, parley.token(USER, "admin"))
        conversations = parley.conversations(parley.token(USER))
        parley.stop()
        messages = sum(one["last_seq"] for one in conversations)
        described.write_text(f"{name}: {messages:,} messages in {len(conversations)} conversations", encoding="utf-8")
        say(f"imported {messages:,} messages in {seconds:.1f} s, {messages / seconds:,.0f}/s")
    return parley, described.read_text(encoding="utf-8")


def unpack(plan, folder):
    """The folder of logs and what to call it."""
    if plan.corpus is None:
        folder.mkdir()
        for log in SAMPLE.glob("*.txt"):
            for copy in range(SAMPLE_COPIES):
                (folder / f"{log.stem}-copy{copy}.txt").write_bytes(log.read_bytes())
        return folder, f"the project's sample logs {SAMPLE_COPIES} times over, for no corpus was given"
    source = Path(plan.corpus)
    if source.is_dir():
        return source, "the IRC corpus"
    if not source.exists():
        raise RuntimeError(f"there is no corpus at {source}")
    folder.mkdir()
    with tarfile.open(source) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".txt"):
                (folder / Path(member.name).name).write_bytes(archive.extractfile(member).read())
    return folder, "the IRC corpus"
