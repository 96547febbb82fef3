"""A checkout of the repository: the places of its notebooks, the one setting of its address, and safe writing."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from gsnn_tutorial.study.files import write_text

SECTION = "gsnn-tutorial"  # of pyproject.toml: address = "OWNER/REPO@REF", hub = "https://..."
ADDRESS = re.compile(r"(?P<owner>[A-Za-z0-9][A-Za-z0-9-]*)/(?P<repo>[A-Za-z0-9._-]+?)(?:@(?P<ref>[A-Za-z0-9._/-]+))?")


@dataclass(frozen=True)
class Address:
    """A repository on GitHub and one of its branches, tags or commits, with the links that lead into it."""

    owner: str
    repo: str
    ref: str = "main"

    @classmethod
    def read(cls, text: str) -> Address | None:
        """'OWNER/REPO' or 'OWNER/REPO@REF' as an address, '' as None. Raises ValueError for anything else."""
        if not text:
            return None
        found = ADDRESS.fullmatch(text)
        if not found or found["repo"].strip(".") == "" or ".." in (found["ref"] or ""):
            raise ValueError(f"address must be OWNER/REPO or OWNER/REPO@REF on GitHub, got {text!r}")
        return cls(found["owner"], found["repo"].removesuffix(".git"), found["ref"] or "main")

    @property
    def url(self) -> str:
        """The repository's page."""
        return f"https://github.com/{self.owner}/{self.repo}"

    @property
    def pip(self) -> str:
        """The address for pip."""
        return f"git+{self.url}@{self.ref}"

    def colab(self, path: str) -> str:
        """A link that opens a notebook of the repository in Colab."""
        return f"https://colab.research.google.com/github/{self.owner}/{self.repo}/blob/{self.ref}/{quote(path)}"

    def binder(self, path: str) -> str:
        """A link that starts the repository on mybinder.org and opens a notebook in JupyterLab."""
        where = f"{self.owner}/{self.repo}/{quote(self.ref, safe='')}"
        return f"https://mybinder.org/v2/gh/{where}?{urlencode({'urlpath': 'lab/tree/' + path})}"

    def hub(self, path: str, hub: str) -> str:
        """A link by which nbgitpuller brings the repository to a JupyterHub and opens a notebook there."""
        query = {"repo": self.url, "branch": self.ref, "urlpath": f"lab/tree/{self.repo}/{path}"}
        return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(query)}"


class Checkout:
    """The files of a clone of the repository. Raises ValueError if ``root`` is none."""

    def __init__(self, root: str | Path = "."):
        self.root = Path(root)
        self.project = self.root / "pyproject.toml"
        if not self.project.is_file() or 'name = "gsnn-tutorial"' not in self.project.read_text(encoding="utf-8"):
            raise ValueError(f"root must be a clone of the kit's repository, with its pyproject.toml, got {root}")

    @property
    def settings(self) -> dict[str, str]:
        """``address`` and ``hub`` as pyproject.toml has them, empty where they are not set."""
        written = tomllib.loads(self.project.read_text(encoding="utf-8")).get("tool", {}).get(SECTION, {})
        return {"address": "", "hub": ""} | written

    @property
    def address(self) -> Address | None:
        """The repository's address, or None as long as it has none."""
        return Address.read(self.settings["address"])

    @property
    def chapters(self) -> list[Path]:
        """The sources of the chapters, in their order."""
        return sorted((self.root / "notebooks").glob("[0-9]*.py"))

    @property
    def assignments(self) -> list[Path]:
        """The sources of the assignments, in their order."""
        return sorted((self.root / "notebooks" / "assignments" / "source").glob("[0-9]*.py"))

    def notebook_of(self, source: Path) -> Path:
        """The .ipynb that readers open: beside a chapter's source, above an assignment's."""
        folder = source.parent.parent if source.parent.name == "source" else source.parent
        return folder / f"{source.stem}.ipynb"

    def path_in_repository(self, notebook: Path) -> str:
        """A file's path as links have it."""
        return notebook.relative_to(self.root).as_posix()

    def with_settings(self, address: str, hub: str) -> str:
        """The text of pyproject.toml with these settings."""
        text = self.project.read_text(encoding="utf-8")
        lines = f'[tool.{SECTION}]\naddress = "{address}"\nhub = "{hub}"\n'
        section = re.compile(rf"^\[tool\.{SECTION}\]\n(?:[a-z]+ = .*\n)*", re.M)
        return section.sub(lines, text) if section.search(text) else f"{text}\n{lines}"


def replace_text(path: Path, text: str) -> bool:
    """Write ``text`` beside ``path``, then put it in its place; True if that changed anything."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(text, path)
    return True
