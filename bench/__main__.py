"""`python -m bench [NAME [OPTION ...]]`: list the comparisons and measurements, or run one."""

import sys

from bench.commands import ModuleCommand, run_command

COMMANDS = {
    "splitters": ModuleCommand("bench.splitters", "compare with other splitters (`make bench`)"),
    "scale": ModuleCommand("bench.scale", "time and memory of large splits, beside other tools"),
    "solver": ModuleCommand("bench.solver", "time and memory of the split alone"),
    "proofs": ModuleCommand("bench.proofs", "proofs of splits, with and without a solver"),
    "lines": ModuleCommand("bench.lines", "time to index a line"),
    "imports": ModuleCommand("bench.imports", "imports of a cold start of each function"),
    "memory": ModuleCommand("bench.memory", "memory of the functions that hold a dataset"),
    "shards": ModuleCommand("bench.shards", "time and cost by the size of ranges and shards"),
    "stack": ModuleCommand("bench.stack", "the local emulator beside the data path alone"),
    "simulate": ModuleCommand("bench.simulate", "time, memory and cost of the deployed stack"),
    "counts": ModuleCommand("bench.counts", "AWS calls of an operation"),
    "prices": ModuleCommand("bench.prices", "AWS's list prices"),
    "standing-costs": ModuleCommand("bench.standing_costs", "monthly cost of an idle stage"),
    "throttling": ModuleCommand("bench.throttling", "jobs in an account with few executions"),
}

if __name__ == "__main__":
    sys.exit(run_command("python -m bench", COMMANDS, sys.argv[1:]))
