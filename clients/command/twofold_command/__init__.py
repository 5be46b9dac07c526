"""The `twofold` command: splits manifests on local disks, and drives a Twofold service.

Read in this order:

- `entry`, `main`: from the process to a subcommand. `commands` defines a subcommand; `local_commands`, `report_command` and
  `service_commands` list them.
- `arguments`, `split`: from the command line to a split. `split` calls `indexing` (read the manifest), `previous_split`, and
  `transfer` (write both manifests); `pool` runs their tasks in worker processes.
- `split_files`, `publication`, `journal`, `disk`: output files appear together or not at all.
- `summary`, `console`, `progress`, `errors`: output for the terminal. `signals` and `streams` set up the process.
"""
