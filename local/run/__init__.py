"""`make run`: split a manifest through the local emulator, check the result and write the files.

Reading order: `__main__` (arguments, signals), `command` (the steps), `job` (calls of the API), `results` (download and check),
`progress` and `table` (terminal output).
"""
