"""Owns dist/: everything that a deployment uploads, with checksums; the same bytes each time it is built.

What MWAA's requirements and startup script say is release/requirements.py's and release/startup.py's.
"""

import hashlib
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from release.requirements import ROOT
from release.startup import DeploymentRefused, read_deployment, render_startup

#: What MWAA reads in the DAG folder. Its requirements and startup script lie beside it, and have keys of their own.
_DAG_FILES = ("*.py", ".airflowignore", "constraints.txt")
_MADE_BY_TOOLS = frozenset({"__pycache__", "dbt_packages", "logs", "target"})


def build(root: Path, deployment: Path, dist: Path) -> None:
    """Makes `dist` anew from the sources under `root`. Raises DeploymentRefused when the deployment file is wrong."""
    if not deployment.is_file():
        raise DeploymentRefused(f"there is no deployment file {deployment}. Expected one like release/example.env.")
    values = read_deployment(deployment.read_text(), deployment.name)
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    for path in sorted(dag_files(root / "dags")):
        target = dist / "dags" / path.relative_to(root / "dags")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (dist / "requirements.txt").write_bytes((root / "dags" / "requirements.txt").read_bytes())
    (dist / "startup.sh").write_text(render_startup(values, (root / "dags" / "startup.sh").read_text()))
    (dist / "image.tar").write_bytes(image_context(root))
    (dist / "SHA256SUMS").write_text(checksums(dist))


def dag_files(folder: Path) -> Iterator[Path]:
    """The files that go into MWAA's DAG folder."""
    for pattern in _DAG_FILES:
        yield from (path for path in folder.rglob(pattern) if _is_source(path.relative_to(folder)))


def copied_sources(dockerfile: str) -> list[str]:
    """What the Dockerfile copies from its context, in its order."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def image_context(root: Path) -> bytes:
    """A tar of the Dockerfile and what it copies: sorted, without times, owners or what tools left behind."""
    names = ["Dockerfile", ".dockerignore", *copied_sources((root / "Dockerfile").read_text())]
    paths = {path for name in names for path in _files(root / name)}
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(paths):
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size = path.stat().st_size
            entry.mode = 0o644
            tar.addfile(entry, BytesIO(path.read_bytes()))
    return buffer.getvalue()


def checksums(dist: Path) -> str:
    """One line for each file, as `sha256sum --check` reads them."""
    files = sorted(path for path in dist.rglob("*") if path.is_file())
    digests = ((hashlib.sha256(path.read_bytes()).hexdigest(), path.relative_to(dist).as_posix()) for path in files)
    return "".join(f"{digest}  {name}\n" for digest, name in digests)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (each for each in path.rglob("*") if each.is_file() and _is_source(each.relative_to(path)))
    else:
        raise FileNotFoundError(f"the Dockerfile copies {path}, which is not there")


def _is_source(path: Path) -> bool:
    return _MADE_BY_TOOLS.isdisjoint(path.parts) and path.suffix != ".pyc"


def main(arguments: list[str]) -> int:
    """Builds dist/ for the deployment file named; 2 when it is wrong or none is named."""
    try:
        if len(arguments) != 1:
            raise DeploymentRefused("which deployment? Expected: make dist DEPLOYMENT=FILE (see release/example.env).")
        build(ROOT, Path(arguments[0]), ROOT / "dist")
    except DeploymentRefused as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    sys.stdout.write((ROOT / "dist" / "SHA256SUMS").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
