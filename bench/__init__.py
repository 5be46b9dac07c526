"""Benchmarks, measurements and models; nothing here is deployed. `python -m bench` lists the commands.

- Comparison of splitters (`make bench`): splitters, datasets, divisions, partition, methods (twofold_methods, sklearn_methods,
  multilabel_methods), objectives, worker, compare, ranking, page.
- Data path (`bench scale`): manifests, peers, phases, datapath, scale, scale_page; lines, stack.
- Functions (`bench memory`, `bench shards`): folder_bucket, prepared_datasets, memory, shards, imports; solver.
- Model of the deployed stack (`bench simulate`): prices, usage, counts, calibration, simulate, limits, retries, throttling,
  recording, standing_costs.
- Shared: markdown, page_sections (tables in docs pages), peak (peak memory).
"""
