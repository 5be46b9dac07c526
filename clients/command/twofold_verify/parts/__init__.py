"""Verify a split into parts: report (claims and schema), sizes, search (refuted bounds), checks, runner."""
