"""The record of a deployment's options, in the Metadata of its template.

CloudFormation keeps it with the stack, at no cost and without a limit of its own, and gives it back by GetTemplate.
"""

from collections.abc import Mapping
from typing import Any

from infra.options import Options
from infra.stages import spell_value
from twofold import __version__
from twofold.settings import PRODUCT

SECTION = PRODUCT.capitalize()


def write_record(options: Options) -> dict[str, Any]:
    """The section of the template's Metadata."""
    spelled = {name: spell_value(getattr(options, name)) for name in Options.__dataclass_fields__}
    return {SECTION: {"release": __version__, "options": spelled}}


def read_record(template: Mapping[str, Any]) -> dict[str, str]:
    """The options of a deployed template, as TOML spells their values; none if its release recorded nothing."""
    section = template.get("Metadata", {}).get(SECTION, {})
    options = section.get("options", {}) if isinstance(section, dict) else {}
    return dict(options) if isinstance(options, dict) else {}
