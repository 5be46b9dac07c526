"""The committed options of a stage, in a file that every command reads."""

import tomllib
from pathlib import Path

import pytest

from infra.application import build
from infra.options import OptionError, Options
from infra.stages import FOLDER, find_overrides, format_value, read_stage, resolve_options
from twofold.settings import LogLevel

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f0e0d0c-0000-4000-8000-00000000000a"


@pytest.fixture(autouse=True)
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWOFOLD_STAGES", str(tmp_path))
    return tmp_path


def test_the_file_gives_the_options_and_names_the_stage(stages: Path) -> None:
    (stages / "dev.toml").write_text(
        f'source_buckets = ["a-b", "c.d"]\nkms_key = "{KEY}"\nwaf_rate = 0\nretention_days = 90\n'
        'log_level = "DEBUG"\naccount = "123456789012"\nregions = ["eu-west-1", "eu-central-1"]\n'
    )
    file, options = resolve_options(["stage=dev"])
    assert options == Options(
        stage="dev",
        source_buckets=("a-b", "c.d"),
        kms_key=KEY,
        retention_days=90,
        log_level=LogLevel.DEBUG,
    )
    assert (file.account, file.regions) == ("123456789012", ("eu-west-1", "eu-central-1"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kms_kye = 'a'", "unknown option 'kms_kye'; use account, regions, source_buckets, "),
        ("stage = 'dev'", "remove the key stage; the name of the file is the stage"),
        ("waf_rate = '5'", "waf_rate = '5' has a wrong type; use a whole number, such as 5"),
        ("waf_rate = true", "waf_rate = True has a wrong type; use a whole number"),
        ("waf_rate = -1", "waf_rate='-1': use a whole number from 0 on"),
        ("retention_days = 0", "retention_days='0': use a whole number from 1 on"),
        ("source_buckets = 'a'", "source_buckets = 'a' has a wrong type; use a list of strings"),
        ("source_buckets = ['a,b']", "has a wrong type; use a list of strings"),
        ("source_buckets = ['UPPER']", "source_buckets: 'UPPER' is not the name of a bucket"),
        ("account = 123456789012", "account = 123456789012 has a wrong type; use a string"),
        ("quotas = 'more'", "quotas='more': choose one of"),
        ("quotas = [", "is not valid TOML: "),
    ],
)
def test_a_wrong_file_is_named_with_the_key_and_the_remedy(
    stages: Path, text: str, message: str
) -> None:
    path = stages / "dev.toml"
    path.write_text(text)
    with pytest.raises(OptionError) as refused:
        read_stage("dev")
    assert str(refused.value).startswith(f"{path}")
    assert message in str(refused.value)


def test_a_binary_file_and_a_missing_file_are_named(stages: Path) -> None:
    (stages / "dev.toml").write_bytes(b"\xff")
    with pytest.raises(OptionError, match=r"dev\.toml is not valid TOML"):
        read_stage("dev")
    with pytest.raises(
        OptionError, match=r"other\.toml does not exist\. Stages with a file: dev\. For a new"
    ):
        read_stage("other")


def test_the_command_line_has_precedence_and_its_options_are_shown_as_lines_for_the_file(
    stages: Path,
) -> None:
    (stages / "dev.toml").write_text("waf_rate = 500\nthrottle_rate = 9\n")
    file, options = resolve_options(["stage=dev", "waf_rate=700", "throttle_rate=9"])
    assert (options.waf_rate, options.throttle_rate) == (700, 9)
    assert find_overrides(file, options) == {"waf_rate": "waf_rate = 700"}


def test_every_option_survives_formatting_and_parsing(stages: Path) -> None:
    options = Options(stage="dev", source_buckets=("a-b", "c-d"), source_keys=(KEY,), kms_key=KEY)
    names = [name for name in Options.__dataclass_fields__ if name != "stage"]
    lines = [f"{name} = {format_value(getattr(options, name))}" for name in names]
    (stages / "dev.toml").write_text("\n".join(lines))
    assert resolve_options(["stage=dev"])[1] == options


def test_the_committed_file_has_every_option_with_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So `make deploy` on a fresh clone deploys the documented values."""
    monkeypatch.delenv("TWOFOLD_STAGES")
    assert resolve_options([])[1] == Options()
    text = (FOLDER / "prod.toml").read_text()
    shown = "\n".join(line[2:] for line in text.splitlines() if " = " in line and line[0] == "#")
    values = tomllib.loads(shown)
    assert set(values) == {"account", "regions", *Options.__dataclass_fields__} - {"stage"}
    for name in values.keys() - {"account", "regions"}:
        default = getattr(Options(), name)
        assert values[name] == (list(default) if isinstance(default, tuple) else default), name


def test_the_app_of_the_cdk_cli_reads_the_file_and_records_the_options(
    stages: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (stages / "dev.toml").write_text("retention_days = 90\n")
    app = build(
        ["stage=dev", "waf_rate=500"],
        outdir=tmp_path_factory.mktemp("out"),
        context={"aws:cdk:bundling-stacks": []},
        with_checks=False,
        from_file=True,
    )
    template = app.synth().get_stack_by_name("Twofold-dev").template
    record = template["Metadata"]["Twofold"]["options"]
    assert record["retention_days"] == "90"
    assert record["waf_rate"] == "500"
    assert record["quotas"] == '"twofold"'
    assert set(record) == set(Options.__dataclass_fields__)
