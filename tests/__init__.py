"""Tests, laid out as the package is; real servers are in fakes/, promises in flow/."""
