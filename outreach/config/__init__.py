"""config.toml → frozen settings. Read by app, cli and web alone; no stage knows that a file exists."""

from outreach.config.mailbox import ConfigError, MailboxSettings, SecretRef
from outreach.config.read import find_config, line_of, load, presets
from outreach.config.settings import Settings

__all__ = ["ConfigError", "MailboxSettings", "SecretRef", "Settings", "find_config", "line_of", "load", "presets"]
