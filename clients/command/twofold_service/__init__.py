"""Clients of a Twofold service, deployed or local. Only this part of the `twofold` command needs boto3.

Read `session` (boto3 clients), `driver` (the calls of the main job), `projects` (projects and datasets), then a
module per subcommand: `push`, `distribute`, `pull`, `history`, `report`. `tables` renders projects and distributions.
"""
