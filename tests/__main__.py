"""`python -m tests [NAME [OPTION ...]]`: list the campaigns, or run one. The test suite contains bounded samples of them."""

import sys

from bench.commands import ModuleCommand, run_command

CAMPAIGNS = {
    "faults": ModuleCommand("tests.faults", "inject faults into the service, on random schedules"),
    "storm": ModuleCommand("tests.faults.storm", "run many concurrent clients in one project"),
    "crashes": ModuleCommand(
        "tests.clients.command.crashes", "stop `twofold split` at every change of a file"
    ),
    "fuzz": ModuleCommand("tests.fuzz.campaign", "feed generated input to all entry points"),
    "mutants": ModuleCommand("tests.mutants.campaign", "change the code and count detections"),
    "privileges": ModuleCommand(
        "tests.privileges.campaign", "compare the AWS calls of the suite with the roles"
    ),
    "screenshots": ModuleCommand(
        "tests.browser.screenshots", "render the pictures of docs/report.md"
    ),
}

if __name__ == "__main__":
    sys.exit(run_command("python -m tests", CAMPAIGNS, sys.argv[1:]))
