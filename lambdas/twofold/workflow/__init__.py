"""The states of the workflows: a module per Lambda function, except `api`. Handlers parse the event and call a function
here.

Read `messages` (inputs and outputs of states), `plan_transfer` and `move` (how lines are moved) and `publish` first. Then
follow a state machine: distribute is `plan` and `group` (with GroupBy only), `select`, `move`, `publish`; ingest is `plan`,
`index`, `resolve`, `move`, `publish`; update is `merge`, `move`, `publish`. A failure leads to `abandon`. `settle` and
`collect` run on schedules. `contents`, `source_entries`, `changes`, `rejected`, `inputs` and `memory`
are shared helpers.
"""
