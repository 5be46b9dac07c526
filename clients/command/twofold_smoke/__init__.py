"""The main job through a deployed service's front door, as any program would do it; it leaves nothing behind."""
