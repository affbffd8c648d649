"""The hot paths beside their floor and their peers. Claims are ratios measured in one run, never timed tests."""
