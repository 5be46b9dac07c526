"""The options of a deployment, recorded in the Metadata of the template.

CloudFormation stores the Metadata with the stack and returns the template by GetTemplate.
"""

from collections.abc import Mapping
from typing import Any

from infra.options import Options
from infra.stages import format_value
from twofold import __version__
from twofold.settings import PRODUCT

SECTION = PRODUCT.capitalize()


def write_record(options: Options) -> dict[str, Any]:
    """Return the section for the Metadata of the template."""
    values = {name: format_value(getattr(options, name)) for name in Options.__dataclass_fields__}
    return {SECTION: {"release": __version__, "options": values}}


def read_record(template: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of a deployed template as TOML values; empty for releases without a record."""
    section = template.get("Metadata", {}).get(SECTION, {})
    options = section.get("options", {}) if isinstance(section, dict) else {}
    return dict(options) if isinstance(options, dict) else {}
