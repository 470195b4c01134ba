"""Hatch's build hook: makes the page assets (outreach/web/assets/build.py) before a wheel or an editable install."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: What stands beside the package in the repository and is read by the program.
SHIPPED = ("templates", "suppression", "config.example.toml")


class AssetHook(BuildHookInterface):
    """Runs build(); a failure ends the installation with its message."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        path = Path(self.root, "outreach", "web", "assets", "build.py")
        spec = importlib.util.spec_from_file_location("outreach_assets", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.build()
        if version == "standard":  # in an editable install they are found beside the package
            build_data["force_include"].update({name: f"outreach/app/shipped/{name}" for name in SHIPPED})
